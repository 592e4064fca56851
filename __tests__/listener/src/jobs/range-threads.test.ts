import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { fileSource, nodePorts } from '../../../../listener/src/jobs/engine-ports.ts';
import { RangeThreadPool, threadsFor } from '../../../../listener/src/jobs/range-threads.ts';
import { ScratchSpace } from '../../../../listener/src/jobs/scratch-space.ts';
import { type InspectOptions, inspectCsv } from '../../../../quality/inspect.ts';
import type { RangeSetup } from '../../../../quality/ports.ts';
import type { QualityReport } from '../../../../quality/report.ts';
import type { TableSchema } from '../../../../quality/table-schema.ts';
import { eventually } from '../../../support/eventually.ts';

const BLOCK_BYTES = 20_000;
const MIB = 1024 * 1024;
const needs = { workerConcurrency: 2, keyBytes: 128 * MIB };
const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', constraints: { unique: true } },
    { name: 'name', type: 'string', constraints: { pattern: '[a-z]+' } },
    { name: 'day', type: 'date' },
  ],
};

/** Rows with a bad date, a duplicate and a broken quote far behind the first block. */
const FILE = Buffer.from(
  `id,name,day\n${Array.from({ length: 12_000 }, (_, n) => {
    if (n === 9_000) return '9000,ab,2026-13-01\n';
    if (n === 9_500) return '77,ab,2026-01-01\n';
    return n === 10_000 ? '10000,"ab,2026-01-01\n' : `${n},"a""b",2026-01-01\n`.replace('""', '');
  }).join('')}`,
);

async function* bytes(): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < FILE.length; from += 7_000) yield FILE.subarray(from, from + 7_000);
}

function judge(threads: RangeThreadPool, signal?: AbortSignal): Promise<QualityReport> {
  const ports = nodePorts(new ScratchSpace({ maxBytes: 0 }), threads);
  return inspectCsv(bytes(), ports, { ...OPTIONS, ...(signal === undefined ? {} : { signal }) });
}

const OPTIONS: InspectOptions = {
  clock: () => 0,
  expectation: { schema: SCHEMA },
  sizeBytes: FILE.length,
};

const path = join(mkdtempSync(join(tmpdir(), 'range-threads-')), 'file.csv');
writeFileSync(path, FILE);
afterAll(() => rmSync(dirname(path), { recursive: true }));

