import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstInvalidByte, SignWatch, Utf8Watch } from '../../../quality/checks/encoding.ts';
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
  it.each<[string, Buffer, string, string]>([
    ['latin1', Buffer.from('José Muñoz', 'latin1'), 'é', 'Windows-1252'],
    ['Polish', Buffer.from('Pawe\xb3 \xaf\xf3\xb3\xe6', 'latin1'), 'ł', 'Windows-1250'],
    ['Czech', Buffer.from('Dvo\xf8\xe1k \x8akoda', 'latin1'), 'ř', 'Windows-1250'],
    ['Cyrillic', Buffer.from('\xcf\xe5\xf2\xf0\xee\xe2', 'latin1'), 'П', 'Windows-1251'],
    ['Macs', Buffer.from('Jos\x8e Mu\x96oz', 'latin1'), 'é', 'Mac Roman'],
    ['DOS', Buffer.from('Jos\x82 Mu\xa4oz', 'latin1'), 'é', 'code page 850 of DOS'],
    ['Turkish', Buffer.from('\xdeahin \xc7a\xf0lar', 'latin1'), 'Ş', 'Windows-1254'],
    ['Greek', Buffer.from('\xc1\xe8\xde\xed\xe1', 'latin1'), 'Α', 'Windows-1253'],
    [
      'Cyrillic of DOS',
      Buffer.from('\x8f\xa5\xe2\xe0\xae\xa2', 'latin1'),
      'П',
      'code page 866 of DOS',
    ],
    ['Cyrillic of Unix', Buffer.from('\xf0\xc5\xd4\xd2\xcf\xd7', 'latin1'), 'П', 'KOI8-R'],
  ])('fails a file of %s in each record, and says what it probably is', (_, text, letter, name) => {
    const rows = Array.from({ length: 40 }, (_row, id) => [Buffer.from(`\n${id},`), text]).flat();
    const file = Buffer.concat([Buffer.from('id,name'), ...rows]);
    const report = inspectBytes(file);
    expect(report).toMatchObject({ verdict: 'failed', faultCounts: { 'encoding-error': 40 } });
    expect(report.faults[0]?.message).toContain(`In ${name} it would be ${letter} `);
    const kind = name === 'Windows-1252' ? 'windows-1252' : 'other-encoding';
    const sentence = `The text is not UTF-8 but probably ${name}.`;
    expect(report.diagnoses).toMatchObject([{ kind, sentence, faults: 40 }]);
    expect(inspectBytes(file, {}, [1, 7])).toStrictEqual(report);
  });

  it('says what a byte probably is among characters of UTF-8', () => {
    const file = Buffer.concat([
      Buffer.from('id,name\n1,José Mu'),
      Buffer.from([0xf1]),
      Buffer.from('oz\n'),
    ]);
    expect(inspectBytes(file).faults[0]?.message).toContain('In Windows-1252 it would be ñ ');
  });

  it('names no encoding where none makes letters of the bytes', () => {
    const file = Buffer.from('id,name\n1,\x8eR\x93c\x91\xbe\x98Y\n', 'latin1');
    const { diagnoses, faults } = inspectBytes(file);
    expect(diagnoses).toStrictEqual([]);
    expect(faults[0]?.message).toBe('Byte 0x8E is not UTF-8 where it stands.');
  });

  it('calls a file unreadable when most of its records hold control characters beside them', () => {
    const file = Buffer.from('id,name\n\x02\xe9\x07,a\n\x10\xf1,b\n', 'latin1');
    expect(inspectBytes(file).verdict).toBe('unreadable');
  });

  it('only fails a file with half of its records such', () => {
    expect(inspectBytes(Buffer.from('id,name\n\x02\xe9\x07,a\n', 'latin1')).verdict).toBe('failed');
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
    ['€ read as Windows-1252', 'â‚¬', 'mojibake'],
    ['ł read as Windows-1252', 'Å‚', 'mojibake'],
    ['ć read as Windows-1252', 'Ä‡', 'mojibake'],
    ['ł read as Windows-1250', 'Ĺ‚', 'mojibake'],
    ['ệ read as Windows-1252', 'á»‡', 'mojibake'],
    ['a quotation mark read as Mac Roman', '‚Äô', 'mojibake'],
    ['a bullet read as Mac Roman', '‚Ä¢', 'mojibake'],
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

  it.each([
    ...['é', 'Ã', 'Âme', 'â', '€', 'IRMÃ', 'naïve', '，。', 'ﻯ', '₂', 'Ⴢ'],
    ...['IRMÃ\u00a0MARIA', 'MAÇÔ', 'NESTLÉ®', '«CAFÉ»', '«SMÅ»', 'CASĂ»', '„BLAГ', 'KOŃ»'],
    ...['25 Å²', '± 0.2 Å', '2×½×¾', 'Ø½×½×½', '220В±5%', 'n√2', 'Ä–Ö–Ü', '‚Ära‘', 'été…»', 'á»…'],
    ...['ТОВ «ІРІС»', 'СССР»', 'QĐ–BGDĐT', '»VÝŠÍ«', 'Привет — «да»', 'Αθήνα «ναι»', 'Łódź „tak”'],
    ...['dir├── main', '┌─┬─┐'],
  ])('%s is not taken for it', (text) => {
    expect(inspectBytes(`a,b\n1,${text}\n`).verdict).toBe('passed');
  });

  it.each<[string, string, string]>([
    ['windows-1252', 'Cyrillic', 'Иван'],
    ['windows-1252', 'Cyrillic in capitals', 'ИВАНОВ'],
    ['windows-1252', 'Greek', 'Αθήνα'],
    ['windows-1252', 'Polish', 'Żaneta siostrą'],
    ['windows-1252', 'Czech', 'Dvořák'],
    ['windows-1252', 'Hungarian', 'Győr'],
    ['windows-1252', 'Turkish', 'İstanbul'],
    ['windows-1252', 'Arabic', 'مرحبا'],
    ['windows-1252', 'Hebrew', 'שלום'],
    ['windows-1252', 'Japanese', '日本'],
    ['windows-1252', 'names with accents', 'JOSÉ Gómez'],
    ['windows-1250', 'Polish', 'Łukasz'],
    ['windows-1250', 'Cyrillic', 'Иван'],
    ['windows-1250', 'Hungarian', 'Győr'],
    ['windows-1251', 'Cyrillic', 'Мария'],
    ['windows-1251', 'a quotation mark', 'it’s'],
    ['macintosh', 'Spanish', 'Muñoz Pérez'],
  ])('UTF-8 read as %s is known of %s, and the same however it is cut', (encoding, _, text) => {
    const read = new TextDecoder(encoding).decode(Buffer.from(text));
    const file = `a,b\n1,x\n2,"${read}"\n3,x ${read}\n`;
    const whole = inspectBytes(file);
    expect(whole.faultCounts.mojibake).toBeGreaterThan(1);
    expect(whole.faults).toMatchObject([{ type: 'mojibake', record: 3, line: 3 }]);
    for (const size of [1, 2, 3, 5, 7, 19]) {
      expect(inspectBytes(file, {}, [size])).toStrictEqual(whole);
    }
  });

  it.each(['â‚¬', '‚Äô', '‚Ä¢', '‚Ç¨', 'á»‡', 'á»‡n', 'áº¿', 'Ð˜Ð²', 'æ—¥æœ¬', 'PÃ©'])(
    'counts %s as often where a chunk ends in it',
    (text) => {
      const bytes = Buffer.from(`${'a long row, '.repeat(5)}${text}${', and more'.repeat(5)}`);
      const countOf = (at: number) => {
        const watch = new SignWatch();
        watch.watch(bytes.subarray(0, at), 0);
        watch.watch(bytes.subarray(at), at);
        return watch.signs.at(-1)?.count;
      };
      const counts = Array.from(bytes, (_, at) => countOf(at));
      expect([...new Set(counts)]).toHaveLength(1);
    },
  );

  it.each([
    ['Windows-1252 twice', 'PaweÃ…â€š'],
    ['code page 850', 'Jos├®'],
  ])('knows UTF-8 that was read as %s', (_, text) => {
    expect(inspectBytes(`a,b\n1,${text}\n`).faultCounts).toHaveProperty('mojibake');
  });

  it('says nothing of the byte order mark that begins the file, and counts a second one', () => {
    expect(inspectBytes('\uFEFFa,b\n1,2\n').verdict).toBe('passed');
    const twice = inspectBytes('\uFEFF\uFEFFa,b\n1,2\n');
    expect(twice.faults).toMatchObject([{ type: 'byte-order-mark', record: 1, line: 1, byte: 3 }]);
  });
});
