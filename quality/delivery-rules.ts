import {
  COUNT,
  type DescriptorOption,
  isCount,
  isObject,
  isShare,
  isString,
  type ProblemList,
  SHARE,
  show,
} from './descriptor-error.ts';
import {
  compileConstraints,
  type FieldConstraints,
  type ValueConstraints,
} from './field-constraints.ts';
import { compileFieldType } from './field-type.ts';
import type { EnginePorts } from './ports.ts';
import type { CompiledSchema } from './table-schema.ts';
import { encodeText } from './text.ts';

/** What a breach of a rule does to the verdict. */
export type Severity = 'warn' | 'fail';

const SEVERITIES: readonly Severity[] = ['fail', 'warn'];

/** A delivery of the same monitored file that was accepted before: what rules compare with. */
export interface AcceptedDelivery {
  /** When it was delivered, as ISO 8601 has it. */
  readonly deliveredAt: string;
  readonly rows: number;
  readonly bytes: number;
  /** Undefined where it was not kept. */
  readonly sha256?: string;
  /** Undefined where they were not kept; rules look at those of the last delivery alone. */
  readonly columns?: readonly DeliveredColumn[];
}

/** A column as an accepted delivery had it. */
export interface DeliveredColumn {
  /** Where it is not the name of the schema's field, perhaps its {@link labelToken}, which keeps no text of the file. */
  readonly label: string;
  /** The narrowest type that all values fit, or the schema's. */
  readonly type: string;
  /** Whether the type is the schema's. */
  readonly declared: boolean;
}

/** Stands for a label that is not to be kept: the first half of its SHA-256. */
export function labelToken(label: string, { createHash }: Pick<EnginePorts, 'createHash'>): string {
  const hash = createHash();
  hash.update(encodeText(label));
  return `${TOKEN}${hash.digest('hex').slice(0, 32)}`;
}

/** What {@link labelToken} begins with. */
export const TOKEN = 'sha256:';

const HOURS = 'a number from 0';

/** Limits of a figure, each with what must be given and how messages say it. A name that begins with `min` is a lower one. */
const LIMITS = {
  min: { test: isCount, allowed: COUNT, words: (limit: number) => `at least ${limit}` },
  max: { test: isCount, allowed: COUNT, words: (limit: number) => `at most ${limit}` },
  minShare: {
    test: isShare,
    allowed: SHARE,
    words: (limit: number) => `a share of at least ${limit}`,
  },
  maxRows: {
    test: isCount,
    allowed: COUNT,
    words: (limit: number) => `at most ${limit} other rows`,
  },
  minHours: {
    test: isRatio,
    allowed: HOURS,
    words: (limit: number) => `at least ${hoursText(limit)}`,
  },
  maxHours: {
    test: isRatio,
    allowed: HOURS,
    words: (limit: number) => `at most ${hoursText(limit)}`,
  },
  maxDecrease: {
    test: isShare,
    allowed: SHARE,
    words: (limit: number) => `a decrease of at most ${percent(limit)}`,
  },
  maxIncrease: {
    test: isRatio,
    allowed: HOURS,
    words: (limit: number) => `an increase of at most ${percent(limit)}`,
  },
} as const;

/** A limit of a rule. */
export type LimitName = keyof typeof LIMITS;

/** Limits of one severity. */
export type Limits = Partial<Record<LimitName, number>>;

/** What can become of a column between two deliveries. */
export const COLUMN_CHANGES = ['added', 'lost', 'renamed', 'retyped'] as const;

/** One of {@link COLUMN_CHANGES}. */
export type ColumnChange = (typeof COLUMN_CHANGES)[number];

const DEFAULT_CHANGES: Readonly<Record<Severity, readonly ColumnChange[]>> = {
  fail: ['lost', 'renamed', 'retyped'],
  warn: ['added'],
};

/** The most accepted deliveries that a rule looks back on. */
export const MOST_DELIVERIES = 100;

/** The most distinct values that a limit may name, since they are remembered. */
export const MOST_DISTINCT = 1_000_000;

