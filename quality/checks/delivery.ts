import {
  type AcceptedDelivery,
  breaksLimit,
  type ColumnChange,
  type CompiledRule,
  type DeliveredColumn,
  hoursText,
  kindOf,
  type LimitName,
  type Limits,
  labelToken,
  limitsText,
  percent,
  type RuleReport,
  type Severity,
  TOKEN,
} from '../delivery-rules.ts';
import {
  COUNT,
  isCount,
  isObject,
  isShare,
  nearestName,
  SHARE,
  show,
} from '../descriptor-error.ts';
import { brokenConstraints } from '../field-constraints.ts';
import { HASH_WORDS } from '../key-hash.ts';
import { KeyBudget } from '../key-index.ts';
import type { EnginePorts } from '../ports.ts';
import { CELL_ESCAPED, type Scanner } from '../scanner.ts';
import { KeyTable } from '../uniqueness.ts';
import type { Check, Column, FileDetails, Found, InspectedFile } from './check.ts';

type Kind =
  | 'table-dimensions'
  | 'row-count-change'
  | 'byte-count'
  | 'completeness'
  | 'column-values'
  | 'distinct-values'
  | 'data-freshness'
  | 'file-freshness'
  | 'schema-drift'
  | 'duplicate-delivery';

export interface DeliveryThresholds {
  minRows?: number;
  maxRows?: number;
  /** Shares by label. */
  completeness?: Record<string, number>;
}

/** Memory for each value that is counted; what a table takes of it is less. */
const BYTES_PER_VALUE = 64;

/** Values of a column that are counted exactly, whatever the limits are. */
const COUNTED_DISTINCT = 100_000;

const HOUR_MS = 3_600_000;

/** Local times are up to 14 hours ahead of UTC, and so is the day that has begun there. */
const AHEAD_MS = 24 * HOUR_MS;

/** Rules for which values of a column are counted. */
const COUNTING: ReadonlySet<string> = new Set([
  'ColumnValues',
  'DistinctValuesCount',
  'DataFreshness',
]);

/** What a rule about the values of one column counts. */
interface Tally {
  readonly rule: CompiledRule;
  /** -1 for a column that the file lacks. */
  cell: number;
  values: number;
  /** Values that keep the constraints or are fresh, or different ones. */
  counted: number;
  /** Milliseconds since 1970 from and until which values are fresh. */
  readonly from: number;
  readonly until: number;
  readonly most: number;
  /** Of {@link KeyHash}: the same in all threads that read the file. */
  readonly secret: Int32Array;
  readonly table: KeyTable;
  /** Of a range: the hashes of its different values. */
  readonly hashes: number[] | undefined;
}

/** What a range has of one tally. */
type Seen = Pick<Tally, 'values' | 'counted' | 'hashes'>;

