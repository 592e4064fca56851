import { createHash } from 'node:crypto';
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { type InspectOptions, inspectCsv } from '../../quality/inspect.ts';
import { type Decompression, DecompressionError, type EnginePorts } from '../../quality/ports.ts';
import type { QualityReport } from '../../quality/report.ts';
import { assertReportShape, cut, inspectBytes, places } from './inspect-bytes.ts';
import { PLANTINGS, SCHEMA, table } from './planted-fault.ts';

const CSV = Buffer.from('id,name\n1,a\n2,b\n');

async function inspect(
  file: Uint8Array,
  options: InspectOptions = {},
  chunkSizes: readonly number[] = [],
  ports: EnginePorts = NODE_PORTS,
): Promise<QualityReport> {
  async function* chunks() {
    yield* cut(file, chunkSizes);
  }
  const report = await inspectCsv(chunks(), ports, { clock: () => 0, ...options });
  assertReportShape(report);
  return report;
}

/** What a file in a zip archive is made of; the rest is as most programs have it. */
interface Packed {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** Sizes and checksum stand behind the content, after a signature or without one, in 4 or 8 bytes. */
  readonly behind?: { readonly signature: boolean; readonly width: 4 | 8 };
  readonly zip64?: boolean;
}

function uint(width: number, value: number): Buffer {
  const bytes = Buffer.alloc(width);
  if (width === 8) bytes.writeBigUInt64LE(BigInt(value));
  else bytes.writeUIntLE(value, 0, width);
  return bytes;
}

function localFile(file: Packed): Buffer {
  const { name, content, method = 8, behind, zip64 = false } = file;
  const packed = method === 8 ? deflateRawSync(content) : content;
  const flags = (file.flags ?? 0) | (behind === undefined ? 0 : 8);
  const sum = crc32(content);
  const size = (value: number) => uint(4, zip64 ? 0xffffffff : behind === undefined ? value : 0);
  const extra = zip64
    ? Buffer.concat([uint(2, 1), uint(2, 16), uint(8, content.length), uint(8, packed.length)])
    : Buffer.alloc(0);
  return Buffer.concat([
    Buffer.from('PK\x03\x04'),
    ...[uint(2, 20), uint(2, flags), uint(2, method), uint(4, 0)],
    uint(4, behind === undefined ? sum : 0),
    ...[size(packed.length), size(content.length)],
    ...[uint(2, name.length), uint(2, extra.length), Buffer.from(name), extra, packed],
    ...(behind === undefined
      ? []
      : [
          Buffer.from(behind.signature ? 'PK\x07\x08' : ''),
          ...[uint(4, sum), uint(behind.width, packed.length), uint(behind.width, content.length)],
        ]),
  ]);
}

function zip(...files: Packed[]): Buffer {
  const list = files.map(({ name }) => {
    const zeros = Buffer.alloc(24);
    const lengths = [uint(2, name.length), uint(2, 0), uint(2, 3)];
    const rest = [Buffer.alloc(12), Buffer.from(`${name}the`)];
    return Buffer.concat([Buffer.from('PK\x01\x02'), zeros, ...lengths, ...rest]);
  });
  const end = [Buffer.from('PK\x05\x06'), Buffer.alloc(16), uint(2, 2), Buffer.from('ok')];
  return Buffer.concat([...files.map(localFile), ...list, ...end]);
}

const PACKERS: Record<string, (content: Uint8Array) => Buffer> = {
  gzip: gzipSync,
  zstd: zstdCompressSync,
  zip: (content) => zip({ name: 'a.csv', content }),
};

