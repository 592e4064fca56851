import { spawnSync } from 'node:child_process';
import { beforeEach, expect, test, vi } from 'vitest';
import { serve } from '../../../../listener/src/cli/serve.ts';
import { ConfigError } from '../../../../listener/src/config/read-variables.ts';

const MIB = 2 ** 20;
const { heap } = vi.hoisted(() => ({ heap: { limit: 0, flags: [] as string[] } }));

vi.mock('node:v8', async (original) => ({
  ...(await original<typeof import('node:v8')>()),
  getHeapStatistics: () => ({ heap_size_limit: heap.limit }),
  setFlagsFromString: (flags: string) => heap.flags.push(flags),
}));

beforeEach(() => heap.flags.splice(0));

/** Ends by its settings, of which there are none, after the heap was seen to. */
async function servedWith(limit: number): Promise<readonly string[]> {
  heap.limit = limit;
  const output = { write: () => undefined };
  const context = { environment: {}, stdout: output, stderr: output };
  await expect(serve(context, { role: 'worker', migrate: false })).rejects.toThrow(ConfigError);
  return heap.flags;
}

test('a small heap may double before V8 collects it, by a flag that this Node has', async () => {
  const flags = await servedWith(259 * MIB);
  expect(flags).toEqual(['--heap-growing-percent=100']);
  // Of an unknown flag, setFlagsFromString only writes a line; a start refuses it.
  expect(spawnSync(process.execPath, [...flags, '-e', '0']).status).toBe(0);
});

test('a heap of a gigabyte and more is left to V8', async () => {
  expect(await servedWith(1024 * MIB)).toEqual([]);
});