/** Judges the rules of a mapping, and the thresholds that are rules: minRows, maxRows and completeness. */
export const DELIVERY_CHECK: Check<Kind, DeliveryThresholds> = {
  kinds: [
    'table-dimensions',
    'row-count-change',
    'byte-count',
    'completeness',
    'column-values',
    'distinct-values',
    'data-freshness',
    'file-freshness',
    'schema-drift',
    'duplicate-delivery',
  ],
  thresholds: [
    {
      name: 'minRows',
      default: 'none',
      allowed: COUNT,
      meaning: 'The rule RowCount with `fail.min`: fewest rows, the header not counted.',
    },
    {
      name: 'maxRows',
      default: 'none',
      allowed: COUNT,
      meaning: 'The rule RowCount with `fail.max`: most rows, the header not counted.',
    },
    {
      name: 'completeness',
      default: 'none',
      allowed: 'an object of label and share',
      meaning:
        'The rule Completeness with `fail.minShare`, 0 to 1, by label: smallest share of cells that are not null.',
    },
  ],
  compile(given, path, problems) {
    const minRows = problems.optional(`${path}.minRows`, given.minRows, isCount, COUNT);
    const maxRows = problems.optional(`${path}.maxRows`, given.maxRows, isCount, COUNT);
    if ((minRows ?? 0) > (maxRows ?? Infinity)) {
      problems.add(`${path}.minRows`, `is ${minRows}, above maxRows`);
    }
    const place = `${path}.completeness`;
    const shares = given.completeness === undefined ? {} : given.completeness;
    if (!isObject(shares)) {
      problems.add(place, `is ${show(shares)}; an object of label and share is needed`);
      return { minRows, maxRows, completeness: {} };
    }
    const known = Object.entries(shares).filter(([label, share]) => {
      if (!isShare(share))
        problems.add(`${place}.${label}`, `is ${show(share)}; ${SHARE} is needed`);
      return isShare(share);
    });
    // A label may be `__proto__`, which can't be set.
    return { minRows, maxRows, completeness: Object.fromEntries(known) as Record<string, number> };
  },
  begin(file) {
    let tallies: readonly Tally[] = [];
    return {
      open(columns) {
        tallies = file.rules.flatMap((rule) => tallyOf(rule, file, columns));
        if (tallies.length === 0) return undefined;
        return (record) => {
          for (const tally of tallies) count(tally, file, record);
        };
      },
      ranges: {
        gather(range) {
          const seen = tallies.map((tally) => newTally(tally, []));
          return {
            see(record) {
              for (const tally of seen) count(tally, range, record);
            },
            gathered: () =>
              seen.map(({ values, counted, hashes }) => ({ values, counted, hashes })),
          };
        },
        add(gathered) {
          (gathered as Seen[]).forEach((seen, index) => {
            const tally = tallies[index];
            if (tally !== undefined) addSeen(tally, seen);
          });
        },
      },
      end(found) {
        for (const rule of file.rules) {
          found.noteRule(
            judge(
              rule,
              file,
              tallies.find((tally) => tally.rule === rule),
              found,
            ),
          );
        }
        return true;
      },
    };
  },
};

/** What is reported of a rule where nothing of the file could be measured. */
export function unjudgedRule(rule: CompiledRule, why: string): RuleReport {
  return {
    rule: rule.rule,
    column: rule.column ?? null,
    outcome: 'not judged',
    measured: null,
    allowed: allowedText(rule),
    message: `${nameOf(rule)} was not judged: ${why}.`,
  };
}

function tallyOf(
  rule: CompiledRule,
  { ports, deliveredAt }: InspectedFile,
  columns: readonly Column[],
): Tally[] {
  const { limits, column, hours } = rule;
  if (!COUNTING.has(rule.rule)) return [];
  const all = Object.values(limits).flatMap(({ min = 0, max = 0 }) => [min, max]);
  // One more than the largest limit tells whether it is kept.
  const most = Math.max(COUNTED_DISTINCT, ...all.map((limit) => limit + 1));
  const cell = columns.findIndex(({ label }) => label === column);
  const secret = new Int32Array(HASH_WORDS);
  ports.fillRandom(secret);
  const from = deliveredAt - hours * HOUR_MS;
  const until = deliveredAt + AHEAD_MS;
  return [newTally({ rule, cell, most, from, until, secret }, undefined)];
}

function newTally(
  { rule, cell, most, from, until, secret }: Omit<Tally, 'values' | 'counted' | 'table' | 'hashes'>,
  hashes: number[] | undefined,
): Tally {
  const table = new KeyTable(new KeyBudget(most * BYTES_PER_VALUE), secret);
  return { rule, cell, values: 0, counted: 0, most, from, until, secret, table, hashes };
}

/** Adds what was counted of other rows. */
function addSeen(tally: Tally, { values, counted, hashes = [] }: Seen): void {
  tally.values += values;
  if (tally.rule.rule !== 'DistinctValuesCount') tally.counted += counted;
  const words = Int32Array.from(hashes);
  for (let at = 0; at < words.length && tally.counted < tally.most; at += HASH_WORDS) {
    if (tally.table.firstRecordOfHash(words, at, 1) === 0) tally.counted++;
  }
}

