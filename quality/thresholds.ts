import {
  COUNT,
  type DescriptorOption,
  isCount,
  isShare,
  type ProblemList,
  SHARE,
  show,
} from './descriptor-error.ts';
import {
  ALWAYS_FAIL,
  ALWAYS_WARN,
  CHECKS,
  type CheckThresholds,
  FAULT_TYPES,
  type FaultType,
} from './faults.ts';

/** What is demanded of a delivery as a whole, and how much of it may be wrong; {@link THRESHOLDS} explains each. */
export interface Thresholds extends CheckThresholds {
  maxFaults?: number;
  maxFaultyRows?: number;
  maxIncompleteRows?: number;
  maxBrokenRows?: number;
  warnOn?: FaultType[];
  failOn?: FaultType[];
}

const FAULTS = 'a list of fault types';

/** Fault types that only warn under these thresholds. */
export function warningTypes(thresholds: Thresholds): ReadonlySet<FaultType> {
  const { warnOn = [], failOn = [] } = thresholds;
  return new Set([...ALWAYS_WARN, ...warnOn].filter((type) => !failOn.includes(type)));
}

/** Where nothing else is said, a table of which more rows have a broken structure can't be read. */
const DEFAULT_BROKEN_ROWS = 0.5;

/** The share of rows with a broken structure above which a table can't be read. */
export function brokenRowsLimit({ maxBrokenRows, maxFaults, maxFaultyRows }: Thresholds): number {
  const tolerant = maxFaults !== undefined || maxFaultyRows !== undefined;
  return maxBrokenRows ?? (tolerant ? 1 : DEFAULT_BROKEN_ROWS);
}

/** Every threshold: those of the checks, and those of the verdict. */
export const THRESHOLDS: readonly DescriptorOption[] = [
  ...CHECKS.flatMap(({ thresholds = [] }) => thresholds),
  {
    name: 'maxFaults',
    default: '0',
    allowed: COUNT,
    meaning: 'Faults in rows up to which the verdict is `warned`, not `failed`.',
  },
  {
    name: 'maxFaultyRows',
    default: '0',
    allowed: SHARE,
    meaning: 'Share of rows with faults up to which the verdict is `warned`, not `failed`.',
  },
  {
    name: 'maxIncompleteRows',
    default: '0',
    allowed: SHARE,
    meaning:
      'Share of rows whose faults only warn, but of which not every cell could be checked, up to which the verdict is `warned`.',
  },
  {
    name: 'maxBrokenRows',
    default: `${DEFAULT_BROKEN_ROWS}, or 1 where maxFaults or maxFaultyRows is given`,
    allowed: SHARE,
    meaning:
      'Share of rows with faults of structure that fail the file, blank rows left out, up to which the table can be read.',
  },
  {
    name: 'warnOn',
    default: 'none',
    allowed: FAULTS,
    meaning: `Faults of these types only warn, in addition to those that do so by themselves (${ALWAYS_WARN.map((type) => `\`${type}\``).join(', ')}).`,
  },
  {
    name: 'failOn',
    default: 'none',
    allowed: FAULTS,
    meaning: 'Faults of these types, which by themselves only warn, count against the file.',
  },
];

/** Checks thresholds and gives them back, without what is wrong with them. */
export function compileThresholds(
  thresholds: unknown,
  path: string,
  problems: ProblemList,
): Thresholds {
  const given = (thresholds === undefined ? {} : problems.object(path, thresholds)) ?? {};
  const known = THRESHOLDS.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) problems.unknown(`${path}.`, name, known);
  }
  const { maxFaults, maxFaultyRows, maxIncompleteRows } = given;
  const share = (name: string, value: unknown): number | undefined =>
    problems.optional(`${path}.${name}`, value, isShare, SHARE);
  return Object.assign({}, ...CHECKS.map((check) => check.compile?.(given, path, problems)), {
    maxFaults: problems.optional(`${path}.maxFaults`, maxFaults, isCount, COUNT),
    maxFaultyRows: share('maxFaultyRows', maxFaultyRows),
    maxIncompleteRows: share('maxIncompleteRows', maxIncompleteRows),
    maxBrokenRows: share('maxBrokenRows', given.maxBrokenRows),
    warnOn: warnOn(`${path}.warnOn`, given.warnOn, problems),
    failOn: failOn(`${path}.failOn`, given, problems),
  });
}

function warnOn(path: string, value: unknown, problems: ProblemList): FaultType[] {
  const types = faultTypes(path, value, problems);
  const fails = types.find((type) => ALWAYS_FAIL.includes(type));
  if (fails !== undefined) problems.add(path, `names ${show(fails)}, which always counts`);
  return types;
}

function failOn(path: string, given: Record<string, unknown>, problems: ProblemList): FaultType[] {
  const types = faultTypes(path, given.failOn, problems);
  const { warnOn } = given;
  const both = types.find((type) => Array.isArray(warnOn) && warnOn.includes(type));
  if (both !== undefined) problems.add(path, `names ${show(both)}, as warnOn does`);
  return types;
}

function faultTypes(path: string, value: unknown, problems: ProblemList): FaultType[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.add(path, `is ${show(value)}; ${FAULTS} is needed`);
    return [];
  }
  const types: FaultType[] = [];
  for (const item of value) {
    const known = FAULT_TYPES.find((type) => type === item);
    if (known !== undefined) types.push(known);
    else problems.add(path, `names ${show(item)}; known: ${FAULT_TYPES.join(', ')}`);
  }
  return types;
}
