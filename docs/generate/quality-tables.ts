import { DELIVERY_RULES, RULE_PROPERTIES } from '@file-processing/quality/delivery-rules.ts';
import type { DescriptorOption } from '@file-processing/quality/descriptor-error.ts';
import {
  DIALECT_OPTIONS,
  IGNORED_DIALECT_OPTIONS,
  LINE_ENDS,
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
import {
  type CellExample,
  CONSTRAINT_EXAMPLES,
  DIALECT_EXAMPLES,
  FAULT_EXAMPLES,
  type FileExample,
  SCHEMA_EXAMPLES,
  THRESHOLD_EXAMPLES,
  TYPE_EXAMPLES,
} from './rule-examples.ts';
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
    'examples of types': cellExamples(TYPE_EXAMPLES),
    'examples of constraints': cellExamples(Object.values(CONSTRAINT_EXAMPLES)),
    'examples of properties': fileExamples('Property', SCHEMA_EXAMPLES),
    'examples of a dialect': fileExamples('Property', DIALECT_EXAMPLES),
    'examples of thresholds': fileExamples('Threshold', THRESHOLD_EXAMPLES),
    'examples of faults': markdownTable(
      ['Fault', 'Rule', 'A file without it', 'A file with it'],
      Object.entries(FAULT_EXAMPLES).map(([fault, example]) => [
        code(fault),
        ruleText(example),
        fileText(example.good, example),
        fileText(example.bad, example),
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
        ...[...IGNORED_DIALECT_OPTIONS].map((name) => [
          code(name),
          name === 'lineTerminator'
            ? `accepted if it is ${LINE_ENDS}, changes nothing`
            : 'accepted, changes nothing',
        ]),
        ...[...UNSUPPORTED_DIALECT_OPTIONS].map(([name, why]) => [code(name), `refused: ${why}`]),
      ],
    ),
    thresholds: optionsMarkdown('Threshold', THRESHOLDS),
    'delivery rules': markdownTable(
      ['Rule', 'Needs', 'Limits', 'Looks back', 'What it measures', 'Fault'],
      DELIVERY_RULES.map(({ rule, parameters, limits, history, meaning, fault }) => [
        code(rule),
        parameters
          .filter((name) => name !== 'last' && name !== 'severity')
          .map(code)
          .join(', '),
        limits.map(code).join(', '),
        history ? 'yes' : 'no',
        meaning,
        code(fault),
      ]),
    ),
    'properties of a delivery rule': optionsMarkdown('Property', RULE_PROPERTIES),
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

function cellExamples(examples: readonly CellExample[]): string {
  const cells = (texts: readonly string[]): string =>
    texts.map((text) => (text === '' ? 'an empty cell' : code(text))).join(', then ');
  return markdownTable(
    ['Field', 'Good', 'Bad'],
    examples.map(({ field, good, bad }) => [code(JSON.stringify(field)), cells(good), cells(bad)]),
  );
}

function fileExamples(kind: string, examples: Readonly<Record<string, FileExample>>): string {
  return markdownTable(
    [kind, 'Rule', 'Good', 'Bad', 'Fault of the bad one'],
    Object.entries(examples).map(([name, example]) => [
      code(name),
      ruleText(example),
      `${fileText(example.good, example)}${whenText(example.deliveredAt?.[0])}${example.verdict === 'warned' ? ' (warned)' : ''}`,
      `${fileText(example.bad, example)}${whenText(example.deliveredAt?.[1])}`,
      code(example.fault),
    ]),
  );
}

/** The rule as JSON, the limits that the example has in place of larger ones, and what was accepted before. */
function ruleText({ rule, limits, history }: Omit<FileExample, 'fault'>): string {
  const given = { ...rule, ...limits, ...(history === undefined ? {} : { history }) };
  return Object.keys(given).length === 0 ? 'none' : code(JSON.stringify(given));
}

function whenText(deliveredAt: string | undefined): string {
  return deliveredAt === undefined ? '' : `, delivered ${deliveredAt}`;
}

/** A file in one line: what could not be seen in it is written as JavaScript has it, a byte as its number. */
function fileText(text: string, { bytes }: Omit<FileExample, 'fault'>): string {
  if (text === '') return 'an empty file';
  const shown = text.replace(/[\0\t\r\ufeff\ufffd]|[\x80-\xff]/g, (character) => {
    if (character === '\r') return '\\r';
    const hex = character.charCodeAt(0).toString(16);
    if (hex.length === 4) return `\\u${hex}`;
    return bytes || character === '\0' ? `\\x${hex.padStart(2, '0')}` : character;
  });
  return code(shown.replaceAll('\n', '\u23ce'));
}
