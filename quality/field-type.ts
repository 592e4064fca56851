import {
  type DescriptorOption,
  isBoolean,
  isString,
  isStringList,
  type ProblemList,
  show,
} from './descriptor-error.ts';
import { booleanType, DEFAULT_FALSE_VALUES, DEFAULT_TRUE_VALUES } from './types/boolean.ts';
import type { CellType } from './types/cell-type.ts';
import {
  dateTimeType,
  dateType,
  readDate,
  readDateTime,
  timeType,
  yearMonthType,
  yearType,
} from './types/datetime.ts';
import { integerType, numberType, readInteger, readNumber } from './types/number.ts';
import { readText, STRING_FORMATS, stringType } from './types/string.ts';
import { STRPTIME_DIRECTIVES, unknownDirectives } from './types/strptime.ts';

const FLAG = 'true or false';
const CHARACTER = 'one character that is not a digit or a sign';
const TEXTS = 'a list of at least one text';
const NO_FORMAT: readonly string[] = ['default'];
/** The directives of a pattern are {@link STRPTIME_DIRECTIVES}. */
const TIME_FORMATS: readonly string[] = ['default', 'any', 'a strptime pattern'];

/** The Table Schema types that are checked, with their formats and the properties that only they have. */
export const FIELD_KINDS = [
  {
    type: 'string',
    formats: STRING_FORMATS,
    properties: [],
    meaning:
      'Any text; `email` an address as RFC 5322 has it in its dot-atom form, `uri` as RFC 3986, `uuid` as RFC 9562 has it.',
  },
  {
    type: 'integer',
    formats: NO_FORMAT,
    properties: ['groupChar', 'bareNumber'],
    meaning: 'An optional sign and digits, of any length.',
  },
  {
    type: 'number',
    formats: NO_FORMAT,
    properties: ['decimalChar', 'groupChar', 'bareNumber'],
    meaning: 'A decimal with an optional sign and exponent, or NaN, INF, -INF.',
  },
  {
    type: 'boolean',
    formats: NO_FORMAT,
    properties: ['trueValues', 'falseValues'],
    meaning: 'One of the texts that mean true or false, upper and lower case told apart.',
  },
  {
    type: 'date',
    formats: TIME_FORMATS,
    properties: [],
    meaning: 'A day that exists: YYYY-MM-DD; with `any` one of the usual forms.',
  },
  {
    type: 'time',
    formats: TIME_FORMATS,
    properties: [],
    meaning:
      'hh:mm:ss, with an optional fraction and zone; 24:00:00 is midnight; with `any` one of the usual forms.',
  },
  {
    type: 'datetime',
    formats: TIME_FORMATS,
    properties: [],
    meaning:
      'YYYY-MM-DDThh:mm:ss, with an optional fraction and zone; 24:00:00 is the next midnight; with `any` one of the usual forms.',
  },
  { type: 'year', formats: NO_FORMAT, properties: [], meaning: 'YYYY, or -YYYY.' },
  { type: 'yearmonth', formats: NO_FORMAT, properties: [], meaning: 'YYYY-MM.' },
  { type: 'any', formats: NO_FORMAT, properties: [], meaning: 'Any text; the default.' },
] as const;

export type FieldType = (typeof FIELD_KINDS)[number]['type'];

export const FIELD_TYPES: readonly FieldType[] = FIELD_KINDS.map(({ type }) => type);

/** Properties that some types alone have, those of {@link FIELD_KINDS}. */
export const TYPE_PROPERTIES = [
  {
    name: 'decimalChar',
    default: '.',
    allowed: CHARACTER,
    meaning: 'Stands between the whole number and its fraction.',
  },
  {
    name: 'groupChar',
    default: 'none',
    allowed: CHARACTER,
    meaning: 'Stands between groups of three digits and is dropped.',
  },
  {
    name: 'bareNumber',
    default: 'true',
    allowed: FLAG,
    meaning: 'When false, text before and after the number is dropped ("95%", "EUR 12").',
  },
  {
    name: 'trueValues',
    default: DEFAULT_TRUE_VALUES.join(', '),
    allowed: TEXTS,
    meaning: 'Texts that mean true.',
  },
  {
    name: 'falseValues',
    default: DEFAULT_FALSE_VALUES.join(', '),
    allowed: TEXTS,
    meaning: 'Texts that mean false.',
  },
] as const satisfies readonly DescriptorOption[];

