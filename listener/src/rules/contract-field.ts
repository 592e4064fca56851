import { isObject } from '@file-processing/contract/json-object.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { FieldConstraints } from '@file-processing/quality/field-constraints.ts';
import type { FieldType } from '@file-processing/quality/field-type.ts';
import type { TableField } from '@file-processing/quality/table-schema.ts';
import type { ContractNode } from './contract-reader.ts';

/** The custom property of a contract that carries what the standard has no property for. */
export const CARRIED = 'fileProcessing';

/** Types of the standard, and what a Table Schema calls them. */
export const LOGICAL_TYPES: Readonly<Record<string, FieldType>> = {
  string: 'string',
  date: 'date',
  timestamp: 'datetime',
  time: 'time',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
  object: 'object',
  map: 'object',
  array: 'array',
  vector: 'array',
};

/** Names of `logicalTypeOptions`, and the constraints that say the same. */
const OPTIONS = [
  ['minLength', 'minLength'],
  ['maxLength', 'maxLength'],
  ['pattern', 'pattern'],
  ['minimum', 'minimum'],
  ['maximum', 'maximum'],
  ['exclusiveMinimum', 'exclusiveMinimum'],
  ['exclusiveMaximum', 'exclusiveMaximum'],
  ['minItems', 'minLength'],
  ['maxItems', 'maxLength'],
  ['minProperties', 'minLength'],
  ['maxProperties', 'maxLength'],
] as const satisfies readonly (readonly [string, keyof FieldConstraints])[];

/** Formats of texts that both know by the same name. */
export const TEXT_FORMATS: readonly string[] = ['email', 'uri', 'uuid'];

/** Letters of Java's `DateTimeFormatter`, which the standard takes, and strptime's directives. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  yyyy: '%Y',
  yy: '%y',
  MMMM: '%B',
  MMM: '%b',
  MM: '%m',
  dd: '%d',
  HH: '%H',
  hh: '%I',
  mm: '%M',
  ss: '%S',
  a: '%p',
  Z: '%z',
};

/** Java's forms of what a Table Schema reads by default. */
const DEFAULT_FORMS: readonly string[] = [
  'yyyy-MM-dd',
  'HH:mm:ss',
  "yyyy-MM-dd'T'HH:mm:ss",
  "yyyy-MM-dd'T'HH:mm:ss'Z'",
  "yyyy-MM-dd'T'HH:mm:ssXXX",
];

/** A property of a contract as a field; what it can't say is left unused, or refused with the reason. */
export function fieldOf(property: ContractNode): TableField | undefined {
  const name = property.get('name').text();
  if (name === undefined) {
    const path = `${property.path}.name`;
    property.ledger.faults.push({ path, message: 'is missing; allowed: a text' });
    return undefined;
  }
  const field: TableField = { name, type: typeOf(property.get('logicalType')) };
  describe(field, property);
  const own = carriedBy(property);
  if (isObject(own)) {
    const { constraints, ...rest } = own;
    Object.assign(field, rest, isObject(constraints) ? { constraints } : {});
  }
  const options = property.get('logicalTypeOptions');
  formatOf(field, options.get('format'));
  if (property.get('required').flag()) constrain(field, property, { required: true });
  if (property.get('unique').flag()) constrain(field, property, { unique: true });
  for (const [option, constraint] of OPTIONS) {
    const node = options.get(option);
    if (node.given) constrain(field, node, { [constraint]: node.value });
  }
  const values = property.get('enum');
  const listed = values.items().map((item) => item.get('value'));
  if (listed.length > 0 && constrain(field, values, { enum: listed.map(({ value }) => value) })) {
    // Labels and descriptions of the values are left.
    values.ledger.used.delete(values.path);
    for (const value of listed) value.use();
  }
  return field;
}

/** Adds a constraint, unless the engine does not take it. @returns whether it was added */
export function constrain(
  field: TableField,
  node: ContractNode,
  constraints: Readonly<Record<string, unknown>>,
): boolean {
  const candidate = { ...field, constraints: { ...field.constraints, ...constraints } };
  const [problem] = expectationProblems({ schema: { fields: [candidate] } });
  if (problem !== undefined) {
    node.refuse(`${problem.path.replace(/^schema\.fields\[0\]\./, '')} ${problem.message}`);
    return false;
  }
  field.constraints = candidate.constraints as FieldConstraints;
  node.use();
  return true;
}

/** What was exported as {@link CARRIED}. */
export function carriedBy(node: ContractNode): unknown {
  const found = node
    .get('customProperties')
    .items()
    .find((item) => item.get('property').value === CARRIED);
  found?.use();
  return found?.get('value').value;
}

function typeOf(logicalType: ContractNode): FieldType {
  const name = logicalType.text();
  if (name === undefined) return 'any';
  const type = LOGICAL_TYPES[name];
  if (type !== undefined) return type;
  const message = `is ${JSON.stringify(name)}; allowed: ${Object.keys(LOGICAL_TYPES).join(', ')}`;
  logicalType.ledger.faults.push({ path: logicalType.path, message });
  return 'any';
}

function describe(field: TableField, property: ContractNode): void {
  const title = property.get('businessName').text();
  const description = property.get('description').text();
  const words = { ...(title ? { title } : {}), ...(description ? { description } : {}) };
  Object.assign(field, words);
  const level = property.get('classification');
  if (!level.given) return;
  const word = String(level.value).toLowerCase();
  const open = word === 'public' || word === 'internal';
  field.classification = open ? word : 'sensitive';
  if (open || SENSITIVE.includes(word)) level.use();
  else level.refuse('is not known: taken for sensitive');
}

/** Words for what is sensitive here. */
const SENSITIVE: readonly string[] = ['sensitive', 'confidential', 'restricted', 'secret', 'pii'];

function formatOf(field: TableField, node: ContractNode): void {
  const { type } = field;
  if (!node.given || field.format !== undefined) {
    if (node.given) node.use();
    return;
  }
  const written = String(node.value);
  if (type === 'string' && TEXT_FORMATS.includes(written)) field.format = written;
  else if (type === 'date' || type === 'time' || type === 'datetime') {
    if (!DEFAULT_FORMS.includes(written)) {
      const format = strptimeOf(written);
      const problems = expectationProblems({ schema: { fields: [{ name: 'a', type, format }] } });
      if (format === undefined || problems.length > 0) {
        node.refuse('cannot be said as a strptime pattern');
        return;
      }
      field.format = format;
    }
  } else {
    node.refuse(`is not a format of type ${type}`);
    return;
  }
  node.use();
}

/** @returns undefined for what strptime can't say */
function strptimeOf(pattern: string): string | undefined {
  let format = '';
  for (const [token, quoted] of pattern.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']/g)) {
    if (quoted !== undefined) format += quoted.replaceAll('%', '%%') || "'";
    else if (!/[A-Za-z]/.test(token)) format += token === '%' ? '%%' : token;
    else if (DIRECTIVES[token] === undefined) return undefined;
    else format += DIRECTIVES[token];
  }
  return format;
}
