import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  periodAt,
  periodDueFrom,
  periodOfDelivery,
  periodsDue,
} from '../../../../listener/src/schedule/periods.ts';
import type { Schedule } from '../../../../listener/src/schedule/schedule.ts';
import { instantOf, wallText, wallTimeAt } from '../../../../listener/src/schedule/time-zone.ts';

const day = (text: string) => new Date(`${text}Z`);

/** Due times as clocks in the zone show them. */
const dues = (schedule: Schedule, from: string, to: string) =>
  periodsDue(schedule, day(from), day(to)).map(({ dueAt }) =>
    wallText(wallTimeAt(dueAt.getTime(), schedule.timeZone ?? 'UTC')),
  );

describe('due times', () => {
  test('of cron are those of the zone', () => {
    const schedule = { cron: '0 17 5 * *', timeZone: 'America/Denver' };
    expect(
      periodsDue(schedule, day('2026-07-01'), day('2026-12-01')).map((one) => one.dueAt),
    ).toEqual(
      [
        '2026-07-05T23:00',
        '2026-08-05T23:00',
        '2026-09-05T23:00',
        '2026-10-05T23:00',
        '2026-11-06T00:00',
      ].map(day),
    );
  });

  test('of months come so long after their end', () => {
    const schedule = { every: 'P1M', due: 'P4DT17H', timeZone: 'America/Denver' };
    expect(dues(schedule, '2026-01-01', '2026-04-01')).toEqual([
      '2026-01-05 17:00',
      '2026-02-05 17:00',
      '2026-03-05 17:00',
    ]);
  });

  test.each([
    ['P1D', '2026-11-10 00:00', '2026-11-09 00:00'],
    ['P1W', '2026-11-16 00:00', '2026-11-09 00:00'],
    ['P1M', '2026-12-01 00:00', '2026-11-01 00:00'],
    ['P3M', '2027-01-01 00:00', '2026-10-01 00:00'],
    ['P6M', '2027-01-01 00:00', '2026-07-01 00:00'],
    ['P1Y', '2027-01-01 00:00', '2026-01-01 00:00'],
  ])('of %s are the ends of calendar periods', (every, end, start) => {
    const period = periodDueFrom({ every }, day('2026-11-09T01:00'));
    expect([period?.end, period?.start].map((time) => wallText(time?.getTime() ?? 0))).toEqual([
      end,
      start,
    ]);
  });

  test.each([
    ['P1D', '2026-11-08'],
    ['P1W', '2026-11-02/P1W'],
    ['P1M', '2026-10'],
    ['P3M', '2026-Q3'],
    ['P6M', '2026-H1'],
    ['P1Y', '2025'],
  ])('of %s are named by their period', (every, name) => {
    const [period] = periodsDue(
      { every, due: 'PT1M' },
      day('2026-01-01'),
      day('2026-11-09T01:00'),
    ).slice(-1);
    expect(period?.name).toBe(name);
  });

  test('of cron are named by what clocks in the zone show then', () => {
    const schedule = { cron: '0 17 5 * *', timeZone: 'America/Denver' };
    expect(periodDueFrom(schedule, day('2026-11-01'))?.name).toBe('2026-11-05 17:00');
  });

  test('that the clock skips count at the next time that it shows', () => {
    const schedule = { cron: '30 2 * * *', timeZone: 'America/Denver' };
    expect(dues(schedule, '2027-03-13T12:00', '2027-03-16T00:00')).toEqual([
      '2027-03-14 03:00',
      '2027-03-15 02:30',
    ]);
  });

  test('that the clock skips are one with those that it goes on with', () => {
    const schedule = { cron: '0,30 2,3 * * *', timeZone: 'America/Denver' };
    expect(dues(schedule, '2027-03-14T07:00', '2027-03-15T00:00')).toEqual([
      '2027-03-14 03:00',
      '2027-03-14 03:30',
    ]);
  });

  test('that the clock shows twice count once, at the first', () => {
    const schedule = { cron: '30 1 * * *', timeZone: 'America/Denver' };
    const [only, ...others] = periodsDue(schedule, day('2026-11-01'), day('2026-11-02'));
    expect(only?.dueAt).toEqual(day('2026-11-01T07:30'));
    expect(others).toEqual([]);
  });

  test.each([
    ['0 0 L * *', ['2026-01-31 00:00', '2026-02-28 00:00']],
    ['0 0 * * 1#2', ['2026-01-12 00:00', '2026-02-09 00:00']],
    ['0 0 30 * 5L', ['2026-01-30 00:00', '2026-02-27 00:00']],
    ['0 8,16 1 jan *', ['2026-01-01 08:00', '2026-01-01 16:00']],
  ])('of cron are days as its fields have them: %s', (cron, shown) => {
    expect(dues({ cron }, '2026-01-01', '2026-03-01')).toEqual(shown);
  });

  test('on the 31st are in months that have one', () => {
    expect(dues({ cron: '0 0 31 * *' }, '2026-01-01', '2026-07-01')).toEqual([
      '2026-01-31 00:00',
      '2026-03-31 00:00',
      '2026-05-31 00:00',
    ]);
  });
});

