import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { fillBlock, pieceCopier } from '../../listener/src/jobs/shared-memory.ts';
import type { DeliveryRule } from '../../quality/delivery-rules.ts';
import type { TableDialect } from '../../quality/dialect.ts';
import { type InspectOptions, inspectCsv, openRangeReader } from '../../quality/inspect.ts';
import { blocksInHand } from '../../quality/parallel.ts';
import type {
  EnginePorts,
  RangeSetup,
  RangeThreadSource,
  RangeThreads,
} from '../../quality/ports.ts';
import type { QualityReport } from '../../quality/report.ts';
import type { TableField, TableSchema } from '../../quality/table-schema.ts';
import { eventually } from '../support/eventually.ts';
import { assertReportShape, cut, inspectBytes } from './inspect-bytes.ts';
import { CELLS, DIALECTS, FIELDS, THRESHOLDS } from './sample-files.ts';

/** Bytes by which the engine finds out how a file is written: ranges begin behind them. */
const HEAD_BYTES = 65_536;

const THREADS = 2;

/** Counts what threads in this very thread were given, and how much of it was not read again. */
interface Watched {
  blocks: number;
  rows: number;
  closed: number;
}

function blocksOf(blockBytes: number): Omit<RangeThreadSource, 'open'> {
  return {
    leastBytes: 1,
    blockBytes,
    mostPerFile: THREADS,
    newBlock: () => new Uint8Array(new SharedArrayBuffer(blockBytes)),
    fill: fillBlock,
    pieceCopier,
  };
}

function portsWith(watched: Watched, blockBytes: number, count = THREADS): EnginePorts {
  const rangeThreads = {
    ...blocksOf(blockBytes),
    open(setup: RangeSetup): RangeThreads {
      const reader = openRangeReader(structuredClone(setup), NODE_PORTS.isUtf8, pieceCopier());
      return {
        count,
        async read(block) {
          const range = structuredClone(reader.read(block));
          watched.blocks++;
          watched.rows += range.rows;
          return range;
        },
        close: () => {
          watched.closed++;
        },
      };
    },
  };
  return { ...NODE_PORTS, rangeThreads };
}

/** The same with threads that read no block of 100 bytes before it is released. */
function portsWithSlow(waiting: (() => void)[]): EnginePorts {
  const ports = portsWith({ blocks: 0, rows: 0, closed: 0 }, 100);
  const source = ports.rangeThreads as RangeThreadSource;
  const open = (setup: RangeSetup): RangeThreads | undefined => {
    const threads = source.open(setup);
    if (threads === undefined) return undefined;
    const read: RangeThreads['read'] = async (block) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return threads.read(block);
    };
    return { ...threads, read };
  };
  return { ...ports, rangeThreads: { ...source, open } };
}

async function* stream(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  yield* cut(bytes, sizes);
}

/** The same in shared memory, of which no more than so many chunks hold what they held. */
async function* heldStream(
  bytes: Uint8Array,
  sizes: readonly number[],
  held: number,
): AsyncGenerator<Uint8Array> {
  const given: Uint8Array[] = [];
  for (const part of cut(bytes, sizes)) {
    const chunk = new Uint8Array(new SharedArrayBuffer(part.length));
    chunk.set(part);
    given.push(chunk);
    yield chunk;
    if (given.length >= held) given.shift()?.fill(0x22);
  }
}

async function judge(
  file: Uint8Array | string,
  options: InspectOptions,
  ports: EnginePorts,
  sizes: readonly number[] = [HEAD_BYTES + 10],
): Promise<QualityReport> {
  const bytes = Buffer.from(file);
  const { heldChunks } = options;
  const chunks =
    heldChunks === undefined ? stream(bytes, sizes) : heldStream(bytes, sizes, heldChunks);
  const report = await inspectCsv(chunks, ports, { clock: () => 0, ...options });
  assertReportShape(report);
  return report;
}

