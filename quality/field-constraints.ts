import { COUNT, isBoolean, isCount, isString, type ProblemList, show } from './descriptor-error.ts';
import { FIELD_TYPES, type FieldType } from './field-type.ts';
import { LinearPattern } from './pattern.ts';
import { PatternError } from './pattern-parser.ts';
import { countCharacters, encodeText, TextSet } from './text.ts';
import { type CellType, UNORDERED } from './types/cell-type.ts';
import { numberKey } from './types/number.ts';

/** Table Schema's constraints; {@link CONSTRAINTS} explains each. */
export interface FieldConstraints {
  required?: boolean;
  unique?: boolean;
  pattern?: string;
  enum?: (string | number | boolean)[];
  minimum?: string | number;
  maximum?: string | number;
  exclusiveMinimum?: string | number;
  exclusiveMaximum?: string | number;
  minLength?: number;
  maxLength?: number;
}

const FLAG = 'true or false';
const LIMIT = "a value of the field's type, written as the cells are, or a JSON number";
const ORDERED: readonly FieldType[] = [
  'integer',
  'number',
  'date',
  'time',
  'datetime',
  'year',
  'yearmonth',
];
const TEXTS: readonly FieldType[] = ['string', 'any'];

/** Every constraint, with the types that it applies to; a null value breaks `required` alone. */
export const CONSTRAINTS = [
  {
    name: 'required',
    types: FIELD_TYPES,
    allowed: FLAG,
    meaning: 'The value must not be null.',
  },
  {
    name: 'unique',
    types: FIELD_TYPES,
    allowed: FLAG,
    meaning: 'No value may come twice; nulls may (`unique-error`).',
  },
  {
    name: 'pattern',
    types: FIELD_TYPES,
    allowed: 'a regular expression',
    meaning:
      "The whole cell, as it is written, must match. The language is XML Schema's, without back references, look-around and word boundaries; what is not supported is refused with its place.",
  },
  {
    name: 'enum',
    types: FIELD_TYPES,
    allowed: 'a list of at least one value, each a text, a number or a boolean',
    meaning:
      'The value must be one of these, however it is written; texts are compared as they are.',
  },
  { name: 'minimum', types: ORDERED, allowed: LIMIT, meaning: 'The least value.' },
  { name: 'maximum', types: ORDERED, allowed: LIMIT, meaning: 'The greatest value.' },
  {
    name: 'exclusiveMinimum',
    types: ORDERED,
    allowed: LIMIT,
    meaning: 'The value must be greater than this.',
  },
  {
    name: 'exclusiveMaximum',
    types: ORDERED,
    allowed: LIMIT,
    meaning: 'The value must be less than this.',
  },
  {
    name: 'minLength',
    types: TEXTS,
    allowed: COUNT,
    meaning: 'Fewest characters (code points).',
  },
  {
    name: 'maxLength',
    types: TEXTS,
    allowed: COUNT,
    meaning: 'Most characters (code points).',
  },
] as const;

export type BoundName = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum';

/** A limit that a value's order must keep. */
export interface Bound {
  readonly name: BoundName;
  /** Whether it is a least and not a greatest value. */
  readonly lower: boolean;
  /** Whether the limit itself is allowed. */
  readonly inclusive: boolean;
  readonly limit: number;
  /** The order of values that have the limit's order value: doubles don't tell all neighbours apart. */
  readonly exact: { readonly key: number | string; readonly cell: CellType };
  /** As the schema's author wrote it. */
  readonly text: string;
}

/** What a field demands of a value that is not null and is of its type. */
export interface ValueConstraints {
  readonly bounds: readonly Bound[];
  /** Characters (code points). */
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly pattern: { readonly matcher: LinearPattern; readonly text: string } | undefined;
  /** Allowed texts. */
  readonly texts: TextSet | undefined;
  /** Allowed values of types other than text. */
  readonly values: ValueSet | undefined;
}

/** Values by what tells them from all others of their type. */
interface ValueSet {
  readonly keys: ReadonlySet<number | string>;
  readonly keyOf: CellType['key'];
}

const BOUND_NAMES: readonly BoundName[] = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
];

/** The names of all constraints. */
export const CONSTRAINT_NAMES: readonly string[] = CONSTRAINTS.map(({ name }) => name);

