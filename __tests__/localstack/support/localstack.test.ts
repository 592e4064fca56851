import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type OwnLocalStack, startLocalStack } from './localstack.ts';

describe('one LocalStack, from its start to its end', () => {
  let localStack: OwnLocalStack;

  beforeAll(async () => {
    localStack = await startLocalStack();
  });

  afterAll(async () => {
    await localStack?.stop();
  });

  test('it listens on loopback', async () => {
    expect(localStack.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${localStack.url}/_localstack/health`)).status).toBe(200);
    // The rest of 127.0.0.0/8 would answer if it listened on every address.
    const elsewhere = localStack.url.replace('127.0.0.1', '127.0.0.2');
    await expect(fetch(elsewhere)).rejects.toThrow('fetch failed');
  });

  test('another one on its port throws what Python wrote', async () => {
    const port = Number(new URL(localStack.url).port);
    await expect(startLocalStack(port)).rejects.toThrow('Address already in use');
  });

  test('a stopped one answers no more', async () => {
    await localStack.stop();
    await expect(fetch(localStack.url)).rejects.toThrow('fetch failed');
  });
});

test('it ends when the process that started it is killed, and leaves no files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'killed-'));
  const starter = spawn(process.execPath, [join(import.meta.dirname, 'start-localstack.ts')], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface({ input: starter.stdout }), 'line');
  expect((await fetch(`${url}/_localstack/health`)).status).toBe(200);
  starter.kill('SIGKILL');
  await eventually(() => expect(fetch(String(url))).rejects.toThrow('fetch failed'));
  const left = (await readdir(folder)).filter((name) => name.startsWith('localstack-'));
  expect(left).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});
