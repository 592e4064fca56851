import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../listener/support/postgres.ts';
import { eventually } from '../../support/eventually.ts';
import { startListener } from './listener-process.ts';
import { topicArnOf } from './localstack.ts';

/** Nobody is there: the listener needs no AWS to start. */
const localStack = { url: 'http://127.0.0.1:9' };

let testDatabase: TestDatabase;

beforeAll(async () => {
  testDatabase = await createTestDatabase('migrated');
});

afterAll(async () => {
  await testDatabase?.drop();
});

test('a listener ends in good order', async () => {
  const listener = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: { SNS_TOPIC_ARNS: topicArnOf('topic') },
  });
  expect((await fetch(`${listener.url}readyz`)).status).toBe(200);
  expect(await listener.stop()).toBe(0);
});

test('a listener that fails at its start throws what it wrote', async () => {
  const start = startListener({ localStack, databaseUrl: testDatabase.url });
  await expect(start).rejects.toThrow('SNS_TOPIC_ARNS');
});

test('a listener ends when the process that started it is killed', async () => {
  const program = join(import.meta.dirname, 'start-listener.ts');
  // Whoever is killed leaves its files behind.
  const folder = await mkdtemp(join(tmpdir(), 'killed-'));
  const starter = spawn(process.execPath, [program, testDatabase.url], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface({ input: starter.stdout }), 'line');
  expect((await fetch(`${url}healthz`)).status).toBe(200);
  starter.kill('SIGKILL');
  await eventually(() => expect(fetch(`${url}healthz`)).rejects.toThrow('fetch failed'));
  await rm(folder, { recursive: true, force: true });
});