describe('holidays', () => {
  const days = ['2026-11-26', '2026-11-27'];

  test('move a due time to the next working day, over weekends', () => {
    const schedule = { cron: '0 9 26 * *', holidays: { on: 'next', days } } as const;
    expect(dues(schedule, '2026-11-01', '2026-12-31')).toEqual([
      '2026-11-30 09:00',
      // The 26th of December is a Saturday.
      '2026-12-28 09:00',
    ]);
  });

  test('drop a due time', () => {
    const schedule = { cron: '0 9 26 * *', holidays: { on: 'drop', days } } as const;
    expect(dues(schedule, '2026-10-01', '2026-12-31')).toEqual(['2026-10-26 09:00']);
  });

  test('leave due times on weekends where no day of the week is free', () => {
    const schedule = { cron: '0 9 26 * *', holidays: { on: 'next', days, weekend: [] } } as const;
    expect(dues(schedule, '2026-11-01', '2026-12-31')).toEqual([
      '2026-11-28 09:00',
      '2026-12-26 09:00',
    ]);
  });

  test('put periods together that are due on one day then', () => {
    const schedule = { every: 'P1D', due: 'PT9H', holidays: { on: 'next', days: [] } } as const;
    const [monday] = periodsDue(schedule, day('2026-11-09'), day('2026-11-10'));
    // Of Friday, Saturday and Sunday.
    expect([monday?.start, monday?.end]).toEqual([
      day('2026-11-06T00:00'),
      day('2026-11-09T00:00'),
    ]);
  });

  test('are days of the zone', () => {
    const holidays = { on: 'drop', days: ['2026-11-26'] } as const;
    const schedule = { cron: '0 20 * * *', timeZone: 'America/Denver', holidays };
    expect(dues(schedule, '2026-11-25T12:00', '2026-11-28T12:00')).toEqual([
      '2026-11-25 20:00',
      '2026-11-27 20:00',
    ]);
  });

  test('of which there is no end make nothing due', () => {
    const all = Array.from({ length: 400 }, (_, index) =>
      new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10),
    );
    const schedule = { cron: '0 9 1 3 *', holidays: { on: 'next', days: all } } as const;
    expect(dues(schedule, '2026-01-01', '2026-12-31')).toEqual([]);
  });
});

describe('grace', () => {
  test('of days is by the calendar, of hours by the clock', () => {
    // The clock is put back in between.
    const schedule = { cron: '0 12 31 10 *', timeZone: 'America/Denver' };
    const missing = (grace: string) =>
      periodDueFrom({ ...schedule, grace }, day('2026-10-01'))?.missingAt;
    expect(missing('P1D')).toEqual(day('2026-11-01T19:00'));
    expect(missing('PT24H')).toEqual(day('2026-11-01T18:00'));
  });

  test('is none where nobody says', () => {
    const period = periodDueFrom({ cron: '0 12 * * *' }, day('2026-10-01'));
    expect(period?.missingAt).toEqual(period?.dueAt);
  });
});