function count(tally: Tally, { columns, nulls, values }: InspectedFile, record: Scanner): void {
  const { cell, rule, table } = tally;
  if (cell < 0 || cell >= record.cellCount || nulls[cell] !== 0) return;
  tally.values++;
  let { bytes } = record;
  let start = record.starts[cell] as number;
  let end = record.ends[cell] as number;
  if (((record.flags[cell] as number) & CELL_ESCAPED) !== 0) {
    bytes = record.unescape(cell);
    start = 0;
    end = bytes.length;
  }
  const field = columns?.[cell]?.field;
  // A column without a field is text, and text is in no order.
  const value = field === undefined ? 0 : (values[cell] as number);
  if (rule.rule === 'DataFreshness') {
    // What is not a time is neither.
    if (value >= tally.from && value <= tally.until) tally.counted++;
    return;
  }
  if (rule.constraints !== undefined) {
    const fits = !Number.isNaN(value);
    if (fits && brokenConstraints(rule.constraints, bytes, start, end, value) === 0) {
      tally.counted++;
    }
    return;
  }
  if (tally.counted >= tally.most) return;
  table.begin();
  // What is not of its type differs from others as it is written.
  const isText = field === undefined || field.type === 'string' || field.type === 'any';
  if (isText || Number.isNaN(value)) table.addBytes(bytes, start, end);
  else table.addKey(field.cell.key(bytes, start, end, value));
  if (table.firstRecord(1) !== 0) return;
  tally.counted++;
  tally.hashes?.push(...table.hash);
}

function judge(
  rule: CompiledRule,
  file: InspectedFile,
  tally: Tally | undefined,
  found: Found<Kind>,
): RuleReport {
  const history = kindOf(rule.rule).history ? historyOf(file) : [];
  if (typeof history === 'string') return unjudgedRule(rule, history);
  switch (rule.rule) {
    case 'RowCount':
      return judgeFigure(rule, figureOf(file.rows), found);
    case 'FileSize':
      return judgeFigure(rule, figureOf(file.bytes), found);
    case 'RowCountChange':
      return judgeFigure(rule, changeOf(file.rows, history.slice(0, rule.last)), found);
    case 'Completeness': {
      const column = columnOf(rule, file);
      const { unread = 0, nulls = 0 } = file.columns?.[column]?.profile ?? {};
      const rows = file.readRows - unread;
      return judgeFigure(rule, shareOf(rows - nulls, rows, 'are there'), found, column);
    }
    case 'ColumnValues': {
      const { counted = 0, values = 0, cell = -1 } = tally ?? {};
      return judgeFigure(rule, shareOf(counted, values, 'keep the constraints'), found, cell);
    }
    case 'DistinctValuesCount': {
      const { counted = 0, most = 0, cell = -1 } = tally ?? {};
      const more = counted < most ? '' : ' or more';
      return judgeFigure(rule, { ...figureOf(counted), text: `${counted}${more}` }, found, cell);
    }
    case 'DataFreshness': {
      const { counted = 0, values = 0, cell = -1 } = tally ?? {};
      const are = `are at most ${hoursText(rule.hours)} old`;
      return judgeFigure(rule, shareOf(counted, values, are), found, cell);
    }
    case 'FileFreshness':
      return judgeFigure(rule, sinceLast(file, history), found);
    case 'SchemaMatch':
      return judgeColumns(rule, file, history, found);
    case 'FileUniqueness':
      return judgeUniqueness(rule, file, history, found);
  }
}

/** The deliveries that were accepted before, the last one first; or why there are none. */
function historyOf({ history }: InspectedFile): readonly AcceptedDelivery[] | string {
  if (history === undefined) return 'not checked here, since earlier deliveries are not known';
  return history.length === 0 ? 'no delivery was accepted before' : history;
}

/** What was measured, as each limit takes it. */
interface Figure {
  readonly measured: number;
  readonly text: string;
  readonly of: (limit: LimitName) => number;
}

function figureOf(measured: number): Figure {
  return { measured, text: `${measured}`, of: () => measured };
}

function shareOf(part: number, whole: number, what: string): Figure {
  const measured = whole === 0 ? 1 : part / whole;
  return {
    measured,
    text: `${percent(measured)}: ${part} of ${whole} values ${what}`,
    of: (limit) => {
      if (limit === 'minShare') return measured;
      return limit === 'min' ? part : whole - part;
    },
  };
}

function sinceLast({ deliveredAt }: InspectedFile, [last]: readonly AcceptedDelivery[]): Figure {
  const measured = (deliveredAt - Date.parse(last?.deliveredAt ?? '')) / HOUR_MS;
  return {
    measured,
    text: `${hoursText(measured)} since the last accepted delivery`,
    of: () => measured,
  };
}

