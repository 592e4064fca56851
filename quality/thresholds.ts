import {
  type DescriptorOption,
  isCount,
  isObject,
  type ProblemList,
  show,
} from './descriptor-error.ts';
import { FAULT_TYPES, type FaultType } from './faults.ts';

/** What is demanded of a delivery as a whole, and how much of it may be wrong; {@link THRESHOLDS} explains each. */
export interface Thresholds {
  minRows?: number;
  maxRows?: number;
  /** Shares by label. */
  completeness?: Record<string, number>;
  maxFaults?: number;
  maxFaultyRows?: number;
  warnOn?: FaultType[];
}

const COUNT = 'a whole number from 0';
const SHARE = 'a number from 0 to 1';

/** Every threshold. */
export const THRESHOLDS = [
  {
    name: 'minRows',
    default: 'none',
    allowed: COUNT,
    meaning: 'Fewest rows, the header not counted. Below: `table-dimensions`.',
  },
  {
    name: 'maxRows',
    default: 'none',
    allowed: COUNT,
    meaning: 'Most rows, the header not counted. Above: `table-dimensions`.',
  },
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
    name: 'completeness',
    default: 'none',
    allowed: 'an object of label and share',
    meaning:
      'Smallest share of cells that are not null, 0 to 1, by label. Below, or without such a column: `completeness`.',
  },
  {
    name: 'warnOn',
    default: 'none',
    allowed: 'a list of fault types',
    meaning:
      'Faults of these types only warn, in addition to those that do so by themselves (`header-only`, `key-check-incomplete`).',
  },
] as const satisfies readonly DescriptorOption[];

const SHARES = ['maxFaultyRows'] as const;
const COUNTS = ['minRows', 'maxRows', 'maxFaults'] as const;
const KNOWN: readonly string[] = THRESHOLDS.map(({ name }) => name);

/** Checks thresholds and gives them back, without what is wrong with them. */
export function compileThresholds(
  thresholds: unknown,
  path: string,
  problems: ProblemList,
): Thresholds {
  const given = (thresholds === undefined ? {} : problems.object(path, thresholds)) ?? {};
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) {
      problems.add(`${path}.${name}`, `is not known; known: ${KNOWN.join(', ')}`);
    }
  }
  const compiled: Thresholds = {};
  for (const name of COUNTS) {
    const value = problems.optional(`${path}.${name}`, given[name], isCount, COUNT);
    if (isCount(value)) compiled[name] = value;
  }
  for (const name of SHARES) {
    const value = problems.optional(`${path}.${name}`, given[name], isShare, SHARE);
    if (isShare(value)) compiled[name] = value;
  }
  if ((compiled.minRows ?? 0) > (compiled.maxRows ?? Infinity)) {
    problems.add(`${path}.minRows`, `is ${compiled.minRows}, above maxRows`);
  }
  compiled.completeness = completeness(`${path}.completeness`, given.completeness, problems);
  compiled.warnOn = warnOn(`${path}.warnOn`, given.warnOn, problems);
  return compiled;
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function completeness(path: string, value: unknown, problems: ProblemList): Record<string, number> {
  const shares: Record<string, number> = {};
  if (value === undefined) return shares;
  if (!isObject(value)) {
    problems.add(path, `is ${show(value)}; an object of label and share is needed`);
    return shares;
  }
  for (const [label, share] of Object.entries(value)) {
    if (isShare(share)) shares[label] = share;
    else problems.add(`${path}.${label}`, `is ${show(share)}; ${SHARE} is needed`);
  }
  return shares;
}

function warnOn(path: string, value: unknown, problems: ProblemList): FaultType[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.add(path, `is ${show(value)}; a list of fault types is needed`);
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