describe('RangeThreadPool', () => {
  it('gives the report of one thread', async () => {
    const alone = await judge(new RangeThreadPool(0, 2, BLOCK_BYTES));
    const threads = new RangeThreadPool(1, 2, BLOCK_BYTES);
    const opened = vi.spyOn(threads, 'open');
    expect(JSON.stringify(await judge(threads))).toBe(JSON.stringify(alone));
    expect(alone.faults.map(({ type }) => type)).toStrictEqual([
      'unclosed-quote',
      'type-error',
      'unique-error',
    ]);
    expect(opened).toHaveBeenCalledOnce();
    await eventually(() => expect(threads.used).toBe(0));
  });

  it('gives the report of one thread on a file of this machine, of which nothing is copied', async () => {
    const threads = new RangeThreadPool(1, 2, BLOCK_BYTES);
    const copied = vi.spyOn(threads, 'fill');
    const ports = nodePorts(new ScratchSpace({ maxBytes: 0 }), threads);
    const { chunks, heldChunks } = fileSource(path, ports, FILE.length);
    const report = await inspectCsv(chunks, ports, { ...OPTIONS, heldChunks });
    expect(report).toStrictEqual(await judge(new RangeThreadPool(0)));
    expect(copied).not.toHaveBeenCalled();
  });

  it('holds as much of a file of this machine as waits for threads', async () => {
    const threads = new RangeThreadPool(1, 2, 5_000);
    const ports = nodePorts(new ScratchSpace({ maxBytes: 0 }), threads);
    const { chunks, heldChunks } = fileSource(path, ports, FILE.length);
    const held: { chunk: Uint8Array; at: number }[] = [];
    let at = 0;
    for await (const chunk of chunks) {
      held.push({ chunk, at });
      at += chunk.length;
      if (held.length > heldChunks) held.shift();
      // What is read ahead meanwhile must not change them.
      await open(path).then((file) => file.close());
      for (const { chunk, at } of held) {
        expect(FILE.subarray(at, at + chunk.length).equals(chunk)).toBe(true);
      }
    }
    expect(at).toBe(FILE.length);
    expect(held).toHaveLength(heldChunks);
  });

  it('shares its threads among the files in hand', async () => {
    const threads = new RangeThreadPool(1, 3, BLOCK_BYTES);
    const [first, second] = [threads.open(UNREADABLE), threads.open(UNREADABLE)];
    expect([first?.count, second]).toStrictEqual([3, undefined]);
    first?.close();
    await eventually(() => expect(threads.used).toBe(0));
    expect(threads.open(UNREADABLE)?.count).toBe(3);
  });

  it('gives one file no more threads than it keeps busy', () => {
    const threads = new RangeThreadPool(1, 6, BLOCK_BYTES);
    const [first, second] = [threads.open(UNREADABLE), threads.open(UNREADABLE)];
    expect([first?.count, second?.count]).toStrictEqual([4, 2]);
    first?.close();
    second?.close();
  });

  it('has no thread where the machine runs one alone', () => {
    expect(new RangeThreadPool(1, threadsFor(needs, 1, 0)).open(UNREADABLE)).toBeUndefined();
  });

  it('has none where the system lets the process begin none, and counts none', () => {
    const threads = new RangeThreadPool(1, 2, BLOCK_BYTES);
    // What can't be sent to a thread stands for what the system refuses.
    const refused = { ...UNREADABLE, expectation: { schema: () => {} } };
    expect([threads.open(refused), threads.used]).toStrictEqual([undefined, 0]);
  });

  it('says that a thread has died, and why, to whoever waits for it and comes later', async () => {
    const threads = new RangeThreadPool(1, 2, BLOCK_BYTES).open(UNREADABLE);
    const block = new Uint8Array(new SharedArrayBuffer(10));
    const died = 'a thread that read a part of the file died: ranges of this file cannot be read';
    await expect(threads?.read(block)).rejects.toThrow(died);
    await expect(threads?.read(block)).rejects.toMatchObject({ code: 'range-thread' });
    await expect(threads?.read(block)).rejects.toMatchObject({ code: 'range-thread' });
  });

  it('ends its threads where a file is given up', async () => {
    const threads = new RangeThreadPool(1, 2, BLOCK_BYTES);
    const opened = vi.spyOn(threads, 'open');
    const end = new AbortController();
    const judged = judge(threads, end.signal);
    await eventually(() => expect(opened).toHaveBeenCalled());
    end.abort(new Error('given up'));
    await expect(judged).rejects.toThrow('given up');
    await eventually(() => expect(threads.used).toBe(0));
  });
});

describe('threadsFor', () => {
  it.each([
    ['as many as the machine runs beside its own, where memory has no limit', 0, 3],
    ['as many as the machine runs beside its own, where there is enough memory', 2_048, 3],
    ['as many as the memory has room for beside the keys of files', 620, 2],
    ['none where all memory is for the keys of files', 512, 0],
    ['none where there is less than that', 300, 0],
  ])('gives %s', (_, limitMib, threads) => {
    expect(threadsFor(needs, 4, limitMib * MIB)).toBe(threads);
  });

  it('takes the limit of a system without one for none', () => {
    expect(threadsFor(needs, 4, 2 ** 64)).toBe(3);
  });
});

/** Of a file without a byte: a thread that is to read ranges of it dies. */
const UNREADABLE: RangeSetup = {
  loop: undefined,
  expectation: {},
  maxRecordBytes: 400,
  deliveredAt: '2026-11-01T06:00:00Z',
  head: new Uint8Array(0),
  random: [],
};
