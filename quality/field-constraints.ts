import {
  COUNT,
  isBoolean,
  isCount,
  isObject,
  isRounded,
  isString,
  type ProblemList,
  show,
} from './descriptor-error.ts';
import { FIELD_TYPES, type FieldType } from './field-type.ts';
import { compileJsonSchema, type JsonTest } from './json-schema.ts';
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
  enum?: (string | number | boolean | object)[];
  jsonSchema?: object;
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
  'duration',
];
const TEXTS: readonly FieldType[] = ['string', 'any'];
/** What minLength and maxLength count, by type. */
const UNITS: Partial<Record<FieldType, string>> = {
  string: 'characters',
  any: 'characters',
  list: 'items',
  array: 'items',
  object: 'properties',
  geojson: 'properties',
};
const MEASURED: readonly FieldType[] = FIELD_TYPES.filter((type) => UNITS[type] !== undefined);
/** Types of fields that may have categories. */
export const CATEGORICAL: readonly FieldType[] = ['string', 'integer'];
const JSON_TYPES: readonly FieldType[] = ['object', 'array'];

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
    allowed:
      "a list of at least one value of the field's type, as JSON or as the cells are written",
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
    types: MEASURED,
    allowed: COUNT,
    meaning:
      'Fewest characters (code points); of a list or an array fewest items, of an object fewest properties.',
  },
  {
    name: 'maxLength',
    types: MEASURED,
    allowed: COUNT,
    meaning: 'Most characters, items or properties.',
  },
  {
    name: 'jsonSchema',
    types: JSON_TYPES,
    allowed: 'a JSON Schema, an object',
    meaning: 'The value must be as this JSON Schema says.',
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

/** What a value's length is, as minLength and maxLength count it. */
interface Length {
  readonly of: (bytes: Uint8Array, start: number, end: number) => number;
  readonly unit: string;
}

/** What a field demands of a value that is not null and is of its type. */
export interface ValueConstraints {
  readonly bounds: readonly Bound[];
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  /** Characters (code points) where it is absent. */
  readonly length?: Length;
  readonly pattern: { readonly matcher: LinearPattern; readonly text: string } | undefined;
  /** Allowed texts. */
  readonly texts: TextSet | undefined;
  /** Allowed values of types other than text. */
  readonly values: ValueSet | undefined;
  /** What its JSON Schema says of the value. */
  readonly jsonSchema?: { readonly test: JsonTest; readonly json: NonNullable<CellType['json']> };
  /** The field's categories, of one of the two forms that an enum has. */
  readonly categories?: Pick<ValueConstraints, 'texts' | 'values'>;
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
    if (given[name] !== undefined) refuseOthers(type, MEASURED, place, problems);
    return problems.optional(place, given[name], isCount, COUNT);
  };
  const values: ValueConstraints = {
    bounds: BOUND_NAMES.flatMap((name) => {
      const bound = compileBound(name, type, cell, given[name], `${path}.${name}`, problems);
      return bound === undefined ? [] : [bound];
    }),
    minLength: length('minLength'),
    maxLength: length('maxLength'),
    pattern: compilePattern(given.pattern, `${path}.pattern`, problems),
    ...compileEnum(type, cell, given.enum, `${path}.enum`, problems),
    ...lengthOf(type, cell),
    ...jsonSchemaOf(type, cell, given.jsonSchema, `${path}.jsonSchema`, problems),
  };
  noteContradiction(type, values.bounds, path, problems);
  if (values.minLength !== undefined && values.maxLength !== undefined) {
    if (values.minLength > values.maxLength) {
      problems.add(`${path}.minLength`, `is ${values.minLength}, above maxLength`);
    }
  }
  return { required: required ?? false, values: isEmpty(values) ? undefined : values };
}

function isEmpty({ bounds, length, ...others }: ValueConstraints): boolean {
  return bounds.length === 0 && Object.values(others).every((value) => value === undefined);
}

