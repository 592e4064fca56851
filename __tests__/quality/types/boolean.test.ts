import { describe, expect, it } from 'vitest';
import { booleanType } from '../../../quality/types/boolean.ts';

describe('booleanType', () => {
  const type = booleanType(['yes', 'ja'], ['no']);
  const read = (text: string): number => type.read(Buffer.from(text), 0, text.length);

  it('takes the given texts and no others', () => {
    expect(['yes', 'ja', 'no'].map(read)).toStrictEqual([1, 1, 0]);
    for (const text of ['Yes', 'ye', 'yess', 'true', '1']) expect(read(text)).toBeNaN();
  });
});
