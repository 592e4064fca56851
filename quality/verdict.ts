import { FAULT_TYPES } from './faults.ts';
import type { FaultLog } from './findings.ts';
import { brokenRowsLimit, type Thresholds } from './thresholds.ts';

export const VERDICTS = ['passed', 'warned', 'failed', 'unreadable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** How {@link judge} comes to its verdict: the first row that applies decides. */
export const VERDICT_RULES: readonly { readonly verdict: Verdict; readonly when: string }[] = [
  {
    verdict: 'unreadable',
    when: 'The file is empty or holds no record, is UTF-32 or no CSV text (a spreadsheet, HTML, JSON), is an archive that is not unpacked to its end, or has more than 65,536 labels.',
  },
  {
    verdict: 'unreadable',
    when: 'More than half of its records hold bytes that are not text in any encoding: beside those that are not UTF-8 there are control characters.',
  },
  {
    verdict: 'failed',
    when: 'The table cannot be read: no label of the header is that of a field, or rows with a broken structure are a larger share than `maxBrokenRows`. The report then names the structure alone.',
  },
  {
    verdict: 'failed',
    when: 'A fault of the header or the whole file that does not only warn.',
  },
  {
    verdict: 'failed',
    when: 'Faults in rows that do not only warn, and no tolerance is given, or they exceed `maxFaults` or `maxFaultyRows`; where both are given, both must hold.',
  },
  {
    verdict: 'failed',
    when: 'Rows whose faults only warn, but of which not every cell could be checked, in a larger share than `maxIncompleteRows`.',
  },
  {
    verdict: 'warned',
    when: 'Any other fault: within the tolerance, of a kind that only warns, by itself or by `warnOn`, or the breach of a rule that is to warn.',
  },
  { verdict: 'passed', when: 'No fault.' },
];

export interface Evidence {
  readonly faults: FaultLog;
  readonly thresholds: Thresholds;
  /** Rows after the header. */
  readonly rows: number;
  /** Rows with a fault that counts against the file. */
  readonly failingRows: number;
  /** Rows, blank ones left out, with a fault of structure that counts against the file. */
  readonly brokenRows: number;
  /** Whether a label of the header stands for a field; true where nothing speaks against it. */
  readonly headerKnown: boolean;
  /** Rows without such a fault of which not every cell could be checked. */
  readonly incompleteRows: number;
  /** False when the file begins as something other than text. */
  readonly readable: boolean;
  /** Rows, the header included, that hold bytes that are not text in any encoding. */
  readonly unreadableRecords: number;
  readonly records: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** Why, in sentences; empty for `passed`. */
  readonly reasons: readonly string[];
}

/** Whether faults that do not only warn may be within a tolerance. */
export function toleratesFaults({ maxFaults = 0, maxFaultyRows = 0 }: Thresholds): boolean {
  return maxFaults > 0 || maxFaultyRows > 0;
}

/**
 * Why a table can't be read, in a sentence; undefined when it can be. What is said of the values of such a table is
 * not said of the sender's, so it is the only thing to be mended.
 */
export function tableObstacle(
  evidence: Pick<Evidence, 'thresholds' | 'rows' | 'brokenRows' | 'headerKnown'>,
): string | undefined {
  const { brokenRows, headerKnown, rows, thresholds } = evidence;
  if (!headerKnown) return 'The table cannot be read: no label of the header is that of a field.';
  const limit = brokenRowsLimit(thresholds);
  if (!exceedsShare(brokenRows, rows, limit)) return undefined;
  return `The table cannot be read: ${brokenRows} of ${rows} rows have a broken structure; maxBrokenRows is ${limit}.`;
}

/** Turns what was found into a verdict, by {@link VERDICT_RULES}. */
export function judge(evidence: Evidence): Judgement {
  const { faults, thresholds, rows, failingRows, incompleteRows } = evidence;
  if (!evidence.readable || faults.total('source-error') > 0) {
    return { verdict: 'unreadable', reasons: ['The source holds nothing that could be judged.'] };
  }
  if (evidence.unreadableRecords * 2 > evidence.records) {
    const share = `${evidence.unreadableRecords} of ${evidence.records}`;
    return { verdict: 'unreadable', reasons: [`${share} records hold bytes that are not text.`] };
  }
  const { inRows, elsewhere } = faults.failing();
  const obstacle = tableObstacle(evidence);
  const reasons: string[] = obstacle === undefined ? [] : [obstacle];
  if (elsewhere > 0) reasons.push(`${faultCount(elsewhere)} of the header or the whole file.`);
  const excess = inRows === 0 ? [] : excessOver(thresholds, inRows, failingRows, rows);
  reasons.push(...excess);
  const { maxIncompleteRows = 0 } = thresholds;
  if (exceedsShare(incompleteRows, rows, maxIncompleteRows)) {
    const share = `${incompleteRows} of ${rows} rows`;
    reasons.push(`${share} could not be checked; maxIncompleteRows is ${maxIncompleteRows}.`);
  }
  if (reasons.length > 0) return { verdict: 'failed', reasons };

  const all = FAULT_TYPES.reduce((total, type) => total + faults.total(type), 0);
  const warned = all - inRows;
  if (inRows > 0) reasons.push(`${faultCount(inRows)} in rows, within the tolerance.`);
  if (warned > 0) reasons.push(`${faultCount(warned)} of kinds or rules that only warn.`);
  return { verdict: reasons.length > 0 ? 'warned' : 'passed', reasons };
}

function excessOver(
  thresholds: Thresholds,
  faults: number,
  failingRows: number,
  rows: number,
): string[] {
  const { maxFaults, maxFaultyRows } = thresholds;
  if (maxFaults === undefined && maxFaultyRows === undefined) {
    return [`${faultCount(faults)} in ${failingRows} of ${rows} rows.`];
  }
  const excess: string[] = [];
  if (maxFaults !== undefined && faults > maxFaults) {
    excess.push(`${faultCount(faults)} in rows; maxFaults is ${maxFaults}.`);
  }
  if (maxFaultyRows !== undefined && exceedsShare(failingRows, rows, maxFaultyRows)) {
    excess.push(`${failingRows} of ${rows} rows are faulty; maxFaultyRows is ${maxFaultyRows}.`);
  }
  return excess;
}

/** Whether a part is a larger share than allowed. A quotient is rounded as the share was, a product is not: 29 > 0.29 * 100. */
function exceedsShare(part: number, whole: number, share: number): boolean {
  return part / whole > share;
}

function faultCount(count: number): string {
  return count === 1 ? '1 fault' : `${count} faults`;
}
