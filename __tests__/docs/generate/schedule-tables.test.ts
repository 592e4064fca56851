import { describe, expect, test } from 'vitest';
import { dueTimes, SCHEDULE_EXAMPLES } from '../../../docs/generate/schedule-tables.ts';
import { readSchedule } from '../../../listener/src/schedule/schedule.ts';

describe('an example of a schedule', () => {
  test.each(SCHEDULE_EXAMPLES)('is one that a rule set may have: $says', ({ schedule }) => {
    const faults: string[] = [];
    readSchedule(schedule, new Map(), (path, message) => faults.push(`${path}: ${message}`));
    expect(faults).toEqual([]);
  });

  test.each(SCHEDULE_EXAMPLES)('shows due times: $says', ({ schedule, from, to }) => {
    expect(dueTimes(schedule, from, to).length).toBeGreaterThan(1);
  });
});

test('the examples have every part that a schedule can have, but for what names a file or a set', () => {
  const parts = new Set(SCHEDULE_EXAMPLES.flatMap(({ schedule }) => Object.keys(schedule)));
  expect([...parts].sort()).toEqual(
    ['cron', 'dated', 'due', 'early', 'every', 'grace', 'holidays', 'timeZone'].sort(),
  );
});
