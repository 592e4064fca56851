import { describe, expect, it } from 'vitest';
import type { FaultType } from '../../quality/faults.ts';
import { FaultLog } from '../../quality/findings.ts';
import { type Thresholds, warningTypes } from '../../quality/thresholds.ts';
import { judge } from '../../quality/verdict.ts';

interface Found {
  inRows?: Partial<Record<FaultType, number>>;
  elsewhere?: FaultType[];
  thresholds?: Thresholds;
  readable?: boolean;
  incompleteRows?: number;
  unreadableRecords?: number;
  brokenRows?: number;
  headerKnown?: boolean;
  rows?: number;
}

/** The verdict over ten rows where nothing else is said, of which as many are faulty as there are faults in rows. */
function verdict(found: Found): string {
  const faults = new FaultLog(0);
  const warning = warningTypes(found.thresholds ?? {});
  const fails = (type: string) => !warning.has(type as FaultType);
  let rows = 0;
  for (const [type, count] of Object.entries(found.inRows ?? {})) {
    faults.countInRow(type as FaultType, -1, count, fails(type));
    rows += count;
  }
  for (const type of found.elsewhere ?? []) faults.count(type, -1, 1, fails(type));
  const { thresholds = {}, readable = true, incompleteRows = 0, unreadableRecords = 0 } = found;
  const { brokenRows = 0, headerKnown = true, rows: all = 10 } = found;
  const judgement = judge({
    faults,
    thresholds,
    rows: all,
    failingRows: rows,
    incompleteRows,
    brokenRows,
    headerKnown,
    readable,
    unreadableRecords,
    records: all + 1,
  });
  expect(judgement.reasons.length === 0).toBe(judgement.verdict === 'passed');
  return judgement.verdict;
}

const twoTypeErrors = { inRows: { 'type-error': 2 } } satisfies Found;

describe('judge', () => {
  it.each<[string, Found, string]>([
    ['no fault', {}, 'passed'],
    ['a source that is not a text', { readable: false }, 'unreadable'],
    ['a source error', { elsewhere: ['source-error'] }, 'unreadable'],
    [
      'encoding errors in most records',
      { inRows: { 'encoding-error': 6 }, unreadableRecords: 6 },
      'unreadable',
    ],
    [
      'encoding errors in fewer',
      { inRows: { 'encoding-error': 5 }, unreadableRecords: 5 },
      'failed',
    ],
    ['a header of which no label is known', { headerKnown: false }, 'failed'],
    ['broken rows up to half of them', { brokenRows: 5 }, 'passed'],
    ['more broken rows', { brokenRows: 6 }, 'failed'],
    ['broken rows under a tolerance', { brokenRows: 6, thresholds: { maxFaults: 9 } }, 'passed'],
    [
      'more broken rows than are allowed under a tolerance',
      { brokenRows: 6, thresholds: { maxFaultyRows: 1, maxBrokenRows: 0.5 } },
      'failed',
    ],
    ['a fault of the header', { elsewhere: ['missing-label'] }, 'failed'],
    [
      'a fault of the header, whatever the tolerance',
      { elsewhere: ['missing-label'], thresholds: { maxFaults: 9 } },
      'failed',
    ],
    ['a header alone', { elsewhere: ['header-only'] }, 'warned'],
    ['faults in rows', twoTypeErrors, 'failed'],
    ['faults within maxFaults', { ...twoTypeErrors, thresholds: { maxFaults: 2 } }, 'warned'],
    ['faults over maxFaults', { ...twoTypeErrors, thresholds: { maxFaults: 1 } }, 'failed'],
    [
      'faulty rows within maxFaultyRows',
      { ...twoTypeErrors, thresholds: { maxFaultyRows: 0.2 } },
      'warned',
    ],
    [
      'faulty rows over maxFaultyRows',
      { ...twoTypeErrors, thresholds: { maxFaultyRows: 0.19 } },
      'failed',
    ],
    [
      'faulty rows at a share that no double holds',
      { inRows: { 'type-error': 29 }, rows: 100, thresholds: { maxFaultyRows: 0.29 } },
      'warned',
    ],
    [
      'one more than that',
      { inRows: { 'type-error': 30 }, rows: 100, thresholds: { maxFaultyRows: 0.29 } },
      'failed',
    ],
    [
      'broken rows at such a share',
      { brokenRows: 57, rows: 100, thresholds: { maxBrokenRows: 0.57 } },
      'passed',
    ],
    [
      'incomplete rows at such a share',
      {
        inRows: { 'stray-quote': 29 },
        incompleteRows: 29,
        rows: 100,
        thresholds: { warnOn: ['stray-quote'], maxIncompleteRows: 0.29 },
      },
      'warned',
    ],
    [
      'one of two tolerances exceeded',
      { ...twoTypeErrors, thresholds: { maxFaults: 2, maxFaultyRows: 0.1 } },
      'failed',
    ],
    [
      'faults that only warn',
      { ...twoTypeErrors, thresholds: { warnOn: ['type-error'] } },
      'warned',
    ],
    [
      'a row that only warns and could not be checked',
      { inRows: { 'stray-quote': 1 }, incompleteRows: 1, thresholds: { warnOn: ['stray-quote'] } },
      'failed',
    ],
    [
      'such rows within maxIncompleteRows',
      {
        inRows: { 'stray-quote': 2 },
        incompleteRows: 2,
        thresholds: { warnOn: ['stray-quote'], maxIncompleteRows: 0.2 },
      },
      'warned',
    ],
    [
      'such rows over maxIncompleteRows',
      {
        inRows: { 'stray-quote': 2 },
        incompleteRows: 2,
        thresholds: { warnOn: ['stray-quote'], maxIncompleteRows: 0.19 },
      },
      'failed',
    ],
    [
      'a header fault that only warns',
      { elsewhere: ['extra-label'], thresholds: { warnOn: ['extra-label'] } },
      'warned',
    ],
  ])('%s: verdict', (_, found, expected) => {
    expect(verdict(found)).toBe(expected);
  });
});