function changeOf(rows: number, deliveries: readonly AcceptedDelivery[]): Figure {
  const total = deliveries.reduce((sum, delivery) => sum + delivery.rows, 0);
  const average = total / deliveries.length;
  // One division of whole numbers is rounded as the limit was.
  const difference = rows * deliveries.length - total;
  const measured = difference === 0 ? 0 : difference / total;
  const size = average === 0 ? '' : `${percent(Math.abs(measured))} `;
  const direction = measured === 0 ? 'no change' : `${size}${measured < 0 ? 'fewer' : 'more'}`;
  const last =
    deliveries.length === 1 ? 'the last' : `the average of the last ${deliveries.length}`;
  return {
    measured,
    text: `${direction}: ${rows} rows, ${last} accepted had ${Number(average.toFixed(1))}`,
    of: (limit) => (limit === 'maxDecrease' ? -measured : measured),
  };
}

function columnOf({ column }: CompiledRule, { columns = [] }: InspectedFile): number {
  return columns.findIndex(({ label }) => label === column);
}

/** @param column where the rule is about one; -1 when the file lacks it */
function judgeFigure(
  rule: CompiledRule,
  figure: Figure,
  found: Found<Kind>,
  column?: number,
): RuleReport {
  const absent = column === -1;
  const broken = (['fail', 'warn'] as const).find((severity) => {
    const limits = Object.entries(rule.limits[severity] ?? {}) as [LimitName, number][];
    if (limits.length === 0) return false;
    return absent || limits.some(([name, limit]) => breaksLimit(name, limit, figure.of(name)));
  });
  const allowed = limitsText(broken === undefined ? narrowest(rule) : (rule.limits[broken] ?? {}));
  const is = absent ? ': the file has no such column' : ` is ${figure.text}`;
  const message = `${nameOf(rule)}${is}; the rule asks for ${allowed}.`;
  const details = rule.column === undefined ? {} : { label: rule.column };
  const place = column === undefined || column < 0 ? {} : { column };
  const outcome = breach(rule, broken, message, { ...details, ...place }, found);
  const measured = absent || !Number.isFinite(figure.measured) ? null : figure.measured;
  return { rule: rule.rule, column: rule.column ?? null, outcome, measured, allowed, message };
}

/** Counts and lists a breach of a severity. @returns what it does to the rule */
function breach(
  { rule }: CompiledRule,
  severity: Severity | undefined,
  message: string,
  details: FileDetails,
  found: Found<Kind>,
): RuleReport['outcome'] {
  if (severity === undefined) return 'passed';
  const kind = kindOf(rule).fault as Kind;
  const mild = severity === 'warn';
  if (found.count(kind, details.column ?? -1, 1, mild)) found.listFile(kind, message, details);
  return found.onlyWarns(kind, mild) ? 'warned' : 'failed';
}

function judgeColumns(
  rule: CompiledRule,
  file: InspectedFile,
  [last]: readonly AcceptedDelivery[],
  found: Found<Kind>,
): RuleReport {
  if (last?.columns === undefined) {
    return unjudgedRule(rule, 'the columns of the last accepted delivery were not kept');
  }
  const now = (file.columns ?? []).map(({ label, field, classification, profile }, index) => ({
    label,
    type: field?.type ?? profile.report(index, file.readRows, { label, classification }).type,
    declared: field !== undefined,
  }));
  const changes = columnChanges(last.columns, now, file.ports);
  const outcomes = changes.map(({ change, message, plainMessage, label }) => {
    const severity = (['fail', 'warn'] as const).find((one) => rule.changes[one].includes(change));
    const column = now.findIndex((candidate) => candidate.label === label);
    const texts = { column, plainMessage: `SchemaMatch: ${plainMessage}.` };
    const details = label === null ? texts : { ...texts, label };
    return breach(rule, severity, `SchemaMatch: ${message}.`, details, found);
  });
  const outcome = (['failed', 'warned'] as const).find((one) => outcomes.includes(one)) ?? 'passed';
  const figure =
    changes.length === 1 ? '1 column has changed' : `${changes.length} columns have changed`;
  const message = `SchemaMatch: ${figure} since the delivery of ${last.deliveredAt}.`;
  const allowed = allowedText(rule);
  return { rule: rule.rule, column: null, outcome, measured: changes.length, allowed, message };
}

