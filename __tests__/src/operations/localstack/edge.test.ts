import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answers, findEdge } from '../../../../src/operations/localstack/edge.ts';

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
  expect(await findEdge(places)).toEqual({ url: open, anyCertificate: true, version: '4.13.1' });
});

test('there is none where nobody answers', async () => {
  expect(await findEdge([{ url: await closedPort(), anyCertificate: true }])).toBeUndefined();
});

test.each([
  ['<html></html>', 'is no LocalStack'],
  ['{}', 'is no LocalStack'],
  ['null', 'is no LocalStack'],
  ['{"services":{"s3":"disabled"}}', 'is without s3 and sns'],
])('who answers %s is refused', async (body, problem) => {
  const url = await serverWith(body);
  await expect(findEdge([{ url, anyCertificate: true }])).rejects.toThrow(problem);
});

test('a listener answers, whatever its status is', async () => {
  expect(await answers(await serverWith('', 503))).toBe(true);
  expect(await answers(await closedPort())).toBe(false);
});
