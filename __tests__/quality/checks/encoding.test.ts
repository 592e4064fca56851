import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstInvalidByte, Utf8Watch } from '../../../quality/checks/encoding.ts';
import type { FaultType } from '../../../quality/faults.ts';
import { cut, inspectBytes, places } from '../inspect-bytes.ts';

/** Bytes that are often, and often almost, UTF-8. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }).map((text) => Buffer.from(text)),
      fc
        .constantFrom(
          [0xc3],
          [0xe2, 0x82],
          [0xf0, 0x9f, 0x98],
          [0xed, 0xa0, 0x80],
          [0xc0, 0xaf],
          [0xe0, 0x9f, 0xbf],
          [0xf0, 0x8f, 0xbf, 0xbf],
          [0xff],
          [0x80],
          [0xf4, 0x90, 0x80, 0x80],
        )
        .map((list) => Buffer.from(list)),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => Buffer.concat(pieces));

describe('Utf8Watch', () => {
  it("agrees with Node's own check, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (all, sizes) => {
          const watch = new Utf8Watch(isUtf8);
          let valid = true;
          for (const chunk of cut(all, sizes)) valid = watch.isValid(chunk) && valid;
          expect(valid && watch.complete()).toBe(isUtf8(all) && !all.includes(0));
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('firstInvalidByte', () => {
  it("agrees with Node's own check on whether there is one", () => {
    fc.assert(
      fc.property(bytes, (all) => {
        expect(firstInvalidByte(all, 0, all.length) < 0).toBe(isUtf8(all) && !all.includes(0));
      }),
      { numRuns: 5000 },
    );
  });

  it('gives the index of the byte, within the bounds', () => {
    expect(firstInvalidByte(Buffer.from([0xff, 0x61, 0xc3, 0xa9, 0xe9, 0x61]), 1, 6)).toBe(4);
  });
});

describe('bytes that are not text', () => {
  it('calls a file unreadable when most of its records are not UTF-8', () => {
    const file = Buffer.from('id,name\n1,é\n2,ñ\n', 'latin1');
    expect(inspectBytes(file).verdict).toBe('unreadable');
  });

  it('only fails a file with few records that are not UTF-8', () => {
    const file = Buffer.from('id,name\n1,é\n2,n\n3,n\n', 'latin1');
    expect(inspectBytes(file).verdict).toBe('failed');
  });

  it('only fails a file with half of its records not UTF-8', () => {
    expect(inspectBytes(Buffer.from('id,name\n1,é\n', 'latin1')).verdict).toBe('failed');
  });

  it('finds a character that the end of the file cuts off', () => {
    const file = Buffer.concat([Buffer.from('id,name\n1,b\n2,a'), Buffer.from([0xc3])]);
    expect(places(inspectBytes(file))).toStrictEqual(['encoding-error 3:2']);
  });
});

describe('text that was damaged before it was written', () => {
  it.each([
    ['a byte order mark', '\uFEFF', 'byte-order-mark'],
    ['U+FFFD', '\uFFFD', 'replacement-character'],
    ['é read as Windows-1252', 'Ã©', 'mojibake'],
    ['É read as Windows-1252', 'Ã‰', 'mojibake'],
    ['Š read as Windows-1252', 'ÃŠ', 'mojibake'],
    ['£ read as Windows-1252', 'Â£', 'mojibake'],
    ['a quotation mark read as Windows-1252', 'â€™', 'mojibake'],
  ])('%s is warned of with its count and first place, however the file is cut', (_, sign, kind) => {
    const file = `a,b\n1,x\n2,"y\n${sign}z"\n3,x${sign}${sign}x\n`;
    const byte = Buffer.from(file).indexOf(Buffer.from(sign));
    for (const size of [1, 2, 3, 5, 1000]) {
      const report = inspectBytes(file, {}, [size]);
      expect(report.faultCounts).toStrictEqual({ [kind]: 3 });
      expect(report.faults).toMatchObject([{ type: kind, record: 3, line: 4, byte }]);
      expect(report.verdict).toBe('warned');
    }
    const thresholds = { failOn: [kind as FaultType] };
    expect(inspectBytes(file, { expectation: { thresholds } }).verdict).toBe('failed');
  });

  it.each(['é', 'Ã', 'Âme', 'â', '€', 'IRMÃ', 'naïve', '，。', 'ﻯ', '₂', 'Ⴢ'])(
    '%s is not taken for it',
    (text) => {
      expect(inspectBytes(`a,b\n1,${text}\n`).verdict).toBe('passed');
    },
  );

  it('says nothing of the byte order mark that begins the file, and counts a second one', () => {
    expect(inspectBytes('\uFEFFa,b\n1,2\n').verdict).toBe('passed');
    const twice = inspectBytes('\uFEFF\uFEFFa,b\n1,2\n');
    expect(twice.faults).toMatchObject([{ type: 'byte-order-mark', record: 1, line: 1, byte: 3 }]);
  });
});