/** One kind of rule, as its author needs to know it. */
export interface DeliveryRuleKind {
  readonly rule: string;
  /** What else must be given. */
  readonly parameters: readonly ('column' | 'constraints' | 'hours' | 'last' | 'severity')[];
  /** What `warn` and `fail` limit; without any, {@link COLUMN_CHANGES} or nothing. */
  readonly limits: readonly LimitName[];
  /** Whether it compares with deliveries that were accepted before. */
  readonly history: boolean;
  /** The kind of fault that a breach is. */
  readonly fault: string;
  readonly meaning: string;
}

/**
 * Every rule about a delivery as a whole. The names are those of AWS Glue's Data Quality Definition Language;
 * `RowCountChange` is ours, for what DQDL writes as `RowCount > 0.8 * avg(last(5))`.
 */
export const DELIVERY_RULES = [
  {
    rule: 'RowCount',
    parameters: [],
    limits: ['min', 'max'],
    history: false,
    fault: 'table-dimensions',
    meaning: 'Rows, the header not counted.',
  },
  {
    rule: 'RowCountChange',
    parameters: ['last'],
    limits: ['maxDecrease', 'maxIncrease'],
    history: true,
    fault: 'row-count-change',
    meaning:
      'Rows against the average of the last accepted deliveries, as a share of it: 0.2 is 20 % fewer or more.',
  },
  {
    rule: 'FileSize',
    parameters: [],
    limits: ['min', 'max'],
    history: false,
    fault: 'byte-count',
    meaning: 'Bytes of the file as it was delivered.',
  },
  {
    rule: 'Completeness',
    parameters: ['column'],
    limits: ['minShare', 'maxRows'],
    history: false,
    fault: 'completeness',
    meaning: 'Rows in which the column is not null, as a share; `maxRows` limits the others.',
  },
  {
    rule: 'ColumnValues',
    parameters: ['column', 'constraints'],
    limits: ['minShare', 'maxRows'],
    history: false,
    fault: 'column-values',
    meaning:
      'Values that keep the `constraints`, as a share of those that are not null; `maxRows` limits the others.',
  },
  {
    rule: 'DistinctValuesCount',
    parameters: ['column'],
    limits: ['min', 'max'],
    history: false,
    fault: 'distinct-values',
    meaning:
      'Different values of the column, nulls not counted; limits go up to 1,000,000. Beyond 100,000 and the largest limit it counts no further.',
  },
  {
    rule: 'DataFreshness',
    parameters: ['column', 'hours'],
    limits: ['min', 'minShare', 'maxRows'],
    history: false,
    fault: 'data-freshness',
    meaning:
      'Values of a `date` or `datetime` that are at most so many `hours` old when the file is delivered, and at most 24 hours ahead of it, as a share of those that are not null; `min` is how many there must be, `maxRows` limits the others. A date begins at midnight UTC.',
  },
  {
    rule: 'FileFreshness',
    parameters: [],
    limits: ['minHours', 'maxHours'],
    history: true,
    fault: 'file-freshness',
    meaning: 'Hours since the last accepted delivery when the file is delivered.',
  },
  {
    rule: 'SchemaMatch',
    parameters: [],
    limits: [],
    history: true,
    fault: 'schema-drift',
    meaning:
      'Columns against those of the last accepted delivery. `warn` and `fail` list changes: `added`, `lost`, `renamed`, `retyped`; without both, `added` warns and the others fail.',
  },
  {
    rule: 'FileUniqueness',
    parameters: ['last', 'severity'],
    limits: [],
    history: true,
    fault: 'duplicate-delivery',
    meaning: 'The bytes are not those of one of the last accepted deliveries, by SHA-256.',
  },
] as const satisfies readonly DeliveryRuleKind[];

/** The name of a rule. */
export type DeliveryRuleName = (typeof DELIVERY_RULES)[number]['rule'];

/** A rule as a mapping has it; {@link DELIVERY_RULES} and {@link RULE_PROPERTIES} explain it. */
export interface DeliveryRule {
  rule: DeliveryRuleName;
  column?: string;
  constraints?: FieldConstraints;
  hours?: number;
  last?: number;
  severity?: Severity;
  warn?: Limits | ColumnChange[];
  fail?: Limits | ColumnChange[];
}

