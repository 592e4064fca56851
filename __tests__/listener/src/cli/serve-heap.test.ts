import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { heapFlags } from '../../../../listener/src/cli/serve.ts';

const MIB = 2 ** 20;

test('a small heap may double before V8 collects it, by a flag that this Node has', () => {
  const flags = heapFlags(259 * MIB);
  expect(flags).toEqual(['--heap-growing-percent=100']);
  // Of an unknown flag, setFlagsFromString only writes a line; a start refuses it.
  expect(spawnSync(process.execPath, [...flags, '-e', '0']).status).toBe(0);
});

test('a heap of a gigabyte and more is left to V8', () => {
  expect(heapFlags(1024 * MIB)).toEqual([]);
});
