import { expect, test } from 'vitest';
import { settingsDiagnosis } from '../../../../src/operations/commands/doctor.ts';
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

test('an environment without placeholders is ok', () => {
  expect(settingsDiagnosis({ name: 'dev', placeholders: [] })).toStrictEqual({
    name: 'settings',
    state: 'ok',
    found: 'environments/dev has no placeholders',
  });
});
