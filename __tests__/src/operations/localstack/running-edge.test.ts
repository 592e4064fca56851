import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { EXIT } from '../../../../src/operations/exit-codes.ts';
import { runningEdge } from '../../../../src/operations/localstack/running-edge.ts';
import { operationContext } from '../../../support/manage.ts';

/** An address of this machine where nobody listens. */
async function closedPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { url: `http://127.0.0.1:${port}`, anyCertificate: true };
}

test('a dry run starts nothing', async () => {
  expect(await runningEdge(operationContext(), [await closedPort()], true)).toBeUndefined();
});

test('LocalStack on another host is not started here', async () => {
  const elsewhere = { url: 'http://localstack.invalid:4566', anyCertificate: false };
  await expect(runningEdge(operationContext(), [elsewhere], false)).rejects.toMatchObject({
    code: EXIT.unavailable,
    message: 'no LocalStack answers at http://localstack.invalid:4566',
  });
});

test('a container that starts and never answers is told, with where its log is', async () => {
  const context = operationContext({ run: async () => ({ code: 0, stdout: '', stderr: '' }) });
  await expect(runningEdge(context, [await closedPort()], false)).rejects.toMatchObject({
    code: EXIT.unavailable,
    next: 'docker compose logs --tail 200 localstack',
  });
});