/** Turns a field's type, format and type-specific properties into the check of its cells. */
export function compileFieldType(
  type: FieldType,
  field: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): CellType {
  const format = problems.optional(`${path}.format`, field.format, isString, 'a text') ?? 'default';
  refuseOthersProperties(type, field, path, problems);
  const bareNumber =
    problems.optional(`${path}.bareNumber`, field.bareNumber, isBoolean, FLAG) ?? true;
  const groupChar = character(`${path}.groupChar`, field.groupChar, problems);
  switch (type) {
    case 'integer':
      refuseFormat(path, format, problems);
      return integerType({ groupChar, bareNumber });
    case 'number': {
      refuseFormat(path, format, problems);
      const decimalChar = character(`${path}.decimalChar`, field.decimalChar, problems) ?? '.';
      if (decimalChar === groupChar) {
        problems.add(`${path}.groupChar`, `is ${show(groupChar)}, as decimalChar is`);
      }
      return numberType({ decimalChar, groupChar, bareNumber });
    }
    case 'boolean': {
      refuseFormat(path, format, problems);
      const truths = texts(`${path}.trueValues`, field.trueValues, problems) ?? DEFAULT_TRUE_VALUES;
      const falsehoods =
        texts(`${path}.falseValues`, field.falseValues, problems) ?? DEFAULT_FALSE_VALUES;
      const both = truths.find((text) => falsehoods.includes(text));
      if (both !== undefined) {
        problems.add(`${path}.falseValues`, `holds ${show(both)}, as trueValues does`);
      }
      return booleanType(truths, falsehoods);
    }
    case 'date':
      refusePattern(path, format, problems);
      return dateType(format);
    case 'time':
      refusePattern(path, format, problems);
      return timeType(format);
    case 'datetime':
      refusePattern(path, format, problems);
      return dateTimeType(format);
    case 'year':
      refuseFormat(path, format, problems);
      return yearType();
    case 'yearmonth':
      refuseFormat(path, format, problems);
      return yearMonthType();
    case 'any':
      refuseFormat(path, format, problems);
      return stringType('default');
    default: {
      const known = STRING_FORMATS.find((name) => name === format);
      if (known === undefined) {
        problems.add(
          `${path}.format`,
          `is ${show(format)}; supported: ${STRING_FORMATS.join(', ')}`,
        );
      }
      return stringType(known ?? 'default');
    }
  }
}

/** A property of another type says something about the values that nobody would check. */
function refuseOthersProperties(
  type: FieldType,
  field: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): void {
  const own: readonly string[] = FIELD_KINDS.find((kind) => kind.type === type)?.properties ?? [];
  for (const { name } of TYPE_PROPERTIES) {
    if (field[name] === undefined || own.includes(name)) continue;
    const having = FIELD_KINDS.filter(({ properties }) =>
      (properties as readonly string[]).includes(name),
    );
    const types = having.map((kind) => kind.type).join(' and ');
    problems.add(`${path}.${name}`, `does not apply to ${type}; it applies to ${types}`);
  }
}

function refuseFormat(path: string, format: string, problems: ProblemList): void {
  if (format !== 'default') {
    problems.add(`${path}.format`, `is ${show(format)}; this type has none but default`);
  }
}

function refusePattern(path: string, format: string, problems: ProblemList): void {
  if (format === 'default' || format === 'any') return;
  const place = `${path}.format`;
  if (!format.includes('%')) {
    problems.add(place, `is ${show(format)}; default, any or a strptime pattern is needed`);
  }
  for (const directive of unknownDirectives(format)) {
    problems.add(
      place,
      `has ${show(directive)}, which is not supported; supported: ${STRPTIME_DIRECTIVES.join(' ')}`,
    );
  }
}

function character(path: string, value: unknown, problems: ProblemList): string | undefined {
  if (value === undefined) return undefined;
  if (isString(value) && Array.from(value).length === 1 && !/[\d+-]/.test(value)) return value;
  problems.add(path, `is ${show(value)}; ${CHARACTER} is needed`);
  return undefined;
}

function texts(path: string, value: unknown, problems: ProblemList): string[] | undefined {
  if (value === undefined) return undefined;
  if (isStringList(value) && value.length > 0) return value;
  problems.add(path, `is ${show(value)}; ${TEXTS} is needed`);
  return undefined;
}

/**
 * `type.read(...)`, with the readers of the common types called by name: the engine can then compile them into
 * the loop over cells, which a call through a property that holds many functions never is.
 */
export function readCell(type: CellType, bytes: Uint8Array, start: number, end: number): number {
  const { read } = type;
  if (read === readText) return readText();
  if (read === readInteger) return readInteger(bytes, start, end);
  if (read === readNumber) return readNumber(bytes, start, end);
  if (read === readDate) return readDate(bytes, start, end);
  if (read === readDateTime) return readDateTime(bytes, start, end);
  return read(bytes, start, end);
}
