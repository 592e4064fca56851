import { describe, expect, it } from 'vitest';
import {
  countCharacters,
  decodeText,
  encodeText,
  equalsBytes,
  reportText,
  TextSet,
  withCommas,
} from '../../quality/text.ts';

describe('encodeText and decodeText', () => {
  it('keep a text with a byte order mark, and show what is not UTF-8', () => {
    for (const text of ['', 'short', 'long enough', '\ufeffé😀']) {
      const bytes = encodeText(text);
      expect(decodeText(bytes, 0, bytes.length)).toBe(text);
    }
    expect(decodeText(Uint8Array.of(0x61, 0xff, 0x62), 0, 2)).toBe('a\ufffd');
  });
});

describe('equalsBytes', () => {
  it('compares within the bounds', () => {
    const bytes = Buffer.from('xaby');
    expect(equalsBytes(bytes, 1, 3, Buffer.from('ab'))).toBe(true);
    expect(equalsBytes(bytes, 1, 3, Buffer.from('abc'))).toBe(false);
    expect(equalsBytes(bytes, 1, 3, Buffer.from('ac'))).toBe(false);
  });
});

describe('TextSet', () => {
  it.each([3, 300])('finds each of %d texts and nothing else', (count) => {
    const texts = Array.from({ length: count }, (_, i) => `é${i}`);
    const set = new TextSet(texts);
    const has = (text: string) => set.has(Buffer.from(`<${text}>`), 1, 1 + Buffer.byteLength(text));
    expect(texts.every(has)).toBe(true);
    expect([has('é'), has(`é${count}`), has('')]).toStrictEqual([false, false, false]);
  });
});

describe('countCharacters', () => {
  it('counts code points, not bytes or UTF-16 units', () => {
    const text = Buffer.from('aé€😀');
    expect(countCharacters(text, 0, text.length)).toBe(4);
  });
});

describe('reportText', () => {
  it('keeps a text of the limit and cuts a longer one by whole characters', () => {
    expect(reportText(Buffer.from('😀😀'), 0, 8, 2)).toBe('😀😀');
    expect(reportText(Buffer.from('😀😀é'), 0, 10, 2)).toBe('😀😀…');
  });
});

describe('withCommas', () => {
  it('puts a comma before every three digits from the end', () => {
    expect([0, 999, 1_000, 45_678, 1_234_567].map(withCommas)).toStrictEqual([
      '0',
      '999',
      '1,000',
      '45,678',
      '1,234,567',
    ]);
  });
});
