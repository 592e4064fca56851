import { expect, test } from 'vitest';
import { readConfig } from '../../../../listener/src/config.ts';
import {
  listenerCommand,
  reachAdvice,
  unconfirmedAdvice,
} from '../../../../src/operations/localstack/advice.ts';

const needs = {
  topicArn: 'arn:aws:sns:us-east-1:000000000000:file-processing-topic',
  endpoint: 'http://localhost:4566',
  port: 8090,
};

test('the listener takes the environment of its command, and trusts that LocalStack', () => {
  const command = listenerCommand(needs);
  const environment = Object.fromEntries(
    [...command.matchAll(/^([A-Z_]+)=(\S+) \\$/gm)].map(([, name, value]) => [name, value]),
  );
  const config = readConfig(environment, { database: true, httpIntake: true });
  expect(config).toMatchObject({
    port: needs.port,
    sns: { topics: [{ arn: needs.topicArn }], signatureVersions: ['2'] },
    aws: { region: 'us-east-1', endpoint: needs.endpoint, snsEndpoint: needs.endpoint },
  });
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
