import { expect, test } from 'vitest';
import { placesOfSamples, scheduleOfDays } from '../../../../listener/src/rules/sample-names.ts';

test.each([
  [['members.csv'], '**/members.csv', 'members'],
  [['visits_2026-01-05.csv'], '**/visits_*.csv', 'visits_'.concat('_')],
  [['a_1.csv', 'a_22.csv'], '**/a_*.csv', 'a__'],
  [['north_a.csv', 'south_a.csv'], '**/*th_a.csv', '_th_a'],
  [['x.csv', 'y.txt'], '**/*', '_'],
])('%j arrive as %s', (names, keyPattern, stem) => {
  expect(placesOfSamples(names)).toMatchObject({ keyPattern, stem });
});

test.each([
  [['a_20260105.csv', 'a_20260106.csv', 'a_20260107.csv'], '0 12 * * *'],
  [['a_2026-01-05.csv', 'a_2026-01-19.csv', 'a_2026-01-12.csv'], '0 12 * * 1'],
  [['a_2025-12-03.csv', 'a_2026-01-03.csv', 'a_2026-02-03.csv'], '0 12 3 * *'],
  [['a_2026-01-05.csv', 'a_2026-01-12.csv'], undefined],
  [['a_2026-01-05.csv', 'a_2026-01-12.csv', 'a_2026-01-20.csv'], undefined],
  [['a_2026-01-05.csv', 'b.csv', 'a_2026-01-12.csv'], undefined],
  [['a_20269999.csv', 'a_20261999.csv', 'a_20260105.csv'], undefined],
])('days in the names %j show %s', (names, cron) => {
  expect(scheduleOfDays(names)?.cron).toBe(cron);
});