/** Every property of a rule beside its name. */
export const RULE_PROPERTIES = [
  {
    name: 'rule',
    default: 'none: it must be given',
    allowed: `one of ${DELIVERY_RULES.map(({ rule }) => rule).join(', ')}`,
    meaning: 'What is measured.',
  },
  {
    name: 'warn',
    default: 'none',
    allowed: "an object of the rule's limits",
    meaning: 'What does not keep these limits is a warning.',
  },
  {
    name: 'fail',
    default: 'none',
    allowed: "an object of the rule's limits",
    meaning: 'What does not keep these limits fails the file. At least one of both is needed.',
  },
  {
    name: 'column',
    default: 'none: it must be given',
    allowed: 'a label',
    meaning: 'The column that is measured; where the file lacks it, the rule is broken.',
  },
  {
    name: 'constraints',
    default: 'none: it must be given',
    allowed: "an object of constraints of the column's type, but `required` and `unique`",
    meaning: 'What is demanded of a value; a column without a field in the schema is text.',
  },
  {
    name: 'hours',
    default: 'none: it must be given',
    allowed: HOURS,
    meaning: 'What is older is not fresh, and neither is what is more than 24 hours ahead.',
  },
  {
    name: 'last',
    default: '1 for RowCountChange, 30 for FileUniqueness',
    allowed: `a whole number from 1 to ${MOST_DELIVERIES}`,
    meaning: 'How many accepted deliveries are looked at, as far as there are so many.',
  },
  {
    name: 'severity',
    default: 'fail',
    allowed: 'warn or fail',
    meaning: 'What a breach of a rule without limits does.',
  },
] as const satisfies readonly DescriptorOption[];

/** A rule that was checked. */
export interface CompiledRule {
  readonly rule: DeliveryRuleName;
  readonly column: string | undefined;
  /** What values must keep, of a column of this type. */
  readonly constraints: ValueConstraints | undefined;
  /** How old values may be that are fresh; of DataFreshness alone. */
  readonly hours: number;
  readonly last: number;
  readonly severity: Severity;
  readonly limits: Readonly<Partial<Record<Severity, Limits>>>;
  readonly changes: Readonly<Record<Severity, readonly ColumnChange[]>>;
}

/** What became of one delivery rule. */
export interface RuleReport {
  /** `ReferentialIntegrity`, as DQDL has it, is a foreign key of another file. */
  readonly rule: DeliveryRuleName | 'ReferentialIntegrity';
  /** The label of the column that it is about, or the names of the fields of a foreign key; null for the whole file. */
  readonly column: string | null;
  /** `not judged`: a figure was missing, which {@link message} names; it is neither a pass nor a failure. */
  readonly outcome: 'passed' | 'warned' | 'failed' | 'not judged';
  /**
   * The figure: rows, bytes, distinct values, changed columns or equal deliveries; of Completeness and ColumnValues the
   * share that complies (of ReferentialIntegrity of keys), of RowCountChange the change as a share. Null where there is none.
   */
  readonly measured: number | null;
  /** What is allowed, in words: the limits that were broken, else the narrowest. */
  readonly allowed: string;
  /** Figure and limits in a sentence. */
  readonly message: string;
}

/** How many of the last accepted deliveries rules look at; 0 where none looks at any. */
export function neededHistory(rules: readonly CompiledRule[]): number {
  return Math.max(0, ...rules.map(({ rule, last }) => (kindOf(rule).history ? last : 0)));
}

/** The row of {@link DELIVERY_RULES}. */
export function kindOf(
  rule: DeliveryRuleName,
): DeliveryRuleKind & { readonly rule: DeliveryRuleName } {
  return DELIVERY_RULES.find((kind) => kind.rule === rule) as (typeof DELIVERY_RULES)[number];
}

/** A rule whose breach fails the file: what the thresholds of the same meaning are. */
export function failingRule(rule: DeliveryRuleName, limits: Limits, column?: string): CompiledRule {
  return {
    rule,
    column,
    constraints: undefined,
    hours: 0,
    last: 1,
    severity: 'fail',
    limits: { fail: limits },
    changes: DEFAULT_CHANGES,
  };
}