describe('a compressed file', () => {
  it.each(Object.entries(PACKERS))(
    'is judged as its content, packed by %s and cut anywhere',
    async (format, pack) => {
      const plantings = fc.constantFrom(...Object.values(PLANTINGS));
      const sizes = fc.integer({ min: 1, max: 99 });
      await fc.assert(
        fc.asyncProperty(table, fc.nat(), plantings, sizes, async (valid, at, plant, size) => {
          const { file } = plant(valid, at);
          const options = { clock: () => 0, expectation: { schema: SCHEMA } };
          const packed = pack(file);
          expect(await inspect(packed, options, [size])).toStrictEqual({
            ...inspectBytes(file, options),
            bytes: packed.length,
            sha256: createHash('sha256').update(packed).digest('hex'),
            compression: { format, unpackedBytes: file.length },
          });
        }),
        { numRuns: 25 },
      );
    },
  );

  it('may be in another encoding', async () => {
    const report = await inspect(gzipSync(Buffer.from('\ufeffid\n1\n', 'utf16le')));
    expect(report).toMatchObject({ verdict: 'passed', encoding: 'utf-16le', rows: 1 });
  });

  it('tells its progress by the bytes that were delivered', async () => {
    const packed = gzipSync(CSV);
    const progress: number[][] = [];
    await inspect(packed, { onProgress: (...now) => progress.push(now) });
    expect(progress).toStrictEqual([[packed.length, 0]]);
  });

  it.each([
    ['members of gzip', Buffer.concat([gzipSync('id\n1'), gzipSync('\n2\n')])],
    ['members of gzip and zeros', Buffer.concat([gzipSync('id\n1\n2\n'), Buffer.alloc(700)])],
    ['frames of zstd', Buffer.concat([zstdCompressSync('id\n1'), zstdCompressSync('\n2\n')])],
    [
      'a frame of zstd that is skipped',
      Buffer.concat([Buffer.from('502a4d1802000000ffff', 'hex'), zstdCompressSync('id\n1\n2\n')]),
    ],
  ])('may be several %s', async (_, file) => {
    for (const sizes of [[1], [7], []]) {
      expect(await inspect(file, {}, sizes)).toMatchObject({ verdict: 'passed', rows: 2 });
    }
  });

  it.each([
    [
      'Info-ZIP',
      'UEsDBAoAAAAAAAAAIVylwhlNEAAAABAAAAAFAAAAYS5jc3ZpZCxuYW1lCjEsYQoyLGIKUEsBAh4DCgAAAAAAAAAhXKXCGU0QAAAAEAAAAAUAAAAAAAAAAQAAAKSBAAAAAGEuY3N2UEsFBgAAAAABAAEAMwAAADMAAAAAAA==',
    ],
    [
      'Info-ZIP from a pipe',
      'UEsDBC0AAAAAAMkVfV2lwhlN//////////8BABQALQEAEAAQAAAAAAAAABAAAAAAAAAAaWQsbmFtZQoxLGEKMixiClBLAQIeAy0AAAAAAMkVfV2lwhlNEAAAABAAAAABAAAAAAAAAAEAAACAEQAAAAAtUEsGBiwAAAAAAAAAHgMtAAAAAAAAAAAAAQAAAAAAAAABAAAAAAAAAC8AAAAAAAAAQwAAAAAAAABQSwYHAAAAAHIAAAAAAAAAAQAAAFBLBQYAAAAAAQABAC8AAABDAAAAAAA=',
    ],
    [
      'Python into a pipe',
      'UEsDBC0ACAAIAAAAIVwAAAAA//////////8FABQAYS5jc3YBABAAAAAAAAAAAAAAAAAAAAAAAMtM0clLzE3lMtRJ5DLSSeICAFBLBwilwhlNEgAAAAAAAAAQAAAAAAAAAFBLAQItAy0ACAAIAAAAIVylwhlNEgAAABAAAAAFAAAAAAAAAAAAAACAAQAAAABhLmNzdlBLBQYAAAAAAQABADMAAABhAAAAAAA=',
    ],
    [
      'Java',
      'UEsDBBQACAgIAAAAIVwAAAAAAAAAAAAAAAAFAAAAYS5jc3bLTNHJS8xN5TLUSeQy0kniAgBQSwcIpcIZTRIAAAAQAAAAUEsBAhQAFAAICAgAAAAhXKXCGU0SAAAAEAAAAAUAAAAAAAAAAAAAAAAAAAAAAGEuY3N2UEsFBgAAAAABAAEAMwAAAEUAAAAAAA==',
    ],
  ])('may be a zip archive of %s', async (_, file) => {
    for (const sizes of [[1], [5], []]) {
      const report = await inspect(Buffer.from(file, 'base64'), {}, sizes);
      expect(report).toMatchObject({ verdict: 'passed', rows: 2 });
    }
  });

  it.each<[string, Packed[]]>([
    ['stored', [{ name: 'a.csv', content: CSV, method: 0 }]],
    ['with sizes of 8 bytes', [{ name: 'a.csv', content: CSV, zip64: true }]],
    ...[true, false].flatMap((signature): [string, Packed[]][] =>
      ([4, 8] as const).map((width) => [
        `with sizes of ${width} bytes behind it${signature ? ', after a signature' : ''}`,
        [{ name: 'a.csv', content: CSV, behind: { signature, width } }],
      ]),
    ),
    [
      'beside folders and what macOS adds',
      [
        { name: 'data/', content: Buffer.alloc(0), method: 0 },
        { name: 'data/a.csv', content: CSV },
        { name: '__MACOSX/data/._a.csv', content: Buffer.from('attributes') },
        { name: 'data/.DS_Store', content: Buffer.from('view') },
      ],
    ],
  ])('may be a zip archive that holds it %s', async (_, files) => {
    for (const sizes of [[1], [5], []]) {
      expect(await inspect(zip(...files), {}, sizes)).toMatchObject({ verdict: 'passed', rows: 2 });
    }
  });
});

