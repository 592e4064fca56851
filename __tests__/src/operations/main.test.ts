import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../support/run-main.ts';

/** Starts a command whose first call of AWS is never answered, and waits for that call. */
async function startHangingCommand() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const called = once(server, 'request');
  const { port } = server.address() as AddressInfo;
  const program = join(ROOT, 'src/operations/main.ts');
  const child = spawn(process.execPath, [program, 'oidc-thumbprint', '--profile', ''], {
    env: {
      ...process.env,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    stdio: 'ignore',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  });
  await called;
  return child;
}

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a command that runs no program by an exit with %i', async (signal, code) => {
  const child = await startHangingCommand();
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([code, null]);
});