/** Checks rules and prepares them; a rule with a problem is left out. */
export function compileRules(
  rules: unknown,
  path: string,
  schema: CompiledSchema | undefined,
  problems: ProblemList,
): CompiledRule[] {
  if (rules === undefined) return [];
  if (!Array.isArray(rules)) {
    problems.add(path, `is ${show(rules)}; a list of rules is needed`);
    return [];
  }
  return rules.flatMap((rule: unknown, index) => {
    const before = problems.problems.length;
    const compiled = compileRule(rule, `${path}[${index}]`, schema, problems);
    return compiled === undefined || problems.problems.length > before ? [] : [compiled];
  });
}

function compileRule(
  rule: unknown,
  path: string,
  schema: CompiledSchema | undefined,
  problems: ProblemList,
): CompiledRule | undefined {
  const given = problems.object(path, rule);
  if (given === undefined) return undefined;
  const names = DELIVERY_RULES.map((kind) => kind.rule);
  const name = names.find((known) => known === given.rule);
  if (name === undefined) {
    problems.add(`${path}.rule`, `is ${show(given.rule)}; known: ${names.join(', ')}`);
    return undefined;
  }
  const kind = kindOf(name);
  const severities = kind.parameters.includes('severity') ? [] : SEVERITIES;
  const known: readonly string[] = ['rule', ...kind.parameters, ...severities];
  for (const property of Object.keys(given)) {
    if (!known.includes(property)) problems.unknown(`${path}.`, property, known);
  }
  const column = kind.parameters.includes('column') ? columnOf(given, path, problems) : undefined;
  return {
    rule: name,
    column,
    constraints:
      kind.parameters.includes('constraints') && column !== undefined
        ? constraintsOf(given.constraints, column, `${path}.constraints`, schema, problems)
        : undefined,
    hours: name === 'DataFreshness' ? freshHours(given, path, { column, schema, problems }) : 0,
    last:
      problems.optional(
        `${path}.last`,
        given.last,
        isDeliveryCount,
        `a whole number from 1 to ${MOST_DELIVERIES}`,
      ) ?? (name === 'FileUniqueness' ? 30 : 1),
    severity:
      problems.optional(`${path}.severity`, given.severity, isSeverity, 'warn or fail') ?? 'fail',
    limits: kind.limits.length === 0 ? {} : limitsOf(kind, given, path, problems),
    changes: name === 'SchemaMatch' ? changesOf(given, path, problems) : DEFAULT_CHANGES,
  };
}

function columnOf(
  given: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): string | undefined {
  if (isString(given.column) && given.column !== '') return given.column;
  problems.add(`${path}.column`, `is ${show(given.column)}; a label is needed`);
  return undefined;
}

function constraintsOf(
  given: unknown,
  column: string,
  path: string,
  schema: CompiledSchema | undefined,
  problems: ProblemList,
): ValueConstraints | undefined {
  if (!isObject(given)) {
    problems.add(path, `is ${show(given)}; an object of constraints is needed`);
    return undefined;
  }
  for (const name of ['required', 'unique']) {
    if (given[name] === undefined) continue;
    problems.add(`${path}.${name}`, 'is not for the values of a rule; give it to the field');
  }
  if (Object.keys(given).length === 0) {
    problems.add(path, 'is empty; at least one constraint is needed');
  }
  const field = schema?.fields.find((candidate) => candidate.name === column);
  const type = field?.type ?? 'string';
  const cell = field?.cell ?? compileFieldType(type, {}, path, problems);
  const { values } = compileConstraints(type, cell, given, path, problems);
  return values;
}

/** @returns what `hours` is; of the column, which has to be one of time, only problems are told */
function freshHours(
  { hours }: Record<string, unknown>,
  path: string,
  {
    column,
    schema,
    problems,
  }: {
    readonly column: string | undefined;
    readonly schema: CompiledSchema | undefined;
    readonly problems: ProblemList;
  },
): number {
  const field = schema?.fields.find((candidate) => candidate.name === column);
  if (column !== undefined && field?.type !== 'date' && field?.type !== 'datetime') {
    const is = field === undefined ? 'no field of the schema' : `of type ${field.type}`;
    problems.add(
      `${path}.column`,
      `is ${show(column)}, ${is}; a field of type date or datetime is needed`,
    );
  }
  if (isRatio(hours)) return hours;
  problems.add(`${path}.hours`, `is ${show(hours)}; ${HOURS} is needed`);
  return 0;
}

