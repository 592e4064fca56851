import { describe, expect, it } from 'vitest';
import { TextSet } from '../../quality/text-set.ts';

describe('TextSet', () => {
  it.each([3, 300])('finds each of %d texts and nothing else', (count) => {
    const texts = Array.from({ length: count }, (_, i) => `é${i}`);
    const set = new TextSet(texts);
    const has = (text: string) => set.has(Buffer.from(`<${text}>`), 1, 1 + Buffer.byteLength(text));
    expect(texts.every(has)).toBe(true);
    expect([has('é'), has(`é${count}`), has('')]).toEqual([false, false, false]);
  });
});