function lengthOf(type: FieldType, { length }: CellType): Pick<ValueConstraints, 'length'> {
  return length === undefined ? {} : { length: { of: length, unit: UNITS[type] ?? '' } };
}

function jsonSchemaOf(
  type: FieldType,
  { json }: CellType,
  value: unknown,
  path: string,
  problems: ProblemList,
): Pick<ValueConstraints, 'jsonSchema'> {
  if (value === undefined || refuseOthers(type, JSON_TYPES, path, problems)) return {};
  const test = compileJsonSchema(value, path, problems);
  return test === undefined || json === undefined ? {} : { jsonSchema: { test, json } };
}

/** Notes that a constraint does not apply to this type; false when it does. */
function refuseOthers(
  type: FieldType,
  types: readonly FieldType[],
  path: string,
  problems: ProblemList,
): boolean {
  if (types.includes(type)) return false;
  problems.add(path, `does not apply to ${type}; it applies to ${types.join(', ')}`);
  return true;
}

/** Bounds that no value can keep. */
function noteContradiction(
  type: FieldType,
  bounds: readonly Bound[],
  path: string,
  problems: ProblemList,
): void {
  for (const lower of bounds.filter((bound) => bound.lower)) {
    for (const upper of bounds.filter((bound) => !bound.lower)) {
      if (allowsAny(lower, upper) && !(type === 'integer' && areNeighbours(lower, upper))) continue;
      const { name, text } = upper;
      problems.add(
        `${path}.${lower.name}`,
        `is ${show(lower.text)}; with ${name} ${show(text)} no value is left`,
      );
    }
  }
}

function allowsAny(lower: Bound, upper: Bound): boolean {
  const { cell, key } = lower.exact;
  if (lower.limit !== upper.limit && cell.ordersByKeys !== true) return lower.limit < upper.limit;
  const order = cell.compareKeys?.(key, upper.exact.key) ?? 0;
  // Between two that have no order there may be values, or not.
  return !(order >= 0) || (order === 0 && lower.inclusive && upper.inclusive);
}

/** Whether no integer is between two bounds that are themselves excluded. */
function areNeighbours(lower: Bound, upper: Bound): boolean {
  const [from, to] = [lower, upper].map(({ exact }) => BigInt(exact.key)) as [bigint, bigint];
  return !lower.inclusive && !upper.inclusive && to - from <= 1n;
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
  if (refuseOthers(type, ORDERED, path, problems)) return undefined;
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
  const bytes = encodeText(cellText(cell, value) ?? '');
  return bytes.length === 0 ? Number.NaN : cell.read(bytes, 0, bytes.length);
}

/** A value of the descriptor as a cell would have it; undefined when none can. */
function cellText(cell: CellType, value: unknown): string | undefined {
  if (isString(value) || typeof value === 'number') return String(value);
  return cell.json !== undefined && typeof value === 'object' ? JSON.stringify(value) : undefined;
}

const ROUNDED = (value: unknown): string =>
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
  return allowed(keys, type, cell);
}

/** The set of values that have these keys; of types of text the keys are the texts. */
function allowed(
  keys: ReadonlySet<number | string>,
  type: FieldType,
  cell: CellType,
): Pick<ValueConstraints, 'texts' | 'values'> {
  if (TEXTS.includes(type)) {
    return { texts: new TextSet([...keys].map(String)), values: undefined };
  }
  return { texts: undefined, values: { keys, keyOf: cell.key } };
}

/** A value that a field may have, alone or with a label. */
export type Category = string | number | { value: string | number; label?: string };

const CATEGORY = 'a list of at least one value, or of objects with a value and perhaps a label';

/**
 * The constraints of a field with its categories, which are a second enum: each value, and each label, comes once,
 * and what the enum allows is among them.
 */
