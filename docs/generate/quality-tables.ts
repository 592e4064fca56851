import type { DescriptorOption } from '@file-processing/quality/descriptor-error.ts';
import {
  DIALECT_OPTIONS,
  IGNORED_DIALECT_OPTIONS,
  UNSUPPORTED_DIALECT_OPTIONS,
} from '@file-processing/quality/dialect.ts';
import { FAULT_KINDS, type FaultKind } from '@file-processing/quality/faults.ts';
import { CONSTRAINTS } from '@file-processing/quality/field-constraints.ts';
import { FIELD_KINDS, FIELD_TYPES, TYPE_PROPERTIES } from '@file-processing/quality/field-type.ts';
import {
  FIELD_PROPERTIES,
  FIELDS_MATCH_RULES,
  SCHEMA_PROPERTIES,
} from '@file-processing/quality/table-schema.ts';
import { THRESHOLDS } from '@file-processing/quality/thresholds.ts';
import { ANY_DATE, ANY_DATETIME, ANY_TIME } from '@file-processing/quality/types/datetime.ts';
import { STRPTIME_DIRECTIVES } from '@file-processing/quality/types/strptime.ts';
import { VERDICT_RULES } from '@file-processing/quality/verdict.ts';
import { code, markdownTable } from './tables.ts';

/** The generated sections of the page about quality rules, by name, from the tables of the engine. */
export function qualitySections(): Record<string, string> {
  return {
    'properties of a schema': optionsMarkdown('Property', SCHEMA_PROPERTIES),
    'how labels match fields': markdownTable(
      ['`fieldsMatch`', 'The labels must be'],
      FIELDS_MATCH_RULES.map(({ match, meaning }) => [code(match), meaning]),
    ),
    'properties of a field': optionsMarkdown('Property', FIELD_PROPERTIES),
    'types of fields': markdownTable(
      ['Type', 'Formats', 'Properties of its own', 'What a value is'],
      FIELD_KINDS.map(({ type, formats, properties, meaning }) => [
        code(type),
        formats.map((format) => (format.includes(' ') ? format : code(format))).join(', '),
        properties.map(code).join(', '),
        meaning,
      ]),
    ),
    'properties of some types': optionsMarkdown('Property', TYPE_PROPERTIES),
    'forms of dates and times': markdownTable(
      ['Type', 'What `any` accepts, tried in this order'],
      Object.entries({ date: ANY_DATE, time: ANY_TIME, datetime: ANY_DATETIME }).map(
        ([type, forms]) => [code(type), forms.map(code).join(', ')],
      ),
    ),
    'directives of a strptime pattern': STRPTIME_DIRECTIVES.map(code).join(' '),
    constraints: markdownTable(
      ['Constraint', 'Types', 'Must be', 'What it demands'],
      CONSTRAINTS.map(({ name, types, allowed, meaning }) => [
        code(name),
        types === FIELD_TYPES ? 'all' : types.map(code).join(', '),
        allowed,
        meaning,
      ]),
    ),
    'properties of a dialect': optionsMarkdown('Property', DIALECT_OPTIONS),
    'other properties of a dialect': markdownTable(
      ['Property', 'What becomes of it'],
      [
        ...[...IGNORED_DIALECT_OPTIONS].map((name) => [code(name), 'accepted, changes nothing']),
        ...[...UNSUPPORTED_DIALECT_OPTIONS].map(([name, why]) => [code(name), `refused: ${why}`]),
      ],
    ),
    thresholds: optionsMarkdown('Threshold', THRESHOLDS),
    'kinds of faults': markdownTable(
      ['Fault', 'In', 'What it says', 'What to do', 'By itself'],
      (FAULT_KINDS as readonly FaultKind[]).map((kind) => [
        code(kind.type),
        kind.scope,
        kind.meaning,
        kind.remedy,
        kind.onlyWarns ? 'only warns' : 'fails',
      ]),
    ),
    verdicts: markdownTable(
      ['Verdict', 'When'],
      VERDICT_RULES.map(({ verdict, when }) => [code(verdict), when]),
    ),
  };
}

function optionsMarkdown(kind: string, options: readonly DescriptorOption[]): string {
  return markdownTable(
    [kind, 'Default', 'Must be', 'What it says'],
    options.map(({ name, default: value, allowed, meaning }) => [
      code(name),
      value === 'none' || value.includes(' ') ? value : code(value),
      allowed,
      meaning,
    ]),
  );
}