/** Checks a field's constraints and prepares them; `values` is undefined when none is left to check on a value. */
export function compileConstraints(
  type: FieldType,
  cell: CellType,
  constraints: unknown,
  path: string,
  problems: ProblemList,
): { required: boolean; values: ValueConstraints | undefined } {
  const given = (constraints === undefined ? {} : problems.object(path, constraints)) ?? {};
  for (const name of Object.keys(given)) {
    if (!CONSTRAINT_NAMES.includes(name)) {
      problems.unknown(`${path}.`, name, CONSTRAINT_NAMES);
    }
  }
  const required = problems.optional(`${path}.required`, given.required, isBoolean, FLAG);
  problems.optional(`${path}.unique`, given.unique, isBoolean, FLAG);
  const length = (name: string): number | undefined => {
    const place = `${path}.${name}`;
    if (given[name] !== undefined && !TEXTS.includes(type)) {
      problems.add(place, `does not apply to ${type}; it applies to string`);
    }
    return problems.optional(place, given[name], isCount, COUNT);
  };
  const values = {
    bounds: BOUND_NAMES.flatMap((name) => {
      const bound = compileBound(name, type, cell, given[name], `${path}.${name}`, problems);
      return bound === undefined ? [] : [bound];
    }),
    minLength: length('minLength'),
    maxLength: length('maxLength'),
    pattern: compilePattern(given.pattern, `${path}.pattern`, problems),
    ...compileEnum(type, cell, given.enum, `${path}.enum`, problems),
  };
  noteContradiction(values.bounds, path, problems);
  if (values.minLength !== undefined && values.maxLength !== undefined) {
    if (values.minLength > values.maxLength) {
      problems.add(`${path}.minLength`, `is ${values.minLength}, above maxLength`);
    }
  }
  const empty = values.bounds.length === 0 && Object.values(values).every(isAbsent);
  return { required: required ?? false, values: empty ? undefined : values };
}

/** Bounds that no value can keep. */
function noteContradiction(bounds: readonly Bound[], path: string, problems: ProblemList): void {
  for (const lower of bounds.filter((bound) => bound.lower)) {
    for (const upper of bounds.filter((bound) => !bound.lower)) {
      if (allowsAny(lower, upper)) continue;
      const { name, text } = upper;
      problems.add(
        `${path}.${lower.name}`,
        `is ${show(lower.text)}; with ${name} ${show(text)} no value is left`,
      );
    }
  }
}

function allowsAny(lower: Bound, upper: Bound): boolean {
  if (lower.limit !== upper.limit) return lower.limit < upper.limit;
  const { cell, key } = lower.exact;
  const order = cell.compareKeys?.(key, upper.exact.key) ?? 0;
  return order < 0 || (order === 0 && lower.inclusive && upper.inclusive);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || Array.isArray(value);
}

function compileBound(
  name: BoundName,
  type: FieldType,
  cell: CellType,
  value: unknown,
  path: string,
  problems: ProblemList,
): Bound | undefined {
  if (value === undefined) return undefined;
  if (!ORDERED.includes(type)) {
    problems.add(path, `does not apply to ${type}; it applies to ${ORDERED.join(', ')}`);
    return undefined;
  }
  // A limit of a number field is measured as a double anyway.
  if (type !== 'number' && isRounded(value)) {
    problems.add(path, ROUNDED(value));
    return undefined;
  }
  const limit = orderValue(type, cell, value);
  const key = keyOf(type, cell, value);
  // A number field takes NaN, which has no place in the order.
  if (key === undefined || limit === UNORDERED) {
    problems.add(path, `is ${show(value)}; a value of the field's type, ${type}, is needed`);
    return undefined;
  }
  return {
    name,
    lower: name === 'minimum' || name === 'exclusiveMinimum',
    inclusive: name === 'minimum' || name === 'maximum',
    limit,
    exact: { key, cell },
    text: String(value),
  };
}

/** A value of the descriptor as the field's cells are ordered; NaN when it is not of the field's type. */
function orderValue(type: FieldType, cell: CellType, value: unknown): number {
  if (typeof value === 'number') {
    if (type === 'number' || (type === 'integer' && Number.isInteger(value))) return value;
  }
  if (typeof value === 'boolean' && type === 'boolean') return value ? 1 : 0;
  if (!isString(value) && typeof value !== 'number') return Number.NaN;
  const bytes = encodeText(String(value));
  return bytes.length === 0 ? Number.NaN : cell.read(bytes, 0, bytes.length);
}

/**
 * Whether a number of the descriptor may be another one than its author wrote: JSON's are read as doubles, which beyond
 * 2^53 do not tell integers apart.
 */