/** Judges a file by one thread and by several, and gives the report that both must give. */
async function judgeBothWays(
  file: Uint8Array | string,
  options: InspectOptions,
  rangeBytes = 40,
  watched: Watched = { blocks: 0, rows: 0, closed: 0 },
  sizes?: readonly number[],
  heldChunks?: number,
): Promise<QualityReport> {
  const alone = await judge(file, options, NODE_PORTS, sizes);
  const ports = portsWith(watched, rangeBytes);
  const given = { ...options, sizeBytes: file.length, heldChunks };
  const together = await judge(file, given, ports, sizes);
  expect(JSON.stringify(together, null, 1)).toBe(JSON.stringify(alone, null, 1));
  return together;
}

/** Cells that are nothing but sound in a column of a field; -1 is a column without one. */
const soundCells = new Map<number, readonly string[]>();

function soundCellsOf(field: number): readonly string[] {
  const known = soundCells.get(field);
  if (known !== undefined) return known;
  const fields = field < 0 ? [] : [{ name: 'c0', ...FIELDS[field] }];
  const options = field < 0 ? {} : { expectation: { schema: { fields } } };
  const cells = CELLS.filter((cell) => {
    return inspectBytes(`c0\n${cell}\n`, options).verdict === 'passed';
  });
  soundCells.set(field, cells);
  return cells;
}

interface LargeFile {
  readonly file: Buffer;
  readonly options: InspectOptions;
  readonly rangeBytes: number;
  readonly sizes: readonly number[];
  readonly heldChunks: number | undefined;
}

/** Cells that break rows in two, or join them. */
const BREAKS = [
  '\n',
  '"x\ny"',
  '"x\r\n\r\ny"',
  '"x\n',
  '\n"',
  '\ufeffa',
  `"${'long,\n'.repeat(80)}"`,
  'x'.repeat(450),
];

const RULES: readonly DeliveryRule[][] = [
  [],
  [],
  [
    {
      rule: 'ColumnValues',
      column: 'c0',
      constraints: { enum: ['a', '1'] },
      warn: { minShare: 1 },
    },
    { rule: 'DistinctValuesCount', column: 'c1', fail: { max: 20 } },
    { rule: 'Completeness', column: 'c0', warn: { minShare: 0.9 } },
  ],
];