export function withCategories(
  constraints: ValueConstraints | undefined,
  type: FieldType,
  cell: CellType,
  field: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): ValueConstraints | undefined {
  const { categories, categoriesOrdered } = field;
  problems.optional(`${path}.categoriesOrdered`, categoriesOrdered, isBoolean, FLAG);
  if (categories === undefined) {
    if (categoriesOrdered !== undefined) {
      problems.add(`${path}.categoriesOrdered`, 'says how categories are ordered; there are none');
    }
    return constraints;
  }
  const place = `${path}.categories`;
  if (refuseOthers(type, CATEGORICAL, place, problems)) return constraints;
  const needed = `a value of the field's type, ${type}, is needed`;
  const keys = new Set<number | string>();
  for (const { path: at, value } of labelledValues(place, categories, CATEGORY, problems)) {
    const key = type === 'integer' ? keyOf(type, cell, value) : isString(value) ? value : undefined;
    if (isRounded(value)) problems.add(at, ROUNDED(value));
    else if (key === undefined) problems.add(at, `is ${show(value)}; ${needed}`);
    else if (keys.has(key)) problems.add(at, `is ${show(value)}, as an earlier one is`);
    else keys.add(key);
  }
  const given = isObject(field.constraints) ? field.constraints.enum : undefined;
  for (const [index, item] of (Array.isArray(given) ? given : []).entries()) {
    const key = type === 'integer' ? keyOf(type, cell, item) : textOf(item);
    if (key === undefined || keys.has(key)) continue;
    const at = `${path}.constraints.enum[${index}]`;
    problems.add(at, `is ${show(item)}, which is not among the categories`);
  }
  return { ...(constraints ?? NO_CONSTRAINTS), categories: allowed(keys, type, cell) };
}

const NO_CONSTRAINTS: ValueConstraints = {
  bounds: [],
  minLength: undefined,
  maxLength: undefined,
  pattern: undefined,
  texts: undefined,
  values: undefined,
};

/**
 * Values of a descriptor that may have labels, each with its place. A label must be a text, and no other's.
 *
 * @param allowed what the list must be, for the message
 */
export function labelledValues(
  path: string,
  list: unknown,
  allowed: string,
  problems: ProblemList,
): { readonly path: string; readonly value: unknown }[] {
  if (!Array.isArray(list) || list.length === 0) {
    problems.add(path, `is ${show(list)}; ${allowed} is needed`);
    return [];
  }
  const labels = new Set<unknown>();
  return list.map((item: unknown, index) => {
    const place = `${path}[${index}]`;
    if (!isObject(item)) return { path: place, value: item };
    for (const name of Object.keys(item)) {
      if (name !== 'value' && name !== 'label') problems.unknown(`${place}.`, name, LABELLED);
    }
    const label = problems.optional(`${place}.label`, item.label, isString, 'a text');
    if (label !== undefined && labels.has(label)) {
      problems.add(`${place}.label`, `is ${show(label)}, as an earlier one's is`);
    }
    labels.add(label);
    return { path: `${place}.value`, value: item.value };
  });
}

const LABELLED = ['value', 'label'];

function textOf(value: unknown): string | undefined {
  const isScalar = isString(value) || isBoolean(value) || typeof value === 'number';
  return isScalar ? String(value) : undefined;
}

/** What tells a value of the descriptor from all others of the field's type; undefined when it is none of them. */
function keyOf(type: FieldType, cell: CellType, value: unknown): number | string | undefined {
  const order = orderValue(type, cell, value);
  if (Number.isNaN(order)) return undefined;
  if (isBoolean(value)) return order;
  const bytes = encodeText(cellText(cell, value) ?? '');
  // A JSON number is not written with the field's own characters.
  const read = typeof value === 'number' && type === 'number' ? numberKey : cell.key;
  return read(bytes, 0, bytes.length, order);
}

/** What {@link brokenConstraints} says is broken; the bounds have the bits below, each that of its place. */
const MIN_LENGTH = 1 << BOUND_NAMES.length;
const MAX_LENGTH = MIN_LENGTH << 1;
const PATTERN = MIN_LENGTH << 2;
const ENUM = MIN_LENGTH << 3;
const JSON_SCHEMA = MIN_LENGTH << 4;
const CATEGORIES = MIN_LENGTH << 5;

