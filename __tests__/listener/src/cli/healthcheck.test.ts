import { expect, onTestFinished, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { startTestServer } from '../../support/sns-sockets.ts';

async function check(status: number) {
  const server = await startTestServer((_, response) => response.writeHead(status).end());
  onTestFinished(() => server.close());
  return { ...(await cli(['healthcheck'], { METRICS_PORT: String(server.port) })), server };
}

test('a listener that runs is healthy', async () => {
  const { code, server } = await check(200);
  expect([code, server.requests]).toEqual([0, ['/healthz']]);
});

test('a listener that answers otherwise is not', async () => {
  expect(await check(500)).toMatchObject({ code: 69, err: expect.stringContaining('500') });
});

test('a port that nobody listens on is not healthy', async () => {
  expect(await cli(['healthcheck'], { METRICS_PORT: '1' })).toMatchObject({ code: 69 });
});
