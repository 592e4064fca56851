import { expect, test } from 'vitest';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { ScratchSpace } from '../../listener/src/jobs/scratch-space.ts';
import { type ComparedPlace, ComparedRows, compareRows } from '../../quality/comparison.ts';
import { inspectCsv } from '../../quality/inspect.ts';
import type { EnginePorts } from '../../quality/ports.ts';

const SECRET = Int32Array.of(1, 2, 3, 4);

async function compared(before: string, after: string, ports: EnginePorts = NODE_PORTS) {
  const places: ComparedPlace[] = [];
  const tables = [before, after].map(() => new ComparedRows(['id'], ports, SECRET));
  const [one, other] = tables as [ComparedRows, ComparedRows];
  try {
    for (const [table, text] of [
      [one, before],
      [other, after],
    ] as const) {
      const bytes = (async function* () {
        yield Buffer.from(text);
      })();
      await inspectCsv(bytes, ports, { rowReader: table.read });
    }
    const steps = compareRows(one, other, (place) => places.push(place));
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return { comparison: step.value, places };
  } finally {
    for (const table of tables) table.close();
  }
}

/** A row for each key, of which some have another value. */
function table(keys: readonly number[], changed: (key: number) => boolean): string {
  return `id,a,b\n${keys.map((key) => `k${key},same,${changed(key) ? 'new' : 'old'}\n`).join('')}`;
}

test('many rows are compared exactly, through the disk and in any order', async () => {
  const scratch = new ScratchSpace({ maxBytes: 2 ** 26 });
  const keys = Array.from({ length: 200_000 }, (_, index) => index);
  const before = table(keys, () => false);
  const after = table(keys.map((key) => key + 1_000).reverse(), (key) => key % 10 === 0);
  let used = 0;
  const opened = () => {
    const file = scratch.open();
    const close = () => {
      used += scratch.usedBytes;
      file.close();
    };
    return { ...file, close };
  };
  const { comparison, places } = await compared(before, after, {
    ...NODE_PORTS,
    openScratch: opened,
  });
  expect(comparison).toMatchObject({
    ...{ added: 1_000, removed: 1_000, changed: 19_900, equal: 179_100 },
    columns: [{ changed: 0 }, { changed: 0 }, { name: 'b', changed: 19_900 }],
  });
  expect(
    places.filter(({ kind }) => kind === 'removed').every(({ before }) => Number(before) < 1_002),
  ).toBe(true);
  expect(used).toBeGreaterThan(0);
  expect(scratch.usedBytes).toBe(0);
});

test('a scratch space that is full is an error, and is given back', async () => {
  const scratch = new ScratchSpace({ maxBytes: 100_000 });
  const ports = { ...NODE_PORTS, openScratch: () => scratch.open() };
  const text = table(
    Array.from({ length: 200_000 }, (_, index) => index),
    () => false,
  );
  await expect(compared(text, text, ports)).rejects.toMatchObject({ code: 'scratch-full' });
  expect(scratch.usedBytes).toBe(0);
});

test('a place has the records of both files', async () => {
  const { places } = await compared('id,a\n1,x\n2,x\n', 'id,a\n2,y\n3,x\n');
  expect(places).toContainEqual({ kind: 'changed', before: 3, after: 2, columns: [1] });
  expect(places).toContainEqual({ kind: 'added', before: null, after: 3 });
  expect(places).toContainEqual({ kind: 'removed', before: 2, after: null });
});

test('columns of one name belong together in their order', async () => {
  const { comparison } = await compared('id,a,a\n1,x,y\n', 'id,a,a,a\n1,x,z,\n');
  expect(comparison.columns.map(({ changed }) => changed)).toEqual([0, 0, 1]);
  expect(comparison.columnsAdded).toEqual([{ name: 'a', classification: null }]);
});