describe('a compressed file that cannot be judged', () => {
  const zipped = zip({ name: 'a.csv', content: CSV });
  const streamed = zip({ name: 'a.csv', content: CSV, behind: { signature: true, width: 4 } });
  const stored = zip({ name: 'a.csv', content: CSV, method: 0 });
  const flipped = (file: Buffer, from: number) => {
    const copy = Buffer.from(file);
    copy.writeUInt8(copy.readUInt8(copy.length + from) ^ 0xff, copy.length + from);
    return copy;
  };

  it.each([
    ['gzip', gzipSync(CSV)],
    ['zstd', zstdCompressSync(CSV)],
    ['zip', zipped],
    ['a zip with its sizes behind it', streamed],
    ['a stored zip', stored],
  ])('is cut off: %s, wherever', async (_, whole) => {
    for (let length = 4; length < whole.length; length++) {
      const report = await inspect(whole.subarray(0, length), {}, [9]);
      expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, columns: [], bytes: length });
      expect(report.faults).toMatchObject([{ type: 'source-error' }]);
      expect(report.faults[0]?.message).toContain('is cut off');
    }
  });

  it.each([
    ['a gzip with another checksum', flipped(gzipSync(CSV), -8)],
    ['a gzip with another size', flipped(gzipSync(CSV), -4)],
    ['a gzip with text behind it', Buffer.concat([gzipSync(CSV), Buffer.from('id\n')])],
    [
      'a gzip with zeros and text behind it',
      Buffer.concat([gzipSync(CSV), Buffer.alloc(9), Buffer.from('id\n')]),
    ],
    ['a zstd with text behind it', Buffer.concat([zstdCompressSync(CSV), Buffer.from('id\n')])],
    ['a zip with text behind it', Buffer.concat([zipped, Buffer.from('id\n')])],
    ['a zip with another checksum', flipped(zipped, -(zipped.length - 14))],
    ['a zip with another size', flipped(zipped, -(zipped.length - 22))],
    ['a zip with no list of files', Buffer.concat([localFile({ name: 'a', content: CSV }), CSV])],
    ['a stored zip with another byte', flipped(stored, -(stored.length - 40))],
  ])('is damaged: %s', async (_, file) => {
    for (const sizes of [[1], [9], []]) {
      const report = await inspect(file, {}, sizes);
      expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, faultCount: 1 });
      expect(report.faults).toMatchObject([{ type: 'source-error' }]);
      expect(report.faults[0]?.message).toContain('is damaged');
      expect(report.sha256).toBe(createHash('sha256').update(file).digest('hex'));
    }
  });

  it.each<[string, Buffer, string]>([
    [
      'several files',
      zip({ name: 'a.csv', content: CSV }, { name: 'b.csv', content: CSV }),
      'holds more than one file: pack the one CSV file by itself',
    ],
    ['no file', zip({ name: 'a/', content: Buffer.alloc(0), method: 0 }), 'holds no file'],
    [
      'a password',
      Buffer.from(
        'UEsDBAoACQAAAAAAIVylwhlNHAAAABAAAAAFAAAAYS5jc3ZI95fMHPpldcIRpmaJV9o3YHkVdiFI8z9w0S0zUEsHCKXCGU0cAAAAEAAAAFBLAQIeAwoACQAAAAAAIVylwhlNHAAAABAAAAAFAAAAAAAAAAEAAACkgQAAAABhLmNzdlBLBQYAAAAAAQABADMAAABPAAAAAAA=',
        'base64',
      ),
      'is encrypted: pack it without a password',
    ],
    ['LZMA', zip({ name: 'a.csv', content: CSV, method: 14 }), 'is packed by method 14'],
    [
      'a stored file of unknown size',
      zip({ name: 'a', content: CSV, method: 0, behind: { signature: true, width: 4 } }),
      'has the size of its file behind it',
    ],
    ['a workbook', zip({ name: 'xl/workbook.xml', content: CSV }), 'an Excel workbook (XLSX)'],
    ['a workbook of Excel', zip({ name: '[Content_Types].xml', content: CSV }), 'XLSX'],
    ['an OpenDocument', zip({ name: 'mimetype', content: CSV, method: 0 }), 'ODS'],
    ['a gzip in a gzip', gzipSync(gzipSync(CSV)), 'What the archive holds is a gzip archive'],
    [
      'a tar',
      gzipSync(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)])),
      'What the archive holds is a tar archive',
    ],
  ])('is of no supported format: %s', async (_, file, message) => {
    const report = await inspect(file, {}, [11]);
    expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, bytes: file.length });
    expect(places(report)).toStrictEqual(['unsupported-format -:-']);
    expect(report.faults[0]?.message).toContain(message);
  });

  it('holds more than is allowed', async () => {
    const report = await inspect(gzipSync(CSV), { maxUnpackedBytes: 15 });
    expect(report).toMatchObject({ verdict: 'unreadable', rows: 0 });
    expect(report.faults[0]?.message).toBe(
      'The archive holds more than 15 bytes, which is maxUnpackedBytes.',
    );
    expect(await inspect(gzipSync(CSV), { maxUnpackedBytes: 16 })).toMatchObject({ rows: 2 });
  });

  it('is a bomb', async () => {
    const bomb = gzipSync(Buffer.concat([CSV, Buffer.alloc(80 * 1024 * 1024, '3,c\n')]));
    const report = await inspect(bomb, {}, [65_536]);
    expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, bytes: bomb.length });
    expect(report.compression?.unpackedBytes).toBeLessThan(70 * 1024 * 1024);
    expect(report.faults[0]?.message).toContain(
      'more than 250 for each, which is maxCompressionRatio.',
    );
  });

  it('needs more memory than every decoder of zstd has', async () => {
    // The header of a frame with a window of 128 MiB.
    const file = Buffer.from('28b52ffd0088010000', 'hex');
    expect((await inspect(file)).faults[0]?.message).toContain('--long');
  });

  it('is left to the sender where the program cannot unpack', async () => {
    const { decompression: _, ...ports } = NODE_PORTS;
    for (const file of [gzipSync(CSV), zipped, zstdCompressSync(CSV)]) {
      const report = await inspect(file, {}, [], ports);
      expect(places(report)).toStrictEqual(['unsupported-format -:-']);
      expect(report.faults[0]?.message).toContain('unpack it before the delivery');
    }
  });
});

