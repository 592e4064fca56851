import { expect, test } from 'vitest';
import { serverVersion, settingsDiagnosis } from '../../../../src/operations/commands/doctor.ts';
import { loadEnvironment } from '../../../../src/settings/environment.ts';
import { ROOT } from '../../../support/run-main.ts';

test('the example environment is told as one, by file, line and variable', () => {
  expect(settingsDiagnosis(loadEnvironment(ROOT))).toMatchObject({
    name: 'settings',
    state: 'warn',
    found: expect.stringMatching(
      /file_processing\.tfvars:\d+: image: is a placeholder: 123456789012.*\n.*:\d+: db_host: is a placeholder/,
    ),
    next: expect.stringContaining('new-environment'),
  });
});

test.each([
  ['the cluster has', '1.34', { create_cluster: true, kubernetes_version: '1.35' }, '1.34'],
  ['the cluster has', '1.34', { create_cluster: false, kubernetes_version: '' }, '1.34'],
  ['a new cluster gets', '1.33', { create_cluster: true, kubernetes_version: '1.33' }, undefined],
])('kubectl has to fit what %s: %s', (of, version, settings, running) => {
  expect(serverVersion(settings, running)).toEqual({ of, version });
});

test('kubectl has to fit nothing where a cluster of others could not be asked', () => {
  const settings = { create_cluster: false, kubernetes_version: '' };
  expect(serverVersion(settings, undefined)).toBeUndefined();
});

test('an environment without placeholders is ok', () => {
  expect(settingsDiagnosis({ name: 'dev', placeholders: [] })).toStrictEqual({
    name: 'settings',
    state: 'ok',
    found: 'environments/dev has no placeholders',
  });
});
