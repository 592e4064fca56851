import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  areApart,
  compareSpecificity,
  isKeyPattern,
  keyExpression,
  matchesKey,
} from '../../../../listener/src/database/key-pattern.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase('empty');
});
afterAll(() => given.drop());

/** What the database says, by the expression. */
async function fits(pattern: string, key: string): Promise<boolean> {
  const { rows } = await given.database.raw('SELECT ?::text ~ ? AS fits', [
    key,
    keyExpression(pattern),
  ]);
  return rows[0].fits;
}

test.each([
  ['from_client/nm/**/Officer_Detail.csv', 'from_client/nm/Officer_Detail.csv'],
  ['from_client/nm/**/Officer_Detail.csv', 'from_client/nm/2026/11/Officer_Detail.csv'],
  ['**', 'a/b/c'],
  ['**/c', 'a/b/c'],
  ['a/**', 'a/b/c'],
  ['a/**/b/**/c', 'a/x/b/b/y/c'],
  ['a/*.csv', 'a/.csv'],
  ['a/*_*.csv', 'a/x_y_z.csv'],
  ['a/?.csv', 'a/ä.csv'],
  ['a/[1].csv', 'a/[1].csv'],
  ['a/x+(1).csv', 'a/x+(1).csv'],
  ['a/**', 'a'],
  ['a/**/**', 'a'],
  ['a/**/**/c', 'a/c'],
  ['**/**', 'a'],
  ['a/*/c', 'a//c'],
  ['a/*', 'a/b\nc'],
  ['a/**', 'a/b\nc/d'],
  [String.raw`a/\d{1}$^|`, String.raw`a/\d{1}$^|`],
])('%s fits %s, to the database too', async (pattern, key) => {
  expect(matchesKey(pattern, key)).toBe(true);
  expect(await fits(pattern, key)).toBe(true);
});

test.each([
  ['from_client/nm/**/Officer_Detail.csv', 'from_client/nm/Officer_Detail.csv.bak'],
  ['from_client/nm/**/Officer_Detail.csv', 'from_client/nm_2/Officer_Detail.csv'],
  ['from_client/nm/**/Officer_Detail.csv', 'from_client/nm/xOfficer_Detail.csv'],
  ['a/*.csv', 'a/b/c.csv'],
  ['a/?.csv', 'a/.csv'],
  ['a/**/b/**/c', 'a/x/c'],
  ['a.csv', 'aXcsv'],
  ['A.csv', 'a.csv'],
  ['a/**', 'ab'],
  ['a/**', 'x/a/b'],
  ['**/c', 'bc'],
  ['a/b', 'a/b\n'],
])('%s does not fit %s, to the database neither', async (pattern, key) => {
  expect(matchesKey(pattern, key)).toBe(false);
  expect(await fits(pattern, key)).toBe(false);
});

test('a hostile key costs no more than its length times that of the pattern', () => {
  const pattern = `${'*a'.repeat(200)}b`;
  expect(matchesKey(pattern, 'a'.repeat(1024))).toBe(false);
  expect(matchesKey(`${'**/a/'.repeat(100)}b`, 'a/'.repeat(512))).toBe(false);
});

test('the more specific pattern comes first, in any order of input', () => {
  const order = [
    'a/b/c.csv',
    'a/b/long_name_*.csv',
    // As specific as the next one: the text decides.
    'a/*/c.csv',
    'a/b/*.csv',
    'a/**/c.csv',
    'a/**',
    '**',
  ];
  expect(order.toReversed().sort(compareSpecificity)).toEqual(order);
});

test.each(['', 'a/**b', 'x'.repeat(1025), 'ä'.repeat(513)])(
  'a text that is not a pattern',
  (text) => {
    expect(isKeyPattern(text)).toBe(false);
  },
);

test.each([
  ['in/a/**', 'in/b/**', true],
  ['in/a/**', 'in/a/b/*.csv', false],
  ['in/a/**', 'in/a', false],
  ['in/a*', 'in/ab/**', false],
  ['**/c', 'in/a', false],
])('%s and %s are apart: %s', (a, b, apart) => {
  expect([areApart(a, b), areApart(b, a)]).toEqual([apart, apart]);
});

test('no key fits two patterns that are apart', () => {
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '?', 'a*', 'ab', '**'), { minLength: 1, maxLength: 4 })
    .map((segments) => segments.join('/'));
  const key = fc
    .array(fc.constantFrom('a', 'b', 'ab', ''), { minLength: 1, maxLength: 4 })
    .map((segments) => segments.join('/'));
  fc.assert(
    fc.property(pattern, pattern, key, (one, other, name) => {
      if (areApart(one, other))
        expect(matchesKey(one, name) && matchesKey(other, name)).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});
