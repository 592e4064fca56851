import { describe, expect, test } from 'vitest';
import {
  PERIOD_STATES,
  type PeriodEvent,
  type PeriodState,
  type SetFile,
  stepsOfSet,
  stepsOfTime,
  stepsOfVerdict,
  TRANSITIONS,
} from '../../../../listener/src/schedule/transitions.ts';

const at = (time: string) => new Date(`2026-11-05T${time}:00Z`);
const period = { dueAt: at('12:00'), missingAt: at('18:00') };

const EVENTS: readonly PeriodEvent[] = ['due', 'graceOver', 'verdict', 'otherVerdict'];

/** Every state and event, with what comes of it; a dash is not a change. */
const ROWS: readonly (readonly [PeriodState, PeriodEvent, PeriodState | '-'])[] = [
  ['expected', 'due', 'late'],
  ['expected', 'graceOver', 'missing'],
  ['expected', 'verdict', 'received'],
  ['expected', 'otherVerdict', '-'],
  ['late', 'due', '-'],
  ['late', 'graceOver', 'missing'],
  ['late', 'verdict', 'received'],
  ['late', 'otherVerdict', '-'],
  ['missing', 'due', '-'],
  ['missing', 'graceOver', '-'],
  ['missing', 'verdict', 'recovered'],
  ['missing', 'otherVerdict', '-'],
  ['received', 'due', '-'],
  ['received', 'graceOver', '-'],
  ['received', 'verdict', '-'],
  ['received', 'otherVerdict', 'corrected'],
  ['recovered', 'due', '-'],
  ['recovered', 'graceOver', '-'],
  ['recovered', 'verdict', '-'],
  ['recovered', 'otherVerdict', 'corrected'],
  ['corrected', 'due', '-'],
  ['corrected', 'graceOver', '-'],
  ['corrected', 'verdict', '-'],
  ['corrected', 'otherVerdict', 'corrected'],
];

describe('the table of transitions', () => {
  test.each(ROWS)('%s, %s: %s', (state, event, to) => {
    expect(TRANSITIONS[state][event] ?? '-').toBe(to);
  });

  test('has a row here for each state and event', () => {
    const pairs = PERIOD_STATES.flatMap((state) => EVENTS.map((event) => `${state} ${event}`));
    expect(ROWS.map(([state, event]) => `${state} ${event}`).sort()).toEqual(pairs.sort());
  });
});

const stateAfter = (steps: readonly { readonly state: PeriodState }[]) =>
  steps.map(({ state }) => state);

describe('the passing of time', () => {
  const expected = { state: 'expected', verdict: null } as const;

  test('does nothing before the due time', () => {
    expect(stepsOfTime(expected, period, at('11:59'))).toEqual([]);
  });

  test('makes a delivery late at its due time', () => {
    expect(stepsOfTime(expected, period, at('12:00'))).toEqual([
      { from: 'expected', state: 'late', verdict: null, at: at('12:00') },
    ]);
  });

  test('makes a late delivery missing once the grace is over, as of then', () => {
    const late = { state: 'late', verdict: null } as const;
    expect(stepsOfTime(late, period, at('23:00'))).toEqual([
      { from: 'late', state: 'missing', verdict: null, at: at('18:00') },
    ]);
  });

  test('leaves out late where nobody looked until it was missing', () => {
    expect(stateAfter(stepsOfTime(expected, period, at('23:00')))).toEqual(['missing']);
  });

  test('makes it missing at its due time where there is no grace', () => {
    const strict = { ...period, missingAt: period.dueAt };
    expect(stateAfter(stepsOfTime(expected, strict, at('12:00')))).toEqual(['missing']);
  });

  test('does nothing to what has come', () => {
    const received = { state: 'received', verdict: 'failed' } as const;
    expect(stepsOfTime(received, period, at('23:00'))).toEqual([]);
  });
});

describe('a verdict', () => {
  const given = (deliveredAt: string, verdict: 'passed' | 'failed' = 'failed') => ({
    ...{ verdict, deliveredAt: at(deliveredAt), at: at('23:30') },
  });

  test('of any kind is a receipt', () => {
    const expected = { state: 'expected', verdict: null } as const;
    expect(stepsOfVerdict(expected, period, given('11:00'))).toEqual([
      { from: 'expected', state: 'received', verdict: 'failed', at: at('23:30') },
    ]);
  });

  test.each([
    ['12:00', ['late', 'received']],
    ['18:00', ['missing', 'recovered']],
  ] as const)(
    'on a file of %s says what it was until then, though nobody looked',
    (time, states) => {
      const expected = { state: 'expected', verdict: null } as const;
      expect(stateAfter(stepsOfVerdict(expected, period, given(time)))).toEqual(states);
    },
  );

  test('on a file that came in time, but was told too late, recovers it', () => {
    const missing = { state: 'missing', verdict: null } as const;
    expect(stateAfter(stepsOfVerdict(missing, period, given('11:00')))).toEqual(['recovered']);
  });

  test('of the same kind as the one before changes nothing', () => {
    const received = { state: 'received', verdict: 'failed' } as const;
    expect(stepsOfVerdict(received, period, given('23:00'))).toEqual([]);
  });

  test('of another kind than the one before corrects it, each time', () => {
    const corrected = { state: 'corrected', verdict: 'failed' } as const;
    expect(stepsOfVerdict(corrected, period, given('23:00', 'passed'))).toEqual([
      { from: 'corrected', state: 'corrected', verdict: 'passed', at: at('23:30') },
    ]);
  });
});

describe('a set', () => {
  const expected = { state: 'expected', verdict: null } as const;
  const open = (state: PeriodState): SetFile => ({
    ...{ state, verdict: null, deliveredAt: null, changedAt: at('18:00') },
  });
  const there = (verdict: SetFile['verdict'], time: string, state: PeriodState = 'received') => ({
    ...{ state, verdict, deliveredAt: at(time), changedAt: at(time) },
  });

  test('is expected as long as a file is', () => {
    expect(stepsOfSet(expected, period, [there('passed', '10:00'), open('expected')])).toEqual([]);
  });

  test('is received with its last file, and as bad as its worst', () => {
    const files = [there('warned', '10:00'), there('failed', '09:00'), there('passed', '11:00')];
    expect(stepsOfSet(expected, period, files)).toEqual([
      { from: 'expected', state: 'received', verdict: 'failed', at: at('11:00') },
    ]);
  });

  test('is late when a file is', () => {
    const files = [there('passed', '10:00'), open('late')];
    expect(stepsOfSet(expected, period, files)).toEqual([
      { from: 'expected', state: 'late', verdict: null, at: at('12:00') },
    ]);
  });

  test('is missing when a file is', () => {
    expect(stateAfter(stepsOfSet(expected, period, [open('late'), open('missing')]))).toEqual([
      'missing',
    ]);
  });

  test('is recovered when its last file is', () => {
    const missing = { state: 'missing', verdict: null } as const;
    const files = [there('passed', '10:00'), there('passed', '20:00', 'recovered')];
    expect(stateAfter(stepsOfSet(missing, period, files))).toEqual(['recovered']);
  });

  test('is corrected when the worst verdict is another one', () => {
    const received = { state: 'received', verdict: 'failed' } as const;
    const files = [there('passed', '10:00'), there('passed', '20:00', 'corrected')];
    expect(stateAfter(stepsOfSet(received, period, files))).toEqual(['corrected']);
  });

  test('of no files stays as it is', () => {
    expect(stepsOfSet(expected, period, [])).toEqual([]);
  });
});
