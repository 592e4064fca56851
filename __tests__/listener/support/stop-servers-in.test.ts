import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { copyCluster } from './copy-cluster.ts';
import { stopServersIn } from './stop-servers-in.ts';

test('the servers that a killed process has left are stopped', async () => {
  const folder = await mkdtemp(join(inject('postgresCluster'), '../left-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o711);
  const place = join(folder, 'postgres');
  await copyCluster(inject('postgresCluster'), place);
  const script = join(import.meta.dirname, 'local-postgres-process.ts');
  const child = fork(script, [place], { execPath: process.execPath });
  const [{ url }] = await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await stopServersIn(folder);
  await expect(new pg.Client({ connectionString: url }).connect()).rejects.toThrow('ECONNREFUSED');
});
