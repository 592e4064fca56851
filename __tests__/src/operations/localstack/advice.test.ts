import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../../../listener/src/config.ts';
import {
  listenerCommand,
  reachAdvice,
  rulesFolderOf,
  unconfirmedAdvice,
} from '../../../../src/operations/localstack/advice.ts';
import { temporaryFolder } from '../../../listener/support/temporary-folder.ts';

const needs = {
  topicArn: 'arn:aws:sns:us-east-1:000000000000:file-processing-topic',
  endpoint: 'http://localhost:4566',
  port: 8090,
  rulesFolder: 'listener/seed',
};

test('the listener takes the environment of its command, and trusts that LocalStack', () => {
  const command = listenerCommand(needs);
  const environment = Object.fromEntries(
    [...command.matchAll(/^([A-Z_]+)=(\S+) \\$/gm)].map(([, name, value = '']) => [
      name,
      // As the shell that it is copied into.
      value.replaceAll('"', '').replace('$PWD', '/repository'),
    ]),
  );
  const config = readConfig(environment, { database: true, httpIntake: true });
  expect(config).toMatchObject({
    port: needs.port,
    sns: { topics: [{ arn: needs.topicArn }], signatureVersions: ['2'] },
    aws: { region: 'us-east-1', endpoint: needs.endpoint, snsEndpoint: needs.endpoint },
    rulesLocation: { folder: '/repository/listener/seed' },
  });
});

test('the rules are those of the environment where it has its own, else those of the repository', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'environments/own/rules'), { recursive: true });
  expect(rulesFolderOf(root, 'own')).toBe('environments/own/rules');
  expect(rulesFolderOf(root, 'other')).toBe('listener/seed');
});

test.each([
  ['linux', '--add-host host.docker.internal:host-gateway'],
  ['darwin', 'Docker Desktop running'],
  ['win32', 'Docker Desktop running'],
] as const)('on %s the advice is %s', (platform, advice) => {
  expect(reachAdvice(platform, 'host.docker.internal', 8080)).toContain(advice);
});

test('a loopback host is none for a container', () => {
  expect(reachAdvice('linux', '127.0.0.1', 8080)).toContain('give host.docker.internal');
});

test.each([
  [true, ['LocalStack reaches http://h:1/, so the listener refused'], ['extra_hosts']],
  [false, ['LocalStack does not reach http://h:1/', 'extra_hosts'], ['refused']],
  [undefined, ['the listener refused', 'extra_hosts'], []],
])('where the container reaches the listener (%s), the advice fits', (isReached, says, saysNot) => {
  const advice = unconfirmedAdvice({
    ...{ host: 'h', port: 1, endpoint: 'http://h:1/', command: 'serve', isReached },
    platform: 'linux',
  });
  for (const part of says) expect(advice).toContain(part);
  for (const part of saysNot) expect(advice).not.toContain(part);
});
