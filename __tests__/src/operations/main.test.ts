import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
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

/** Programs that write down how they were called; the log of a pod never ends. */
function playedPrograms(folder: string): void {
  const deployment = {
    kind: 'Deployment',
    metadata: { name: 'listener', namespace: 'file-processing' },
    spec: {
      template: {
        metadata: { labels: { app: 'listener' } },
        spec: { serviceAccountName: 'file-processing-sa', containers: [{ name: 'main' }] },
      },
    },
  };
  const state = { running: {} };
  const pod = {
    metadata: { name: 'pod' },
    status: { containerStatuses: [{ name: 'main', state }] },
  };
  const kubectl = `#!/bin/sh
echo "$@" >> ${folder}/calls
case "$*" in
  *'get deployments'*) echo '${JSON.stringify({ items: [deployment] })}' ;;
  *'get pods'*) echo '${JSON.stringify({ items: [pod] })}' ;;
  *--since-time*) ;;
  *logs*) exec sleep 600 ;;
esac
`;
  writeFileSync(join(folder, 'aws'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'kubectl'), kubectl, { mode: 0o755 });
}

test('SIGTERM ends a command in the cluster before it ends manage exec', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'exec-signal-'));
  playedPrograms(folder);
  const program = join(ROOT, 'src/operations/main.ts');
  const child = spawn(process.execPath, [program, 'exec', '--profile', '', '--', 'runs', 'list'], {
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, ENVIRONMENT: 'etl-playground' },
    stdio: 'ignore',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const ended = once(child, 'exit');
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8');
  await eventually(async () => expect(calls()).toMatch(/logs pod/));
  child.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
  expect(calls()).toMatch(/delete job listener-exec-\w+ .*\n.*logs pod .*--since-time.*\n.*wait/);
});
