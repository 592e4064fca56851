import { periodsDue } from '../../listener/src/schedule/periods.ts';
import type { Schedule } from '../../listener/src/schedule/schedule.ts';
import { wallText, wallTimeAt } from '../../listener/src/schedule/time-zone.ts';
import {
  PERIOD_STATES,
  type PeriodEvent,
  TRANSITIONS,
} from '../../listener/src/schedule/transitions.ts';
import { code, markdownTable } from './tables.ts';

/** A schedule, what it says, and the days whose due times show it. */
export interface ScheduleExample {
  readonly schedule: Schedule;
  readonly says: string;
  readonly from: string;
  readonly to: string;
}

const timeZone = 'America/Denver';
const days = ['2026-11-26', '2026-11-27'];

/** Every form that a schedule can have. */
export const SCHEDULE_EXAMPLES: readonly ScheduleExample[] = [
  {
    schedule: { cron: '0 17 5 * *', timeZone, grace: 'P3D' },
    says: 'on the 5th of each month at 17:00 in Denver; missing three days later',
    ...{ from: '2026-10-01', to: '2027-01-01' },
  },
  {
    schedule: { cron: '0 9 * * 1-5', grace: 'PT6H' },
    says: 'each day from Monday to Friday at 9:00 in UTC',
    ...{ from: '2026-11-05', to: '2026-11-11' },
  },
  {
    schedule: { cron: '0 12 L * *', timeZone },
    says: 'on the last day of each month; missing at once',
    ...{ from: '2026-10-01', to: '2027-01-01' },
  },
  {
    schedule: { every: 'P1M', due: 'P4DT17H', timeZone, grace: 'P3D', dated: true },
    says: "each month's data, at 17:00 on the fifth day after it; keys say the month",
    ...{ from: '2026-10-01', to: '2027-01-01' },
  },
  {
    schedule: { every: 'P1W', due: 'PT9H', timeZone, early: 'P1D' },
    says: 'each week from Monday to Sunday, on the next Monday at 9:00; deliveries count from a day before',
    ...{ from: '2026-11-01', to: '2026-11-20' },
  },
  {
    schedule: { cron: '0 9 26 * *', holidays: { on: 'next', days } },
    says: 'on the 26th; on a holiday or a weekend, on the next working day',
    ...{ from: '2026-10-01', to: '2027-01-01' },
  },
  {
    schedule: { cron: '0 9 * * *', holidays: { on: 'drop', days, weekend: ['sunday'] } },
    says: 'each day but on holidays and Sundays',
    ...{ from: '2026-11-25', to: '2026-12-01' },
  },
  {
    schedule: { cron: '30 2 * * *', timeZone },
    says: 'each day at 2:30, also on the day when clocks go from 2:00 to 3:00',
    ...{ from: '2027-03-13', to: '2027-03-16' },
  },
];

const EVENTS: Readonly<Record<PeriodEvent, string>> = {
  due: 'its due time comes',
  graceOver: 'its grace is over',
  verdict: 'a delivery has a verdict',
  otherVerdict: 'the verdict is another one than before',
};

/** The generated sections about schedules, by name. */
export function scheduleSections(): Record<string, string> {
  return {
    'examples of schedules': markdownTable(
      ['Schedule', 'Deliveries are due', 'Due times'],
      SCHEDULE_EXAMPLES.map(({ schedule, says, from, to }) => [
        code(JSON.stringify(schedule)),
        says,
        dueTimes(schedule, from, to).map(code).join(', '),
      ]),
    ),
    'states of a period': markdownTable(
      ['State', ...Object.values(EVENTS)],
      PERIOD_STATES.map((state) => [
        code(state),
        ...(Object.keys(EVENTS) as PeriodEvent[]).map((event) => {
          const to = TRANSITIONS[state][event];
          return to === undefined ? '' : code(to);
        }),
      ]),
    ),
  };
}

/** As clocks in its zone show them. */
export function dueTimes(schedule: Schedule, from: string, to: string): readonly string[] {
  return periodsDue(schedule, new Date(from), new Date(to)).map(({ dueAt }) =>
    wallText(wallTimeAt(dueAt.getTime(), schedule.timeZone ?? 'UTC')),
  );
}
