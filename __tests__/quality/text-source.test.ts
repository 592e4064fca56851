import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QualityReport } from '../../quality/report.ts';
import { windows1252Character } from '../../quality/text-source.ts';
import { inspectBytes, places } from './inspect-bytes.ts';
import { PLANTINGS, SCHEMA, table } from './planted-fault.ts';

const BOM = '\ufeff';
const FILE = 'id,name\n1,café\n';
const PASSED = 'passed';

function bigEndian(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Text in Windows-1252; what is not in it must not occur. */
function windows1252(text: string): Buffer {
  const byteOf = new Map<string, number>();
  for (let byte = 0; byte < 256; byte++) byteOf.set(windows1252Character(byte) ?? '', byte);
  return Buffer.from(Array.from(text, (character) => byteOf.get(character) as number));
}

const ENCODERS: Record<string, (text: string) => Buffer> = {
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
  'utf-16be': bigEndian,
  'windows-1252': windows1252,
  'iso-8859-1': (text) => Buffer.from(text, 'latin1'),
};

function declared(encoding: string) {
  return { expectation: { dialect: { encoding } } };
}

/** A report without what differs when the same text is encoded otherwise. */
function withoutBytes({
  bytes: _bytes,
  sha256: _sha256,
  encoding: _encoding,
  ...report
}: QualityReport) {
  return { ...report, faults: report.faults.map((fault) => ({ ...fault, byte: null })) };
}

describe('a file in another encoding than UTF-8', () => {
  it.each(Object.entries(ENCODERS))(
    'in %s has the faults of the same text in UTF-8, each at its own byte',
    (encoding, encode) => {
      const plantings = fc.constantFrom(...Object.values(PLANTINGS));
      fc.assert(
        fc.property(
          table,
          fc.nat(),
          plantings,
          fc.integer({ min: 1, max: 99 }),
          (valid, at, plant, size) => {
            const { file } = plant(valid, at);
            if (!isUtf8(file)) return;
            const text = file.toString();
            const inUtf8 = inspectBytes(file, { expectation: { schema: SCHEMA } });
            const options = { expectation: { schema: SCHEMA, dialect: { encoding } } };
            const report = inspectBytes(encode(text), options, [size]);
            expect(report.encoding).toBe(encoding);
            expect(withoutBytes(report)).toStrictEqual(withoutBytes(inUtf8));
            expect(report.faults.map(({ byte }) => byte)).toStrictEqual(
              inUtf8.faults.map(({ byte }) =>
                byte === null ? null : encode(file.subarray(0, byte).toString()).length,
              ),
            );
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  it('keeps the places in a record that is longer than a block', () => {
    const text = `id,name\n1,"${'é\n'.repeat(40_000)}e"\n2,x,y\n`;
    const report = inspectBytes(Buffer.from(text, 'utf16le'), declared('utf-16le'));
    expect(report.faults).toMatchObject([
      { type: 'extra-cell', record: 3, line: 40_003, byte: (text.length - 2) * 2 },
    ]);
  });

  it('has size and SHA-256 of what was delivered', () => {
    const file = Buffer.from(BOM + FILE, 'utf16le');
    const report = inspectBytes(file);
    expect(report.bytes).toBe(file.length);
    expect(report.sha256).toBe(createHash('sha256').update(file).digest('hex'));
  });

  it.each([
    ['little-endian', Buffer.from(BOM + FILE, 'utf16le'), 'utf-16le'],
    ['big-endian', bigEndian(BOM + FILE), 'utf-16be'],
  ])('passes as UTF-16, %s, by its mark', (_, file, encoding) => {
    for (const size of [1, 7, 4096]) {
      const report = inspectBytes(file, {}, [size]);
      expect(report).toMatchObject({ verdict: PASSED, rows: 1, encoding, byteOrderMark: true });
    }
  });

  it.each([
    ['little-endian', Buffer.from(FILE, 'utf16le'), 'utf-16le'],
    ['big-endian', bigEndian(FILE), 'utf-16be'],
    [
      'with characters whose lower byte is zero',
      Buffer.from('id,name\n1,一郎\u3000花子\n', 'utf16le'),
      'utf-16le',
    ],
    ['in Cyrillic', Buffer.from('номер,имя\n1,Анна\n', 'utf16le'), 'utf-16le'],
    [
      'in Chinese',
      Buffer.from(`编号姓名地址电话备注,${'姓名地址电话备注'.repeat(3)}\n甲,乙\n`, 'utf16le'),
      'utf-16le',
    ],
  ])('without a mark is found to be UTF-16, %s, and warned', (_, file, encoding) => {
    const report = inspectBytes(file);
    expect(report).toMatchObject({ verdict: 'warned', rows: 1, encoding });
    expect(report.faults).toMatchObject([{ type: 'undeclared-encoding', byte: 0 }]);
  });

  it('without a mark passes where UTF-16 is declared, in whichever order', () => {
    for (const encode of [ENCODERS['utf-16le'], bigEndian]) {
      expect(inspectBytes(encode?.(FILE) ?? '', declared('UTF-16')).verdict).toBe(PASSED);
    }
  });

  it.each([
    ['one NUL', 'id,name\n1,a\0b\n2,b\n'],
    ['a row of NULs', 'id,name\n\0\0\0\0\n2,b\n'],
    ['NULs after each line', 'id,name\n\x001,a\n\x002,b\n'],
    ['two bytes, one of them NUL', 'a\0'],
  ])('is not found in UTF-8 with %s', (_, file) => {
    expect(inspectBytes(file).encoding).toBe('utf-8');
  });

  it('is an error in the cell of an unpaired surrogate', () => {
    for (const half of ['\ud83d', '\ude00', '\ud83d\ud83d']) {
      const file = Buffer.from(`${BOM}id,name\n1,a${half}b\n2,\u{1f600}\n`, 'utf16le');
      const report = inspectBytes(file, {}, [3]);
      expect(places(report)).toStrictEqual(['encoding-error 2:2']);
      expect(report.faults[0]).toMatchObject({
        byte: (1 + 8 + 3) * 2,
        message: `0x${half.charCodeAt(0).toString(16).toUpperCase()} is half of a surrogate pair of UTF-16, without the other half.`,
      });
    }
  });

  it('is an error in the last cell where the file ends in the middle of a character', () => {
    const whole = Buffer.from(`${BOM}id,name\n1,ab`, 'utf16le');
    for (const cut of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from([0x3d, 0xd8])])]) {
      expect(places(inspectBytes(cut, {}, [5]))).toStrictEqual(['encoding-error 2:2']);
    }
  });

  it('is read as Windows-1252 only where that is declared', () => {
    const file = windows1252('id,name\n1,“£” – €\n');
    expect(inspectBytes(file)).toMatchObject({
      verdict: 'failed',
      encoding: 'utf-8',
      faults: [
        {
          type: 'encoding-error',
          message:
            'Byte 0x93 is not UTF-8 where it stands. In Windows-1252 it would be “ (U+201C).',
        },
      ],
    });
    expect(inspectBytes(file, declared('windows-1252')).verdict).toBe(PASSED);
  });

  it('has an error at each byte that Windows-1252 has no character for', () => {
    const bytes = [0x81, 0x8d, 0x8f, 0x90, 0x9d];
    const rows = bytes.map((byte) => `1,a${String.fromCharCode(byte)}\n`).join('');
    const report = inspectBytes(
      Buffer.from(`id,name\n${rows}2,é\n`, 'latin1'),
      declared('windows-1252'),
    );
    expect(report.faults.map(({ message }) => message)).toStrictEqual(
      bytes.map(
        (byte) => `Byte 0x${byte.toString(16).toUpperCase()} has no character in Windows-1252.`,
      ),
    );
  });

  it('has a control character, and not one of Windows-1252, at 80 to 9F of ISO-8859-1', () => {
    const schema = {
      fields: [{ name: 'id' }, { name: 'name', constraints: { enum: ['\u0093'] } }],
    };
    const file = Buffer.from('id,name\n1,\u0093\n', 'latin1');
    const expectation = { schema, dialect: { encoding: 'ISO-8859-1' } };
    expect(inspectBytes(file, { expectation }).verdict).toBe(PASSED);
  });

  it.each([
    ['windows-1252', Buffer.from(BOM + FILE), 'begins as UTF-8 does'],
    ['utf-8', Buffer.from(BOM + FILE, 'utf16le'), 'begins as little-endian UTF-16 does'],
    ['utf-16be', Buffer.from(FILE, 'utf16le'), 'begins as little-endian UTF-16 does'],
    ['utf-16le', Buffer.from(FILE), 'has no zero bytes'],
    ['utf-16', Buffer.from(FILE), 'has no zero bytes'],
  ])('fails where %s is declared and the bytes speak against it', (encoding, file, evidence) => {
    const report = inspectBytes(file, declared(encoding));
    expect(report).toMatchObject({ verdict: 'failed', rows: 1 });
    expect(places(report)).toStrictEqual(['encoding-error -:-']);
    expect(report.faults[0]?.message).toContain(evidence);
  });

  it.each([512, 700, 5_000])('is told by its first bytes alone, also in chunks of %d', (size) => {
    const file = Buffer.from(`${FILE}${'2,x\n'.repeat(1_000)}\u001a`, 'utf16le');
    const report = inspectBytes(file, {}, [size]);
    expect(report.encoding).toBe('utf-16le');
    expect(report).toStrictEqual(inspectBytes(file));
  });

  it('is said to be encoded twice where UTF-8 comes and Windows-1252 is declared', () => {
    const report = inspectBytes(FILE, declared('windows-1252'));
    expect(report).toMatchObject({ verdict: 'warned', faults: [{ type: 'mojibake', byte: 13 }] });
  });

  it('is empty whatever is declared', () => {
    expect(inspectBytes('', declared('utf-16le')).faults).toMatchObject([{ type: 'source-error' }]);
  });

  it('may be anything without a crash, in any cut with the same report', () => {
    const encodings = fc.constantFrom(undefined, ...Object.keys(ENCODERS), 'utf-16', 'utf-8');
    const bytes = fc.array(fc.constantFrom(0, 0x0a, 0x22, 0x2c, 0x41, 0xd8, 0xdc, 0xfe, 0xff), {
      maxLength: 80,
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(bytes, encodings, sizes, (file, encoding, chunks) => {
        const options = encoding === undefined ? {} : declared(encoding);
        const whole = Uint8Array.from(file);
        expect(inspectBytes(whole, options, chunks)).toStrictEqual(inspectBytes(whole, options));
      }),
      { numRuns: 1000 },
    );
  });
});