describe('a compressed file whose source', () => {
  it('throws is not a fault of the file', async () => {
    for (const pack of Object.values(PACKERS)) {
      const broken = async function* () {
        yield pack(CSV).subarray(0, 20);
        throw new Error('connection reset');
      };
      await expect(inspectCsv(broken(), NODE_PORTS)).rejects.toThrow('connection reset');
    }
  });

  it('is closed where reading ends by the signal', async () => {
    let closed = false;
    async function* endless() {
      try {
        for (;;) yield gzipSync(CSV);
      } finally {
        closed = true;
      }
    }
    const controller = new AbortController();
    const judged = inspectCsv(endless(), NODE_PORTS, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('shutting down')),
    });
    await expect(judged).rejects.toThrow('shutting down');
    expect(closed).toBe(true);
  });
});

describe('the Compression Streams of a browser', () => {
  /** What a page gives to the engine. */
  const decompression: Decompression = {
    formats: ['gzip', 'deflate-raw'],
    findsEnd: false,
    open(format, bytes) {
      const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async pull(controller) {
          const { done, value } = await bytes.next();
          if (done) controller.close();
          else controller.enqueue(Uint8Array.from(value));
        },
      });
      const unpacked = source.pipeThrough(new DecompressionStream(format as CompressionFormat));
      return {
        bytes: (async function* () {
          try {
            yield* unpacked;
          } catch (error) {
            throw new DecompressionError(String(error), false);
          }
        })(),
        consumed: () => undefined,
      };
    },
    crc32,
  };
  const ports: EnginePorts = { ...NODE_PORTS, decompression };

  it.each([
    ['gzip', gzipSync(CSV)],
    ['zip', zip({ name: 'a.csv', content: CSV })],
  ])('unpack a %s', async (_, file) => {
    expect(await inspect(file, {}, [7], ports)).toStrictEqual(await inspect(file, {}, [7]));
  });

  it.each([
    ['zstd', zstdCompressSync(CSV), 'unpack it before the delivery'],
    [
      'a zip with its sizes behind it',
      zip({ name: 'a.csv', content: CSV, behind: { signature: true, width: 4 } }),
      'has the size of its file behind it: pack it by another program',
    ],
  ])('leave %s to the sender', async (_, file, message) => {
    const report = await inspect(file, {}, [7], ports);
    expect(places(report)).toStrictEqual(['unsupported-format -:-']);
    expect(report.faults[0]?.message).toContain(message);
  });
});