function isRounded(value: unknown): value is number {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

const ROUNDED = (value: number): string =>
  `is ${show(value)}, beyond 2^53, where numbers of JSON are rounded; write it as a text`;

function compilePattern(
  value: unknown,
  path: string,
  problems: ProblemList,
): ValueConstraints['pattern'] {
  const text = problems.optional(path, value, isString, 'a regular expression');
  if (!isString(text)) return undefined;
  try {
    return { matcher: new LinearPattern(text), text };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    problems.add(path, `${show(text)} ${error.message}`);
    return undefined;
  }
}

function compileEnum(
  type: FieldType,
  cell: CellType,
  value: unknown,
  path: string,
  problems: ProblemList,
): Pick<ValueConstraints, 'texts' | 'values'> {
  const none = { texts: undefined, values: undefined };
  if (value === undefined) return none;
  if (!Array.isArray(value) || value.length === 0) {
    problems.add(path, `is ${show(value)}; a list of at least one value is needed`);
    return none;
  }
  const isText = TEXTS.includes(type);
  const keys = new Set<number | string>();
  value.forEach((item: unknown, index) => {
    const place = `${path}[${index}]`;
    const key = isText ? textOf(item) : keyOf(type, cell, item);
    if (isRounded(item)) problems.add(place, ROUNDED(item));
    else if (key !== undefined) keys.add(key);
    else if (isText)
      problems.add(place, `is ${show(item)}; a text, a number or a boolean is needed`);
    else problems.add(place, `is ${show(item)}; a value of the field's type, ${type}, is needed`);
  });
  if (isText) return { ...none, texts: new TextSet([...keys].map(String)) };
  return { ...none, values: { keys, keyOf: cell.key } };
}

function textOf(value: unknown): string | undefined {
  const isScalar = isString(value) || isBoolean(value) || typeof value === 'number';
  return isScalar ? String(value) : undefined;
}

/** What tells a value of the descriptor from all others of the field's type; undefined when it is none of them. */
function keyOf(type: FieldType, cell: CellType, value: unknown): number | string | undefined {
  const order = orderValue(type, cell, value);
  if (Number.isNaN(order)) return undefined;
  if (isBoolean(value)) return order;
  const bytes = encodeText(String(value));
  // A JSON number is not written with the field's own characters.
  const read = typeof value === 'number' && type === 'number' ? numberKey : cell.key;
  return read(bytes, 0, bytes.length, order);
}

/** What {@link brokenConstraints} says is broken; the bounds have the bits below, each that of its place. */
const MIN_LENGTH = 1 << BOUND_NAMES.length;
const MAX_LENGTH = MIN_LENGTH << 1;
const PATTERN = MIN_LENGTH << 2;
const ENUM = MIN_LENGTH << 3;

/** A bit for each constraint that the cell breaks, worded by {@link constraintMessage}; 0 when it breaks none. */
export function brokenConstraints(
  constraints: ValueConstraints,
  bytes: Uint8Array,
  start: number,
  end: number,
  value: number,
): number {
  const { bounds, minLength, maxLength, pattern, texts, values } = constraints;
  let broken = 0;
  for (let i = 0; i < bounds.length; i++) {
    const kept = keepsBound(bounds[i] as Bound, value, bytes, start, end) || value === UNORDERED;
    if (!kept) broken |= 1 << i;
  }
  if (minLength !== undefined || maxLength !== undefined) {
    const length = countCharacters(bytes, start, end);
    if (minLength !== undefined && length < minLength) broken |= MIN_LENGTH;
    if (maxLength !== undefined && length > maxLength) broken |= MAX_LENGTH;
  }
  if (pattern !== undefined && !pattern.matcher.matches(bytes, start, end)) broken |= PATTERN;
  const listed =
    (texts === undefined || texts.has(bytes, start, end)) &&
    (values === undefined || values.keys.has(values.keyOf(bytes, start, end, value)));
  return listed ? broken : broken | ENUM;
}

/** The constraint of one bit of {@link brokenConstraints}, for a message that quotes no rule. */
export function constraintName({ bounds }: ValueConstraints, bit: number): string {
  if (bit === MIN_LENGTH) return 'minLength';
  if (bit === MAX_LENGTH) return 'maxLength';
  if (bit === PATTERN) return 'pattern';
  return bit === ENUM ? 'enum' : (bounds[Math.log2(bit)]?.name ?? '');
}

/** What one bit of {@link brokenConstraints} says, in words. */
export function constraintMessage(
  { bounds, minLength, maxLength, pattern }: ValueConstraints,
  bit: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  const length = (): string => `the value has ${countCharacters(bytes, start, end)} characters`;
  if (bit === MIN_LENGTH) return `minLength is ${minLength}, ${length()}`;
  if (bit === MAX_LENGTH) return `maxLength is ${maxLength}, ${length()}`;
  if (bit === PATTERN) return `pattern is ${pattern?.text}`;
  if (bit === ENUM) return 'enum does not list it';
  const bound = bounds[Math.log2(bit)];
  return `${bound?.name} is ${bound?.text}`;
}

function keepsBound(
  bound: Bound,
  value: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (value !== bound.limit) return bound.lower ? value > bound.limit : value < bound.limit;
  const { cell, key } = bound.exact;
  const own = cell.key(bytes, start, end, value);
  const order = own === key ? 0 : (cell.compareKeys?.(own, key) ?? 0);
  if (order === 0) return bound.inclusive;
  return bound.lower ? order > 0 : order < 0;
}