/** What became of one column between two deliveries. */
export interface FoundChange {
  readonly change: ColumnChange;
  /** As the file has it; for a lost one as it was, null where that was not kept. */
  readonly label: string | null;
  readonly message: string;
  /** The message without labels of the file. */
  readonly plainMessage: string;
}

/**
 * What became of the columns, those of the file first.
 *
 * @param before as they were kept
 * @param columns of the file, with their whole labels
 */
export function columnChanges(
  before: readonly DeliveredColumn[],
  columns: readonly DeliveredColumn[],
  ports: Pick<EnginePorts, 'createHash'>,
): FoundChange[] {
  const now = columns.map((column) => ({ ...column, token: labelToken(column.label, ports) }));
  const was = new Map(before.map((column) => [column.label, column]));
  const is = new Set(now.flatMap(({ label, token }) => [label, token]));
  const lost = new Map(
    before.flatMap((column, index) => (is.has(column.label) ? [] : [[column.label, index]])),
  );
  const changes = now.flatMap(({ label, token, type, declared }, index): FoundChange[] => {
    const old = was.get(label) ?? was.get(token);
    const place = `column ${index + 1}`;
    if (old === undefined) {
      const name = oldName(label, index, before.length === now.length, lost);
      if (name === undefined) {
        const message = `the column ${show(label)} was added`;
        return [{ change: 'added', label, message, plainMessage: `${place} was added` }];
      }
      lost.delete(name);
      const message = `${quoted(name)} is now ${show(label)}`;
      return [{ change: 'renamed', label, message, plainMessage: `${place} was renamed` }];
    }
    // A declared type is the author's; a column of nulls has none.
    const comparable = !declared && !old.declared && old.type !== 'any' && type !== 'any';
    if (!comparable || old.type === type) return [];
    const types = `were of type ${old.type} and are of type ${type}`;
    const message = `the values of ${show(label)} ${types}`;
    return [{ change: 'retyped', label, message, plainMessage: `the values of ${place} ${types}` }];
  });
  for (const [label, place] of lost) {
    const message = `${quoted(label)} is missing`;
    const plainMessage = `what was column ${place + 1} is missing`;
    changes.push({ change: 'lost', label: isToken(label) ? null : label, message, plainMessage });
  }
  return changes;
}

function isToken(label: string): boolean {
  return label.startsWith(TOKEN);
}

function quoted(label: string): string {
  return isToken(label) ? 'a column without a field in the schema' : `the column ${show(label)}`;
}

/** The lost column that a new one stands for: the one in its place, or one that is written almost alike. */
function oldName(
  label: string,
  index: number,
  sameWidth: boolean,
  lost: ReadonlyMap<string, number>,
): string | undefined {
  const inPlace = [...lost].find(([, place]) => sameWidth && place === index)?.[0];
  return inPlace ?? nearestName(label, [...lost.keys()]);
}

function judgeUniqueness(
  rule: CompiledRule,
  { sha256 }: InspectedFile,
  history: readonly AcceptedDelivery[],
  found: Found<Kind>,
): RuleReport {
  const same = history.slice(0, rule.last).filter((delivery) => delivery.sha256 === sha256);
  const [first] = same;
  const looked = Math.min(rule.last, history.length);
  const message =
    first === undefined
      ? `FileUniqueness: other bytes than those of the last ${looked} accepted.`
      : `FileUniqueness: the same bytes were delivered ${first.deliveredAt} and accepted.`;
  const broken = first === undefined ? undefined : rule.severity;
  const outcome = breach(rule, broken, message, {}, found);
  const allowed = allowedText(rule);
  return { rule: rule.rule, column: null, outcome, measured: same.length, allowed, message };
}

function nameOf({ rule, column }: CompiledRule): string {
  return column === undefined ? rule : `${rule} of ${show(column)}`;
}

function allowedText(rule: CompiledRule): string {
  if (rule.rule === 'FileUniqueness') return 'no equal delivery';
  if (rule.rule !== 'SchemaMatch') return limitsText(narrowest(rule));
  const refused = [...rule.changes.fail, ...rule.changes.warn];
  return refused.length === 0 ? 'any change' : `no column ${refused.join(', ')}`;
}

function narrowest({ limits }: CompiledRule): Limits {
  return { ...limits.fail, ...limits.warn };
}
