import { describe, expect, it } from 'vitest';
import { houseText, importsOf, LIMITS, measureHouse } from '../../bench/house.ts';
import { ROOT } from '../support/run-main.ts';

const house = measureHouse(ROOT);

describe('the house', () => {
  it('has few files', () => {
    expect(house.files).toContain('listener/src/http/app.ts');
    expect(house.files.length).toBeLessThanOrEqual(LIMITS.files);
  });

  it('takes few files from the POST of a message to its commit', () => {
    expect(house.filesFromPostToCommit).toContain('listener/src/intake/accept-message.ts');
    expect(house.filesFromPostToCommit).toContain('listener/src/errors.ts');
    expect(house.filesFromPostToCommit.length, houseText(house)).toBeLessThanOrEqual(
      LIMITS.filesFromPostToCommit,
    );
  });

  it('has no room that outweighs the others', () => {
    expect(house.shares.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1);
    expect(house.shares.filter(([, share]) => share > LIMITS.shareOfARoom)).toStrictEqual([]);
  });

  it('prints its measures', () => {
    expect(houseText(house)).toMatch(/^\d+ TypeScript files in .*; at most 420$/m);
  });
});

describe('importsOf', () => {
  it('finds values by their path, and leaves types and packages out', () => {
    const source = [
      "import type { A } from './a.ts';",
      "import { type B, b } from '../other/b.ts';",
      "import {\n  c,\n  d,\n} from '@file-processing/contract/c.ts';",
      "import Koa from 'koa';",
      "import './effect.ts';",
      "export { e } from './e.ts';",
    ].join('\n');

    expect(importsOf('room/file.ts', source)).toEqual([
      'other/b.ts',
      'contract/c.ts',
      'room/effect.ts',
      'room/e.ts',
    ]);
  });
});
