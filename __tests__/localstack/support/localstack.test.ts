import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import { startLocalStack } from './localstack.ts';

test('it listens on loopback', async () => {
  const localStack = await startLocalStack();
  try {
    expect(localStack.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    // The rest of 127.0.0.0/8 would answer if it listened on every address.
    const elsewhere = localStack.url.replace('127.0.0.1', '127.0.0.2');
    await expect(fetch(elsewhere)).rejects.toThrow('fetch failed');
  } finally {
    await localStack.stop();
  }
});

test('one on a port that is taken throws what Python wrote', async () => {
  const localStack = await startLocalStack();
  try {
    const port = Number(new URL(localStack.url).port);
    await expect(startLocalStack(port)).rejects.toThrow('Address already in use');
  } finally {
    await localStack.stop();
  }
});

test('a stopped one answers no more', async () => {
  const localStack = await startLocalStack();
  await localStack.stop();
  await expect(fetch(localStack.url)).rejects.toThrow('fetch failed');
});

test('it ends when the process that started it is killed', async () => {
  // Whoever is killed leaves its files behind.
  const folder = await mkdtemp(join(tmpdir(), 'killed-'));
  const starter = spawn(process.execPath, [join(import.meta.dirname, 'start-localstack.ts')], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface({ input: starter.stdout }), 'line');
  expect((await fetch(`${url}/_localstack/health`)).status).toBe(200);
  starter.kill('SIGKILL');
  await vi.waitFor(() => expect(fetch(String(url))).rejects.toThrow('fetch failed'), 20_000);
  await rm(folder, { recursive: true, force: true });
});
