import { describe, expect, it } from 'vitest';
import { importsOf, LIMITS, measureProportions, proportionsText } from '../../bench/proportions.ts';
import { ROOT } from '../support/run-main.ts';

const proportions = measureProportions(ROOT);

describe('the house', () => {
  it('are few files', () => {
    expect(proportions.files).toContain('listener/src/http/app.ts');
    expect(proportions.files.length).toBeLessThanOrEqual(LIMITS.files);
  });

  it('are few files from the POST of a message to its commit', () => {
    expect(proportions.filesFromPostToCommit).toContain('listener/src/intake/accept-message.ts');
    expect(proportions.filesFromPostToCommit).toContain('listener/src/errors.ts');
    expect(
      proportions.filesFromPostToCommit.length,
      proportionsText(proportions),
    ).toBeLessThanOrEqual(LIMITS.filesFromPostToCommit);
  });

  it('are rooms none of which outweighs the others', () => {
    expect(proportions.shares.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1);
    expect(proportions.shares.filter(([, share]) => share > LIMITS.shareOfARoom)).toStrictEqual([]);
  });

  it('are printed with their limits', () => {
    expect(proportionsText(proportions)).toMatch(/^\d+ TypeScript files in .*; at most 650$/m);
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