function limitsOf(
  { rule, limits: names }: DeliveryRuleKind,
  given: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): Partial<Record<Severity, Limits>> {
  const limits: Partial<Record<Severity, Limits>> = {};
  for (const severity of SEVERITIES) {
    if (given[severity] === undefined) continue;
    const place = `${path}.${severity}`;
    const bounds = problems.object(place, given[severity]) ?? {};
    for (const name of Object.keys(bounds)) {
      if (!(names as readonly string[]).includes(name)) problems.unknown(`${place}.`, name, names);
    }
    const own: Limits = {};
    for (const name of names) {
      const { test, allowed } = LIMITS[name];
      const limit = problems.optional(`${place}.${name}`, bounds[name], test, allowed);
      if (limit !== undefined) own[name] = limit;
      if (rule === 'DistinctValuesCount' && (limit ?? 0) > MOST_DISTINCT) {
        problems.add(`${place}.${name}`, `is ${limit}; at most ${MOST_DISTINCT} is allowed`);
      }
    }
    if (Object.keys(bounds).length === 0) {
      problems.add(place, `has no limit; one of ${names.join(', ')} is needed`);
    }
    if ((own.min ?? 0) > (own.max ?? Infinity)) {
      problems.add(`${place}.min`, `is ${own.min}, above max`);
    }
    if ((own.minHours ?? 0) > (own.maxHours ?? Infinity)) {
      problems.add(`${place}.minHours`, `is ${own.minHours}, above maxHours`);
    }
    limits[severity] = own;
  }
  const { warn, fail } = limits;
  if (warn === undefined && fail === undefined) {
    problems.add(path, `has neither warn nor fail; an object of ${names.join(', ')} is needed`);
  }
  for (const name of names) {
    const [mild, hard] = [warn?.[name], fail?.[name]];
    if (mild === undefined || hard === undefined) continue;
    if (name.startsWith('min') ? mild > hard : mild < hard) continue;
    problems.add(`${path}.warn.${name}`, `is ${mild}, which fail reaches first with ${hard}`);
  }
  return limits;
}

function changesOf(
  given: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): Record<Severity, readonly ColumnChange[]> {
  if (given.warn === undefined && given.fail === undefined) return DEFAULT_CHANGES;
  const read = (severity: Severity): readonly ColumnChange[] => {
    const list = given[severity];
    if (list === undefined) return [];
    const needed = `a list of ${COLUMN_CHANGES.join(', ')} is needed`;
    if (!Array.isArray(list)) {
      problems.add(`${path}.${severity}`, `is ${show(list)}; ${needed}`);
      return [];
    }
    return list.flatMap((item: unknown) => {
      const known = COLUMN_CHANGES.filter((change) => change === item);
      if (known.length === 0) problems.add(`${path}.${severity}`, `names ${show(item)}; ${needed}`);
      return known;
    });
  };
  const [warn, fail] = [read('warn'), read('fail')];
  const both = warn.find((change) => fail.includes(change));
  if (both !== undefined) problems.add(`${path}.warn`, `names ${show(both)}, as fail does`);
  return { warn, fail };
}

/** The limits in words: `at least 1 and at most 9`. */
export function limitsText(limits: Limits): string {
  return Object.entries(limits)
    .map(([name, limit]) => LIMITS[name as LimitName].words(limit))
    .join(' and ');
}

/** Whether a figure does not keep a limit. */
export function breaksLimit(name: LimitName, limit: number, figure: number): boolean {
  return name.startsWith('min') ? figure < limit : figure > limit;
}

/** Hours as messages have them: `1 hour`, `1.5 hours`. */
export function hoursText(hours: number): string {
  return hours === 1 ? '1 hour' : `${Number(hours.toFixed(2))} hours`;
}

/** Whether a rule's outcome hangs on when the file was delivered. */
export function needsDeliveryTime(rules: readonly CompiledRule[]): boolean {
  return rules.some(({ rule }) => rule === 'DataFreshness' || rule === 'FileFreshness');
}

/** A share as messages have it: `12.5 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function isRatio(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}

function isSeverity(value: unknown): value is Severity {
  return value === 'warn' || value === 'fail';
}

function isDeliveryCount(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= MOST_DELIVERIES;
}