describe('the period of a delivery', () => {
  const monthly = { cron: '0 12 5 * *' };
  const dueOf = (schedule: Schedule, time: string) => periodAt(schedule, day(time))?.dueAt;

  test.each([
    ['early', '2026-10-28T00:00', '2026-11-05T12:00'],
    ['in time', '2026-11-05T11:59', '2026-11-05T12:00'],
    ['late', '2026-11-15T00:00', '2026-11-05T12:00'],
    ['nearer to the next', '2026-11-25T00:00', '2026-12-05T12:00'],
  ])('that is %s is that of the nearest due time', (_name, delivered, due) => {
    expect(dueOf(monthly, delivered)).toEqual(day(due));
  });

  test.each([
    ['2026-12-03T11:59', '2026-11-05T12:00'],
    ['2026-12-03T12:00', '2026-12-05T12:00'],
  ])('begins as early as the schedule says: %s', (delivered, due) => {
    expect(dueOf({ ...monthly, early: 'P2D' }, delivered)).toEqual(day(due));
  });

  test('never begins before the previous due time is past', () => {
    const daily = { cron: '0 12 * * *', early: 'P3D' };
    expect(dueOf(daily, '2026-11-05T12:00')).toEqual(day('2026-11-05T12:00'));
    expect(dueOf(daily, '2026-11-05T12:01')).toEqual(day('2026-11-06T12:00'));
  });
});

describe('the period of a dated delivery', () => {
  const deliveredAt = day('2026-12-24T00:00');
  const nameOf = (schedule: Schedule, key: string) =>
    periodOfDelivery({ ...schedule, dated: true }, { key, deliveredAt })?.name;

  test.each([
    ['in/visits_2026-11-03.csv', '2026-11-03'],
    ['in/visits_20261103.csv', '2026-11-03'],
    ['2026/11/visits.2026.11.03.csv', '2026-11-03'],
    ['2026-10-01/visits_2026-11-03_v2.csv', '2026-11-03'],
    ['in/visits_2026-11.csv', '2026-11-01'],
    ['in/2026-11-03/visits_2026-02-30.csv', '2026-11-03'],
  ])('is that of the last day in its key: %s', (key, name) => {
    expect(nameOf({ every: 'P1D' }, key)).toBe(name);
  });

  test.each(['in/visits.csv', 'in/visits_120261103.csv', 'in/visits_2026-1103.csv'])(
    'is that of its time where its key has no day: %s',
    (key) => {
      expect(nameOf({ every: 'P1D', early: 'PT0M' }, key)).toBe('2026-12-23');
    },
  );

  test.each([
    [{ every: 'P1M', due: 'P40D' }, '2026-11'],
    [{ every: 'P1W' }, '2026-11-02/P1W'],
    [{ cron: '0 12 * * *' }, '2026-11-03 12:00'],
    [{ cron: '0 17 5 * *', timeZone: 'America/Denver' }, '2026-11-05 17:00'],
  ])('of %j has the day, or is the first that is due from then on', (schedule, name) => {
    expect(nameOf(schedule, 'in/visits_2026-11-03.csv')).toBe(name);
  });

  test('is none where a holiday has dropped it', () => {
    const holidays = { on: 'drop', days: ['2026-11-04'] } as const;
    expect(nameOf({ every: 'P1D', holidays }, 'in/visits_2026-11-03.csv')).toBeUndefined();
  });
});

const ZONES = ['America/Denver', 'Europe/London', 'Australia/Lord_Howe'];