/** Files of mostly sound rows, of which the last ones are read in tiny ranges. */
const largeFile: fc.Arbitrary<LargeFile> = fc
  .record({
    fields: fc.array(fc.nat(FIELDS.length - 1), { minLength: 1, maxLength: 5 }),
    hasSchema: fc.integer({ min: 0, max: 3 }),
    dialect: fc.constantFrom(...DIALECTS.filter(({ footerRows }) => footerRows === undefined)),
    thresholds: fc.constantFrom(...THRESHOLDS),
    rules: fc.constantFrom(...RULES),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    ends: fc.boolean(),
    rangeBytes: fc.integer({ min: 8, max: 1_000 }),
    size: fc.integer({ min: 1, max: 300 }),
    /** One less than are needed are not read in place. */
    heldChunks: fc.constantFrom(undefined, blocksInHand(THREADS) - 1, blocksInHand(THREADS)),
    /** Of the keys: of so many rows one has that of another, and so many bytes of them are held in memory. */
    repeats: fc.constantFrom(7, 1_000),
    maxKeyBytes: fc.constantFrom(1_000_000, 1_000_000, 3_000, 0),
    primaryKey: fc.constantFrom<string[]>([], [], [], [], [], ['c0'], ['c1', 'c0']),
    rows: fc.array(
      fc.record({
        /** Which of the sound cells each column has. */
        sound: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
        faulty: fc.oneof(
          { weight: 12, arbitrary: fc.constant(null) },
          {
            weight: 1,
            arbitrary: fc.array(fc.constantFrom(...CELLS, ...BREAKS), { maxLength: 6 }),
          },
        ),
        lineEnd: fc.oneof(
          { weight: 60, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\n\n') },
        ),
      }),
      { minLength: 5, maxLength: 120, size: 'max' },
    ),
  })
  .map(
    ({
      fields,
      hasSchema,
      dialect,
      thresholds,
      rules,
      lineEnd,
      ends,
      rangeBytes,
      size,
      heldChunks,
      rows,
      ...keys
    }) => {
      const declared = fields.map((field, index) => ({ name: `c${index}`, ...FIELDS[field] }));
      const { repeats, maxKeyBytes, primaryKey } = keys;
      const isKeyed = primaryKey.every((name) => declared.some((field) => field.name === name));
      const schema: TableSchema = {
        fields: declared,
        ...(isKeyed && primaryKey.length > 0 ? { primaryKey } : {}),
      };
      const row = (sound: readonly number[], number: number): string => {
        const cells = fields.map((field, index) => {
          const isKey = FIELDS[field]?.constraints?.unique === true;
          if (isKey)
            return uniqueCell(field, number % repeats === 1 ? number - (number % 5) : number);
          const choice = soundCellsOf(hasSchema > 0 ? field : -1);
          return choice[(sound[index] ?? 0) % choice.length] ?? '';
        });
        return cells.join(',');
      };
      const header = dialect.header === false ? [] : [fields.map((_, at) => `c${at}`).join(',')];
      const first = row([1, 2, 3, 4, 5], 1).length + lineEnd.length;
      const before = Math.ceil(HEAD_BYTES / first);
      const lines = [
        ...header,
        ...Array.from({ length: before }, (_, number) => row([1, 2, 3, 4, 5], number)),
      ].map((line) => line + lineEnd);
      rows.forEach(({ sound, faulty, lineEnd: other }, index) => {
        const line = faulty === null ? row(sound, before + index) : faulty.join(',');
        const isLast = index === rows.length - 1 && !ends;
        lines.push(line + (isLast ? '' : (other ?? lineEnd)));
      });
      const file = Buffer.from(lines.join('').replaceAll(',', dialect.delimiter ?? ','));
      if (file.length % 17 === 0) file[file.length - (file.length % 300)] = 0xff;
      const known = rules.filter(({ rule }) => hasSchema === 0 || rule !== 'ColumnValues');
      const expectation = {
        dialect,
        thresholds,
        rules: known,
        ...(hasSchema > 0 ? { schema } : {}),
      };
      return {
        file,
        options: { expectation, maxRecordBytes: 400, maxKeyBytes },
        rangeBytes,
        sizes: [HEAD_BYTES, size],
        heldChunks,
      };
    },
  );

function uniqueCell(field: number, number: number): string {
  const { type } = FIELDS[field] as TableField;
  if (type === 'integer') return `${number}`;
  if (type === 'string') return `k${number}`;
  return new Date(Date.UTC(2000, 0, 1) + number * 1000).toISOString().replace('.000', '');
}

/** Runs of the property; more by hand: `PARALLEL_RUNS=20000 npm test -- __tests__/quality/parallel.test.ts`. */
const RUNS = Number(process.env.PARALLEL_RUNS ?? 12);

const soundRow = '1,x,3\n';
/** Rows that settle the columns. */
const HEAD_ROWS = Math.ceil(HEAD_BYTES / soundRow.length) + 2;

function soundRows(count: number): string {
  return `a,b,c\n${soundRow.repeat(HEAD_ROWS + count)}`;
}

describe('ParallelReading', () => {
  it('gives the report of one thread, whatever the file is and wherever blocks begin', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    await fc.assert(
      fc.asyncProperty(largeFile, async ({ file, options, rangeBytes, sizes, heldChunks }) => {
        await judgeBothWays(file, options, rangeBytes, watched, sizes, heldChunks);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(watched.rows).toBeGreaterThan(RUNS);
  });

  it('reads sound rows in threads, but for the first and the last of each block', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const { rows } = await judgeBothWays(soundRows(1_000), {}, 200, watched);
    expect(rows).toBe(HEAD_ROWS + 1_000);
    expect(watched.blocks).toBeGreaterThan(20);
    expect(watched.rows).toBeGreaterThan(1_000 - 4 * watched.blocks);
    expect(watched.closed).toBe(1);
  });

  it('counts values that are new enough in threads by the same time of the delivery', async () => {
    const rows = Array.from(
      { length: 1_000 },
      (_, number) => `1,2026-11-${String((number % 28) + 1).padStart(2, '0')},3\n`,
    );
    const first = '1,2026-11-01,3\n'.repeat(HEAD_ROWS);
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const fields: TableField[] = [{ name: 'a' }, { name: 'b', type: 'date' }, { name: 'c' }];
    const rule: DeliveryRule = { rule: 'DataFreshness', column: 'b', hours: 48, fail: { min: 1 } };
    const options = {
      ...{ expectation: { schema: { fields }, rules: [rule] } },
      deliveredAt: '2026-11-29T00:00:00Z',
    };
    const { deliveryRules } = await judgeBothWays(
      `a,b,c\n${first}${rows.join('')}`,
      options,
      300,
      watched,
    );
    expect(watched.rows).toBeGreaterThan(100);
    // The 27th and the 28th.
    expect(deliveryRules?.[0]?.message).toContain(': 70 of');
  });

  it('names the record and the line of a fault behind rows that were read in threads', async () => {
    const file = `${soundRows(50)}1,"x\ny",3\n${soundRow.repeat(40)}1,x\n`;
    const { faults } = await judgeBothWays(file, {}, 100);
    const record = 1 + HEAD_ROWS + 50 + 1 + 40 + 1;
    expect(faults).toMatchObject([{ type: 'missing-cell', record, line: record + 1 }]);
  });

  it.each([
    ['a block begins in a quoted cell that looks like rows', `1,"${soundRow.repeat(60)}",3\n`],
    [
      'a quote is not closed, and as many lines follow as a block has',
      `1,"x,3\n${soundRow.repeat(30)}`,
    ],
    ['a quote is not closed to the end of the file', `1,"x,3\n${soundRow.repeat(30)}1,y,"`],
    [
      'a quote breaks in a block and shows in the next one',
      `1,"x,3\n${soundRow.repeat(12)}1,y" z,3\n`,
    ],
    ['a record is longer than a block', `1,${'x'.repeat(350)},3\n`],
    ['a record is longer than any may be', `1,${'x'.repeat(450)},3\n`],
    [
      'a character was lost in what is skipped of such a record',
      `1,${'x'.repeat(450)},\ufffd\n${soundRow.repeat(30)}`,
    ],
    ['lines end with CR LF, which blocks cut in two', '1,x,3\r\n'.repeat(40)],
    ['lines end with CR alone', '1,x,3\r'.repeat(40)],
    ['the header is repeated', `${'a,b,c\n'}${soundRow.repeat(30)}`],
    ['a byte order mark stands inside', `\ufeffa,b,c\n${soundRow.repeat(30)}`],
    ['a NUL byte stands inside', `1,\0,3\n${soundRow.repeat(30)}`],
    ['characters were damaged', `1,Ã©,3\n${soundRow.repeat(30)}1,\ufffd,3\n`],
    ['lines are blank', `\n\n\n${soundRow.repeat(30)}\n\n`],
    ['the last line has no end', `${soundRow.repeat(30)}1,x,3`],
    ['the last row is a total', `${soundRow.repeat(30)}Total,,9\n`],
    ['the last byte is the end-of-file mark of DOS', `${soundRow.repeat(30)}\u001a\n`],
  ])('gives the report of one thread where %s', async (_, rows) => {
    const file = `${soundRows(30)}${rows}${rows.endsWith('\n') ? soundRow.repeat(2) : ''}`;
    const ending = rows.startsWith(soundRow) ? `${soundRows(30)}${rows}` : file;
    for (const rangeBytes of [17, 40, 150]) {
      await judgeBothWays(ending, { maxRecordBytes: 400 }, rangeBytes);
    }
  });

  it('names a key that came before, in another block or in the same one', async () => {
    const numbered = (from: number, count: number): string =>
      Array.from({ length: count }, (_, n) => `${from + n},x,3\n`).join('');
    const file = `a,b,c\n${numbered(1, HEAD_ROWS)}${numbered(20_000, 90)}20005,x,3\n20095,y,3\n20095,z,3\n${numbered(30_000, 30)}`;
    const schema: TableSchema = {
      fields: [
        { name: 'a', type: 'integer' },
        { name: 'b', type: 'string' },
        { name: 'c', type: 'integer' },
      ],
      primaryKey: ['a'],
    };
    const { faults } = await judgeBothWays(file, { expectation: { schema } }, 100);
    const first = HEAD_ROWS + 2;
    expect(faults).toMatchObject([
      { record: first + 90, message: `The same a came in record ${first + 5}.`, key: '20005' },
      { record: first + 92, message: `The same a came in record ${first + 91}.`, key: '20095' },
    ]);
  });

  it('reads blocks as a whole where their keys have no place in memory', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const ports = portsWith(watched, 2_000);
    let looks = 0;
    const isUtf8: EnginePorts['isUtf8'] = (bytes) => {
      looks++;
      return NODE_PORTS.isUtf8(bytes);
    };
    const rows = Array.from({ length: HEAD_ROWS + 3_000 }, (_, n) => `k${n},x,3\n`);
    const file = `a,b,c\n${rows.join('')}`;
    const fields: TableField[] = ['a', 'b', 'c'].map((name) => ({ name }));
    const expectation = { schema: { fields, primaryKey: 'a' } };
    const options = { expectation, maxKeyBytes: 100_000, sizeBytes: file.length };
    const report = await judge(file, options, { ...ports, isUtf8 });
    expect(report.rows).toBe(rows.length);
    expect(watched.blocks).toBeGreaterThan(10);
    expect(looks).toBeLessThan(1_000);
  });

  it('reads a file by one thread where each row refers to others', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const schema: TableSchema = {
      fields: ['a', 'b', 'c'].map((name) => ({ name, type: 'string' })),
      foreignKeys: [{ fields: 'c', reference: { fields: 'c' } }],
    };
    await judgeBothWays(soundRows(100), { expectation: { schema } }, 40, watched);
    expect(watched.blocks).toBe(0);
  });

  it.each<[string, TableDialect, string?]>([
    ['the encoding is another one', { encoding: 'windows-1252' }],
    ['a footer is held back', { footerRows: 1 }],
    ['records are comments by their number', { commentRows: [3] }],
    ['blanks before cells are skipped', { skipInitialSpace: true }],
  ])('reads a file by one thread where %s', async (_, dialect) => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    await judgeBothWays(soundRows(100), { expectation: { dialect } }, 40, watched);
    expect(watched.blocks).toBe(0);
  });

  it('reads a file by one thread of which the size is not known, or that is too small', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const ports = portsWith(watched, 40);
    const { rangeThreads } = ports;
    if (rangeThreads === undefined) throw new Error('there are no threads');
    const large = { ...ports, rangeThreads: { ...rangeThreads, leastBytes: 1e9 } };
    await judge(soundRows(100), {}, ports);
    await judge(soundRows(100), { sizeBytes: 999_999_999 }, large);
    expect(watched.blocks).toBe(0);
  });

  it('ends the threads where they are of no use, since most rows have something to find', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    await judgeBothWays(`${soundRows(0)}${'1,x\n'.repeat(3_000)}`, {}, 40, watched);
    expect(watched.blocks).toBeLessThan(30);
    expect(watched.closed).toBe(1);
  });

  it('reads the rest alone where a thread dies, and gives the report of one thread', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const ports = portsWith(watched, 100);
    const source = ports.rangeThreads as RangeThreadSource;
    let asked = 0;
    const open = (setup: RangeSetup): RangeThreads | undefined => {
      const threads = source.open(setup);
      if (threads === undefined) return undefined;
      const read: RangeThreads['read'] = async (block) => {
        asked++;
        if (watched.blocks >= 10) throw new Error('a thread has died');
        return threads.read(block);
      };
      return { ...threads, read };
    };
    const file = `${soundRows(2_000)}7,"broken\n${soundRows(200)}`;
    const options = { sizeBytes: file.length };
    const report = await judge(file, options, { ...ports, rangeThreads: { ...source, open } });
    expect(report).toStrictEqual(await judge(file, {}, NODE_PORTS));
    expect(watched).toMatchObject({ blocks: 10, closed: 1 });
    expect(asked).toBeLessThan(10 + THREADS * 3 + 1);
  });

  it('takes no more of the file than its threads have room for', async () => {
    let taken = 0;
    const waiting: (() => void)[] = [];
    async function* counted(): AsyncGenerator<Uint8Array> {
      const file = Buffer.from(soundRows(500));
      for (const [part, sizes] of [
        [file.subarray(0, HEAD_BYTES), []],
        [file.subarray(HEAD_BYTES), [50]],
      ] as const) {
        for (const chunk of cut(part, sizes)) {
          taken += chunk.length;
          yield chunk;
        }
      }
    }
    const judged = inspectCsv(counted(), portsWithSlow(waiting), { sizeBytes: 1e9 });
    await eventually(() => expect(waiting).toHaveLength(6));
    for (let turn = 0; turn < 20; turn++) await NODE_PORTS.nextTurn();
    expect(waiting).toHaveLength(6);
    expect(taken).toBeLessThan(HEAD_BYTES + 11 * 100);
    const release = setInterval(() => waiting.shift()?.(), 0);
    await judged;
    clearInterval(release);
  });

  it('reads blocks by itself where its threads have enough to do, and gives the report of one thread', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const ports = portsWith(watched, 100, 1);
    const source = ports.rangeThreads as RangeThreadSource;
    const rangeThreads = {
      ...source,
      open(setup: RangeSetup): RangeThreads | undefined {
        const threads = source.open(setup);
        if (threads === undefined) return undefined;
        const read: RangeThreads['read'] = async (block) => {
          for (let turn = 0; turn < 5; turn++) await NODE_PORTS.nextTurn();
          return threads.read(block);
        };
        return { ...threads, read };
      },
    };
    const file = `${soundRows(HEAD_BYTES / 4)}7,"broken\n${soundRows(200)}`;
    const sizeBytes = file.length;
    const report = await judge(file, { sizeBytes }, { ...ports, rangeThreads });
    expect(report).toStrictEqual(await judge(file, {}, NODE_PORTS));
    expect(watched.blocks).toBeLessThan((file.length - HEAD_BYTES) / 100 / 2);
  });

  it('has threads read chunks where they are, as many as the source holds', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const ports = portsWith(watched, 100);
    const source = ports.rangeThreads as RangeThreadSource;
    const newBlock = () => {
      throw new Error('a chunk was copied');
    };
    const file = `${soundRows(500)}7,"broken\n${soundRows(200)}`;
    const report = await judge(
      file,
      { sizeBytes: file.length, heldChunks: blocksInHand(THREADS) },
      { ...ports, rangeThreads: { ...source, newBlock } },
      [HEAD_BYTES + 10, ...Array.from({ length: 60 }, () => 50)],
    );
    expect(report).toStrictEqual(await judge(file, {}, NODE_PORTS));
    expect(watched.blocks).toBeGreaterThan(0);
  });

  it.each([
    ['as many chunks hold their content as wait for threads that are slow', 0],
    ['one chunk fewer does, so that they are copied', -1],
  ])('gives the report of one thread where %s', async (_, more) => {
    const waiting: (() => void)[] = [];
    const ports = portsWithSlow(waiting);
    const file = `${soundRows(400)}7,"broken\n${soundRows(0)}`;
    const judged = judge(
      file,
      { sizeBytes: file.length, heldChunks: blocksInHand(THREADS) + more },
      ports,
      [HEAD_BYTES + 10, ...Array.from({ length: 2_000 }, () => 100)],
    );
    await eventually(() => expect(waiting).toHaveLength(6));
    for (let turn = 0; turn < 20; turn++) await NODE_PORTS.nextTurn();
    const release = setInterval(() => waiting.shift()?.(), 0);
    expect(await judged).toStrictEqual(await judge(file, {}, NODE_PORTS));
    clearInterval(release);
  });

  it('ends the threads where the file is given up', async () => {
    const watched = { blocks: 0, rows: 0, closed: 0 };
    const end = new AbortController();
    const file = soundRows(1_000);
    const judged = judge(
      file,
      {
        sizeBytes: file.length,
        signal: end.signal,
        onProgress: () => {
          if (watched.blocks > 3) end.abort(new Error('given up'));
        },
      },
      portsWith(watched, 40),
      [HEAD_BYTES + 10, 50],
    );
    await expect(judged).rejects.toThrow('given up');
    expect(watched.closed).toBe(1);
  });
});
