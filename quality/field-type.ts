import { isBoolean, isString, isStringList, type ProblemList, show } from './descriptor-error.ts';
import { booleanType, DEFAULT_FALSE_VALUES, DEFAULT_TRUE_VALUES } from './types/boolean.ts';
import type { CellType } from './types/cell-type.ts';
import { dateType, yearMonthType, yearType } from './types/date.ts';
import { dateTimeType } from './types/datetime.ts';
import { integerType } from './types/integer.ts';
import { numberType } from './types/number.ts';
import { STRING_FORMATS, stringType } from './types/string.ts';
import { STRPTIME_DIRECTIVES, unknownDirectives } from './types/strptime.ts';
import { timeType } from './types/time.ts';

/** The Table Schema types that are checked. */
export const FIELD_TYPES = [
  'string',
  'integer',
  'number',
  'boolean',
  'date',
  'time',
  'datetime',
  'year',
  'yearmonth',
  'any',
] as const;

export type FieldType = (typeof FIELD_TYPES)[number];

/** Turns a field's type, format and type-specific properties into the check of its cells. */
export function compileFieldType(
  type: FieldType,
  field: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): CellType {
  const format = problems.optional(`${path}.format`, field.format, isString, 'a text') ?? 'default';
  const bareNumber =
    problems.optional(`${path}.bareNumber`, field.bareNumber, isBoolean, 'true or false') ?? true;
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
  problems.add(path, `is ${show(value)}; one character that is no digit and no sign is needed`);
  return undefined;
}

function texts(path: string, value: unknown, problems: ProblemList): string[] | undefined {
  if (value === undefined) return undefined;
  if (isStringList(value) && value.length > 0) return value;
  problems.add(path, `is ${show(value)}; a list of at least one text is needed`);
  return undefined;
}
