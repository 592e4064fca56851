import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';

test('the help tells commands and exit codes', async () => {
  const { code, out } = await cli(['--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/serve[\s\S]*migrate[\s\S]*seed[\s\S]*run[\s\S]*validate[\s\S]*Exit codes/);
});

test.each([
  ['no command', []],
  ['an unknown command', ['frobnicate']],
  ['an unknown option', ['validate', 'a.csv', '--fast']],
  ['a missing operand', ['validate']],
  ['an unknown role', ['serve', '--role', 'boss']],
  ['a limit that is not a number', ['runs', 'list', '--limit', 'all']],
  ['an unknown verdict', ['runs', 'list', '--verdict', 'good']],
])('%s is a fault of usage', async (_, parameters) => {
  const { code, err } = await cli(parameters);
  expect(code).toBe(2);
  expect(err).not.toBe('');
});

test.each([
  [['runs', 'list']],
  [['runs', 'rejudge', '--unmonitored', '--reason', 'x']],
  [['runs', 'retry', '--status', 'error', '--reason', 'x']],
  [['history', '1']],
  [['dead', 'list']],
  [['dead', 'discard', '--all', '--reason', 'x']],
  [['backfill']],
])('%j refuses times between which nothing can be', async (parameters) => {
  const range = ['--since', '2026-11-02', '--until', '2026-11-01'];
  const { code, err } = await cli([...parameters, ...range]);
  expect([code, err]).toEqual([
    2,
    '--until is 2026-11-01T00:00:00.000Z; it must be later than --since, 2026-11-02T00:00:00.000Z\n',
  ]);
});