/** A bit for each constraint that the cell breaks, worded by {@link constraintMessage}; 0 when it breaks none. */
export function brokenConstraints(
  constraints: ValueConstraints,
  bytes: Uint8Array,
  start: number,
  end: number,
  value: number,
): number {
  const { bounds, minLength, maxLength, pattern, jsonSchema, categories } = constraints;
  let broken = 0;
  for (let i = 0; i < bounds.length; i++) {
    const kept = keepsBound(bounds[i] as Bound, value, bytes, start, end) || value === UNORDERED;
    if (!kept) broken |= 1 << i;
  }
  if (minLength !== undefined || maxLength !== undefined) {
    const measure = constraints.length?.of ?? countCharacters;
    const length = measure(bytes, start, end);
    if (minLength !== undefined && length < minLength) broken |= MIN_LENGTH;
    if (maxLength !== undefined && length > maxLength) broken |= MAX_LENGTH;
  }
  if (pattern !== undefined && !pattern.matcher.matches(bytes, start, end)) broken |= PATTERN;
  if (!isListed(constraints, bytes, start, end, value)) broken |= ENUM;
  if (categories !== undefined && !isListed(categories, bytes, start, end, value)) {
    broken |= CATEGORIES;
  }
  if (jsonSchema?.test(jsonSchema.json(bytes, start, end)) !== undefined) broken |= JSON_SCHEMA;
  return broken;
}

/** Whether a value is one of those that an enum lists; any value is where there is none. */
export function isListed(
  { texts, values }: Pick<ValueConstraints, 'texts' | 'values'>,
  bytes: Uint8Array,
  start: number,
  end: number,
  value: number,
): boolean {
  return (
    (texts === undefined || texts.has(bytes, start, end)) &&
    (values === undefined || values.keys.has(values.keyOf(bytes, start, end, value)))
  );
}

/** The constraint of one bit of {@link brokenConstraints}, for a message that quotes no rule. */
export function constraintName({ bounds }: ValueConstraints, bit: number): string {
  if (bit === MIN_LENGTH) return 'minLength';
  if (bit === MAX_LENGTH) return 'maxLength';
  if (bit === PATTERN) return 'pattern';
  if (bit === CATEGORIES) return 'categories';
  if (bit === JSON_SCHEMA) return 'jsonSchema';
  return bit === ENUM ? 'enum' : (bounds[Math.log2(bit)]?.name ?? '');
}

/** What one bit of {@link brokenConstraints} says, in words. */
export function constraintMessage(
  { bounds, minLength, maxLength, length, pattern, jsonSchema }: ValueConstraints,
  bit: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  const { of = countCharacters, unit = 'characters' } = length ?? {};
  const measured = (): string => `the value has ${of(bytes, start, end)} ${unit}`;
  if (bit === MIN_LENGTH) return `minLength is ${minLength}, ${measured()}`;
  if (bit === MAX_LENGTH) return `maxLength is ${maxLength}, ${measured()}`;
  if (bit === PATTERN) return `pattern is ${pattern?.text}`;
  if (bit === ENUM) return 'enum does not list it';
  if (bit === CATEGORIES) return 'categories do not list it';
  if (bit === JSON_SCHEMA) {
    const { keyword, pointer } = jsonSchema?.test(jsonSchema.json(bytes, start, end)) ?? {};
    return `jsonSchema: ${keyword} at ${pointer === '' ? 'the value itself' : pointer}`;
  }
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
  const { cell, key } = bound.exact;
  if (value !== bound.limit && cell.ordersByKeys !== true) {
    return bound.lower ? value > bound.limit : value < bound.limit;
  }
  const own = cell.key(bytes, start, end, value);
  const order = own === key ? 0 : (cell.compareKeys?.(own, key) ?? 0);
  if (order === 0) return bound.inclusive;
  return bound.lower ? order > 0 : order < 0;
}