/** Of days, weeks, months; with times that clocks skip and show twice. */
const anySchedule = fc.oneof(
  fc
    .record({
      minute: fc.constantFrom('0', '30', '0,30'),
      hour: fc.constantFrom('0', '1', '2', '1-3', '12', '23'),
      date: fc.constantFrom('*', '1', '28', '31'),
      weekday: fc.constantFrom('*', '*', '1-5', '0'),
    })
    .map(({ minute, hour, date, weekday }) => ({ cron: `${minute} ${hour} ${date} * ${weekday}` })),
  fc.record({
    every: fc.constantFrom('P1D', 'P1W', 'P1M', 'P3M'),
    due: fc.constantFrom('PT0M', 'PT2H30M', 'P4DT17H'),
  }),
);

const anyParticulars = fc.record(
  {
    timeZone: fc.constantFrom(...ZONES),
    early: fc.constantFrom('PT6H', 'P2D'),
    grace: fc.constantFrom('PT6H', 'P3D'),
    holidays: fc.record({
      on: fc.constantFrom('next' as const, 'drop' as const),
      days: fc.constantFrom([], ['2026-11-26', '2026-11-27', '2026-12-25', '2027-03-14']),
    }),
  },
  { requiredKeys: ['timeZone'] },
);

describe('over two years in three zones', () => {
  const [from, to] = [day('2026-01-01'), day('2028-01-01')];
  const schedules = fc
    .tuple(anySchedule, anyParticulars)
    .map(([when, particulars]) => ({ ...when, ...particulars }) as Schedule);
  const inAll = (holds: (schedule: Schedule) => void) =>
    fc.assert(fc.property(schedules, holds), { numRuns: 60 });

  test('periods follow each other without a gap, and each has its due time within', () => {
    inAll((schedule) => {
      const periods = periodsDue(schedule, from, to);
      for (const [index, { opensAt, closesAt, dueAt, missingAt }] of periods.entries()) {
        expect(opensAt.getTime()).toBeLessThanOrEqual(dueAt.getTime());
        expect(dueAt.getTime()).toBeLessThan(closesAt.getTime());
        expect(missingAt.getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
        const next = periods[index + 1];
        if (next !== undefined) expect(next.opensAt).toEqual(closesAt);
      }
    });
  });

  test('are the same in parts as in the whole', () => {
    inAll((schedule) => {
      const middle = day('2026-11-01T08:15');
      const parts = [...periodsDue(schedule, from, middle), ...periodsDue(schedule, middle, to)];
      expect(parts).toEqual(periodsDue(schedule, from, to));
    });
  });

  test('a delivery at any time is of the period whose it is', () => {
    const times = fc.date({ min: day('2026-02-01'), max: day('2027-12-01'), noInvalidDate: true });
    fc.assert(
      fc.property(schedules, times, (schedule, time) => {
        const periods = periodsDue(schedule, from, to);
        const own = periods.filter(({ opensAt, closesAt }) => opensAt <= time && time < closesAt);
        fc.pre(own.length > 0);
        expect(own).toEqual([periodAt(schedule, time)]);
      }),
      { numRuns: 60 },
    );
  });

  test.each(ZONES)('a daily time is due once on each day in %s', (timeZone) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 95 }), (quarter) => {
        const cron = `${(quarter % 4) * 15} ${Math.floor(quarter / 4)} * * *`;
        const shown = dues({ cron, timeZone }, '2026-01-02', '2027-12-30');
        const days = new Set(shown.map((time) => time.slice(0, 10)));
        expect(shown.length).toBe(days.size);
        expect(days.size).toBeGreaterThanOrEqual(726);
      }),
      { numRuns: 30 },
    );
  });

  test('the clock of a zone shows what an instant was made of, or the next that it shows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: from.getTime() / 900_000, max: to.getTime() / 900_000 }),
        (timeZone, quarters) => {
          const wall = quarters * 900_000;
          const instant = instantOf(wall, timeZone);
          const shown = wallTimeAt(instant, timeZone);
          expect(shown).toBeGreaterThanOrEqual(wall);
          // Before it, the clock shows less, or shows it for the first time.
          expect(wallTimeAt(instant - 1, timeZone)).toBeLessThan(wall);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
