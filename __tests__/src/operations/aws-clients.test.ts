import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListTopicsCommand } from '@aws-sdk/client-sns';
import { afterEach, expect, test, vi } from 'vitest';
import { awsClients } from '../../../src/operations/aws-clients.ts';

const region = 'us-east-1';

afterEach(() => vi.unstubAllEnvs());

/** The hosts that a proxy was asked for while something called SNS. */
async function askedFor(target: Partial<Parameters<typeof awsClients>[0]>): Promise<string[]> {
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  for (const name of ['NO_PROXY', 'no_proxy', 'https_proxy']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  const sns = await awsClients({ region, profile: '', ...target }).sns();
  await expect(sns.send(new ListTopicsCommand({}))).rejects.toThrow();
  await new Promise((resolve) => proxy.close(resolve));
  return asked;
}

test('AWS is called through the proxy of the shell', async () => {
  expect(await askedFor({})).toEqual(['sns.us-east-1.amazonaws.com:443']);
});

test('the FIPS endpoints are called where they are wanted', async () => {
  expect(await askedFor({ fips: true })).toEqual(['sns-fips.us-east-1.amazonaws.com:443']);
});

test('another endpoint is called as it is, also where FIPS endpoints are wanted', async () => {
  expect(await askedFor({ fips: true, endpoint: 'http://127.0.0.1:1' })).toEqual([]);
});
