import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answers, candidates, findEdge } from '../../../../src/operations/localstack/edge.ts';

test('without a word, this machine is asked by https and then by http', () => {
  expect(candidates(undefined, {})).toStrictEqual([
    { url: 'https://localhost:4566', anyCertificate: true },
    { url: 'http://localhost:4566', anyCertificate: true },
  ]);
});

test('LOCALSTACK_HOSTNAME names another host, whose own certificate is taken', () => {
  const env = { LOCALSTACK_HOSTNAME: 'localhost.localstack.cloud' };
  expect(candidates(undefined, env)[0]).toStrictEqual({
    url: 'https://localhost.localstack.cloud:4566',
    anyCertificate: true,
  });
});

test('--endpoint takes precedence over AWS_ENDPOINT_URL, and both over the host name', () => {
  const env = { AWS_ENDPOINT_URL: 'http://10.0.0.1:4566/', LOCALSTACK_HOSTNAME: 'ls' };
  expect(candidates('http://127.0.0.1:5000', env).map(({ url }) => url)).toEqual([
    'http://127.0.0.1:5000',
  ]);
  expect(candidates(undefined, env).map(({ url }) => url)).toEqual(['http://10.0.0.1:4566']);
});

test('a certificate of another host has to be valid', () => {
  expect(candidates('https://localstack.example.org', {})).toStrictEqual([
    { url: 'https://localstack.example.org', anyCertificate: false },
  ]);
});

test.each([
  'https://sns.us-gov-west-1.amazonaws.com',
  'https://s3.amazonaws.com/',
  'https://s3.cn-north-1.amazonaws.com.cn',
  'https://sqs.us-east-1.api.aws',
  'https://S3.AmazonAWS.com',
])('%s is AWS itself, and refused', (url) => {
  expect(() => candidates(url, {})).toThrow('is AWS itself');
  expect(() => candidates(undefined, { AWS_ENDPOINT_URL: url })).toThrow('AWS_ENDPOINT_URL');
});

test.each(['localhost:4566', '4566', 'ftp://localhost', ''])('--endpoint %j is refused', (url) => {
  expect(() => candidates(url, {})).toThrow('an http or https URL');
});

test('an endpoint with a password is refused without repeating it', () => {
  const check = () => candidates('http://user:marker@localhost:4566', {});
  expect(check).toThrow('an http or https URL');
  expect(check).not.toThrow('marker');
});

test('LOCALSTACK_HOSTNAME with a scheme is refused', () => {
  expect(() => candidates(undefined, { LOCALSTACK_HOSTNAME: 'http://ls:4566' })).toThrow(
    'a host name',
  );
});

/** A server on loopback that answers everything alike. @returns its origin */
async function serverWith(body: string, status = 200): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

const HEALTHY = JSON.stringify({
  services: { s3: 'available', sns: 'running' },
  version: '4.13.1',
});

test('the first candidate that answers is taken', async () => {
  const [closed, open] = [await closedPort(), await serverWith(HEALTHY)];
  const places = [closed, open].map((url) => ({ url, anyCertificate: true }));
  expect(await findEdge(places)).toStrictEqual({
    url: open,
    anyCertificate: true,
    version: '4.13.1',
  });
});

test('there is none where nobody answers', async () => {
  expect(await findEdge([{ url: await closedPort(), anyCertificate: true }])).toBeUndefined();
});

test.each([
  ['<html></html>', 'is not LocalStack'],
  ['{}', 'is not LocalStack'],
  ['null', 'is not LocalStack'],
  ['{"services":{"s3":"disabled"}}', 'is without s3 and sns'],
])('who answers %s is refused', async (body, problem) => {
  const url = await serverWith(body);
  await expect(findEdge([{ url, anyCertificate: true }])).rejects.toThrow(problem);
});

test('a listener answers, whatever its status is', async () => {
  expect(await answers(await serverWith('', 503))).toBe(true);
  expect(await answers(await closedPort())).toBe(false);
});
