import {
  type DescriptorOption,
  isBoolean,
  isString,
  isStringList,
  nearestName,
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
import { durationType } from './types/duration.ts';
import { GEOJSON_FORMATS, GEOPOINT_FORMATS, geojsonType, geopointType } from './types/geo.ts';
import { arrayType, objectType } from './types/json.ts';
import { listType } from './types/list.ts';
import { integerType, numberType, readInteger, readNumber } from './types/number.ts';
import { readText, STRING_FORMATS, stringType } from './types/string.ts';
import { patternProblem, STRPTIME_DIRECTIVES, unknownDirectives } from './types/strptime.ts';

const FLAG = 'true or false';
const CHARACTER = 'one character that is not a digit, a sign or the letter e';
const TEXTS = 'a list of at least one text';
const DELIMITER = 'a text that is not empty';
/** What the items of a list may be, each in its default format. */
const ITEM_TYPES = ['string', 'integer', 'boolean', 'number', 'datetime', 'date', 'time'] as const;
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
      'Any text; `email` an address as RFC 5322 has it in its dot-atom form, `uri` as RFC 3986, `binary` base64 as RFC 4648, `uuid` as RFC 9562 has it.',
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
    meaning:
      'A decimal with an optional sign and exponent, or NaN, INF, -INF in letters of any case.',
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
  {
    type: 'year',
    formats: NO_FORMAT,
    properties: [],
    meaning:
      "XML Schema's gYear: YYYY with an optional minus and zone; years beyond 9999 have up to nine digits.",
  },
  {
    type: 'yearmonth',
    formats: NO_FORMAT,
    properties: [],
    meaning: "XML Schema's gYearMonth: YYYY-MM, the year as that of `year`, with an optional zone.",
  },
  {
    type: 'duration',
    formats: NO_FORMAT,
    properties: [],
    meaning:
      "XML Schema's PnYnMnDTnHnMnS, with an optional minus and a fraction of the seconds; no weeks.",
  },
  {
    type: 'list',
    formats: NO_FORMAT,
    properties: ['delimiter', 'itemType'],
    meaning: 'Items of one type in its default format, with a delimiter between them.',
  },
  {
    type: 'object',
    formats: NO_FORMAT,
    properties: [],
    meaning: 'A JSON object (RFC 8259), of at most 1 MiB and 100 levels.',
  },
  {
    type: 'array',
    formats: NO_FORMAT,
    properties: [],
    meaning: 'A JSON array (RFC 8259), of at most 1 MiB and 100 levels.',
  },
  {
    type: 'geopoint',
    formats: GEOPOINT_FORMATS,
    properties: [],
    meaning:
      'A longitude (-180 to 180) and a latitude (-90 to 90): `lon, lat`; with `array` a JSON array of both, with `object` a JSON object of `lon` and `lat` alone.',
  },
  {
    type: 'geojson',
    formats: GEOJSON_FORMATS,
    properties: [],
    meaning:
      'A JSON object of GeoJSON (RFC 7946), its rings closed; with `topojson` a topology of TopoJSON, its arcs all there.',
  },
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
  {
    name: 'delimiter',
    default: ',',
    allowed: DELIMITER,
    meaning: 'Stands between the items of a list.',
  },
  {
    name: 'itemType',
    default: 'string',
    allowed: `one of ${ITEM_TYPES.join(', ')}`,
    meaning: 'What the items of a list are.',
  },
] as const satisfies readonly DescriptorOption[];

/** Turns a field's type, format and type-specific properties into the check of its cells. */
export function compileFieldType(
  type: FieldType,
  field: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): CellType {
  const format = fieldFormat(`${path}.format`, field.format, problems);
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
      refusePattern(type, path, format, problems);
      return dateType(format);
    case 'time':
      refusePattern(type, path, format, problems);
      return timeType(format);
    case 'datetime':
      refusePattern(type, path, format, problems);
      return dateTimeType(format);
    case 'year':
      refuseFormat(path, format, problems);
      return yearType();
    case 'yearmonth':
      refuseFormat(path, format, problems);
      return yearMonthType();
    case 'duration':
      refuseFormat(path, format, problems);
      return durationType();
    case 'list':
      refuseFormat(path, format, problems);
      return compileList(field, path, problems);
    case 'object':
      refuseFormat(path, format, problems);
      return objectType();
    case 'array':
      refuseFormat(path, format, problems);
      return arrayType();
    case 'geopoint':
      return geopointType(oneOf(GEOPOINT_FORMATS, format, path, problems));
    case 'geojson':
      return geojsonType(oneOf(GEOJSON_FORMATS, format, path, problems));
    case 'any':
      refuseFormat(path, format, problems);
      return stringType('default');
    default:
      return stringType(oneOf(STRING_FORMATS, format, path, problems));
  }
}

/** A field's format; the prefix `fmt:`, which the standard's first draft had, is dropped as version 2 asks for. */
export function fieldFormat(path: string, format: unknown, problems: ProblemList): string {
  const text = problems.optional(path, format, isString, 'a text') ?? 'default';
  return text.startsWith('fmt:') ? text.slice(4) : text;
}

function compileList(
  field: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): CellType {
  const isDelimiter = (value: unknown): value is string => isString(value) && value !== '';
  const place = `${path}.delimiter`;
  const delimiter = problems.optional(place, field.delimiter, isDelimiter, DELIMITER) ?? ',';
  const given = field.itemType === undefined ? 'string' : field.itemType;
  const itemType = ITEM_TYPES.find((name) => name === given);
  if (itemType === undefined) {
    problems.add(
      `${path}.itemType`,
      `is ${show(given)}; one of ${ITEM_TYPES.join(', ')} is needed`,
    );
  }
  const item = compileFieldType(itemType ?? 'string', {}, path, problems);
  return listType(item, delimiter, itemType === 'string');
}

function oneOf<T extends string>(
  formats: readonly [T, ...T[]],
  format: string,
  path: string,
  problems: ProblemList,
): T {
  const known = formats.find((name) => name === format);
  if (known !== undefined) return known;
  const near = nearestName(format, formats);
  const hint = near === undefined ? '' : `; did you mean ${show(near)}?`;
  problems.add(`${path}.format`, `is ${show(format)}${hint}; supported: ${formats.join(', ')}`);
  return formats[0];
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

function refusePattern(
  type: 'date' | 'time' | 'datetime',
  path: string,
  format: string,
  problems: ProblemList,
): void {
  if (format === 'default' || format === 'any') return;
  const place = `${path}.format`;
  if (!format.includes('%')) {
    problems.add(place, `is ${show(format)}; default, any or a strptime pattern is needed`);
    return;
  }
  const unknown = unknownDirectives(format);
  const problem = unknown.length === 0 ? patternProblem(format, type) : undefined;
  if (problem !== undefined) problems.add(place, `is ${show(format)}, which ${problem}`);
  for (const directive of unknown) {
    problems.add(
      place,
      `has ${show(directive)}, which is not supported; supported: ${STRPTIME_DIRECTIVES.join(' ')}`,
    );
  }
}

function character(path: string, value: unknown, problems: ProblemList): string | undefined {
  if (value === undefined) return undefined;
  if (isString(value) && Array.from(value).length === 1 && !/[\deE+-]/.test(value)) return value;
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
