import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { proxyAgents } from '../../../../listener/src/config/proxy-agents.ts';
import { createConfirmer, createSnsClients } from '../../../../listener/src/sns/confirmation.ts';
import { queueClient } from '../../../../listener/src/sqs/queue-consumer.ts';
import { createS3Store } from '../../../../listener/src/storage/s3-store.ts';
import { run } from '../../../support/run-program.ts';
import { topicArn, topicOf } from '../../support/sns-messages.ts';

const region = 'us-gov-west-1';

/** A proxy that lets nobody through. @returns the hosts that were asked for */
async function startProxy(): Promise<readonly string[]> {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    vi.unstubAllEnvs();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('HTTPS_PROXY', url);
  vi.stubEnv('NODE_USE_ENV_PROXY', '1');
  return asked;
}

beforeEach(() => {
  for (const name of ['NO_PROXY', 'no_proxy', 'https_proxy']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
});

const openFile = () =>
  createS3Store({ region }).open({ bucket: 'drop-box', key: 'a.csv' }, AbortSignal.timeout(60_000));

test('objects of S3 are read through the proxy', async () => {
  const asked = await startProxy();
  await expect(openFile()).rejects.toThrow();
  expect(asked).toEqual([`drop-box.s3.${region}.amazonaws.com:443`]);
});

test('messages are fetched through the proxy', async () => {
  const asked = await startProxy();
  const QueueUrl = `https://sqs.${region}.amazonaws.com/123456789012/deliveries`;
  const client = queueClient({ region, endpoint: undefined, fips: false });
  await expect(client.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow();
  expect(asked).toEqual([`sqs.${region}.amazonaws.com:443`]);
});

test('a subscription is confirmed through the proxy', async () => {
  const asked = await startProxy();
  const envelope = { token: 't' } as Parameters<ReturnType<typeof createConfirmer>['confirm']>[0];
  const confirmer = createConfirmer(createSnsClients(proxyAgents()));
  await expect(confirmer.confirm(envelope, topicOf(topicArn))).rejects.toThrow();
  expect(new Set(asked)).toEqual(new Set([`sns.${region}.amazonaws.com:443`]));
});

test('the role of the ServiceAccount is assumed through the proxy', async () => {
  const asked = await startProxy();
  const folder = mkdtempSync(join(tmpdir(), 'token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), 'token');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws-us-gov:iam::123456789012:role/listener');
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
  await expect(openFile()).rejects.toThrow();
  expect(new Set(asked)).toEqual(new Set([`sts.${region}.amazonaws.com:443`]));
});

test('signing certificates are fetched through the proxy, as Node.js does', async () => {
  const asked = await startProxy();
  const url = `https://sns.${region}.amazonaws.com/SimpleNotificationService-0.pem`;
  await run(process.execPath, ['-e', `fetch('${url}').catch(() => {})`], {
    environment: { HTTPS_PROXY: process.env.HTTPS_PROXY, NODE_USE_ENV_PROXY: '1' },
  });
  expect(asked).toEqual([`sns.${region}.amazonaws.com:443`]);
});

test('hosts of NO_PROXY are called without it', async () => {
  const asked = await startProxy();
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  const store = createS3Store({ region, endpoint: 'https://127.0.0.1:1' });
  await expect(
    store.open({ bucket: 'drop-box', key: 'a.csv' }, AbortSignal.timeout(60_000)),
  ).rejects.toThrow();
  expect(asked).toEqual([]);
});

test('a proxy that Node.js is not told to use does not count for the SDK either', () => {
  expect(proxyAgents({ HTTPS_PROXY: 'http://127.0.0.1:1' })).toEqual({});
  expect(proxyAgents({ HTTPS_PROXY: 'http://127.0.0.1:1', NODE_USE_ENV_PROXY: '0' })).toEqual({});
});
