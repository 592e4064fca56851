import { CLASSIFICATIONS, type Classification, DEFAULT_CLASSIFICATION } from './classification.ts';
import {
  type DescriptorOption,
  isObject,
  isString,
  isStringList,
  meantName,
  nearestName,
  type ProblemList,
  show,
} from './descriptor-error.ts';
import type { ValueConstraints } from './field-constraints.ts';
import {
  type Category,
  CONSTRAINT_NAMES,
  compileConstraints,
  type FieldConstraints,
  labelledValues,
  withCategories,
} from './field-constraints.ts';
import {
  compileFieldType,
  FIELD_TYPES,
  type FieldType,
  fieldFormat,
  TYPE_PROPERTIES,
} from './field-type.ts';
import { TextSet } from './text.ts';
import type { CellType } from './types/cell-type.ts';

/** How a file's labels must match the schema's fields (Table Schema version 2). */
export const FIELDS_MATCH_RULES = [
  { match: 'exact', meaning: 'The fields in their order, all of them and no more.' },
  { match: 'equal', meaning: 'All fields and no more, in any order.' },
  { match: 'subset', meaning: 'All fields; more labels may come.' },
  {
    match: 'superset',
    meaning: 'No other labels; fields may be absent that are neither required nor in a key.',
  },
  {
    match: 'partial',
    meaning: 'One label in common is enough, with all fields that are required or in a key.',
  },
] as const;

export type FieldsMatch = (typeof FIELDS_MATCH_RULES)[number]['match'];

const FIELDS_MATCHES: readonly FieldsMatch[] = FIELDS_MATCH_RULES.map(({ match }) => match);

const MISSING_VALUES =
  'a list of texts, or of objects with a value and perhaps a label, no text twice';

const CLASSIFICATION = `one of ${CLASSIFICATIONS.join(', ')}`;

const FOREIGN_KEYS = 'a list of objects of fields and of a reference, which has as many fields';

/** Properties of a schema that only describe, which are passed over: those that the standard has for any of its objects. */
export const DESCRIBING_SCHEMA_PROPERTIES: readonly string[] = [
  '$schema',
  'profile',
  'name',
  'title',
  'description',
  'version',
  'homepage',
  'keywords',
  'licenses',
  'sources',
  'contributors',
  'created',
];

/** Properties of a field that only describe, which are passed over. */
export const DESCRIBING_FIELD_PROPERTIES: readonly string[] = [
  'title',
  'description',
  'example',
  'examples',
  'rdfType',
];

/** Properties with such a prefix are their author's own; any other that is not known is refused. */
export const OWN_PROPERTY_PREFIX = 'x-';

/** Every property of a schema that is checked. */
export const SCHEMA_PROPERTIES = [
  {
    name: 'fields',
    default: 'none: it must be given',
    allowed: 'a list of at least one field',
    meaning: 'The columns.',
  },
  {
    name: 'fieldsMatch',
    default: 'exact',
    allowed: `one of ${FIELDS_MATCHES.join(', ')}`,
    meaning: "How the file's labels must match the fields.",
  },
  {
    name: 'missingValues',
    default: '[""]',
    allowed: MISSING_VALUES,
    meaning: 'Texts that mean null.',
  },
  {
    name: 'primaryKey',
    default: 'none',
    allowed: 'field names',
    meaning: 'Fields that must not be null, and whose values together must not come twice.',
  },
  {
    name: 'uniqueKeys',
    default: 'none',
    allowed: 'a list of lists of field names',
    meaning: 'Fields whose values together must not come twice; a key with a null is not compared.',
  },
  {
    name: 'foreignKeys',
    default: 'none',
    allowed: FOREIGN_KEYS,
    meaning:
      'Fields whose values together must stand in the fields of `reference` in a row of the same file, before or after, or of the file that its `resource` names; a key with a null is not compared.',
  },
  {
    name: 'classification',
    default: DEFAULT_CLASSIFICATION,
    allowed: CLASSIFICATION,
    meaning: 'How sensitive the values of fields are that do not say it themselves.',
  },
] as const satisfies readonly DescriptorOption[];

/** Every property of a field that is checked, besides those that only some types have. */
export const FIELD_PROPERTIES = [
  {
    name: 'name',
    default: 'none: it must be given',
    allowed: 'a text that is not empty',
    meaning: "The column's label, upper and lower case told apart.",
  },
  {
    name: 'type',
    default: 'any',
    allowed: `one of ${FIELD_TYPES.join(', ')}`,
    meaning: 'What the values are.',
  },
  {
    name: 'format',
    default: 'default',
    allowed: 'a format of the type',
    meaning: 'How the values are written.',
  },
  {
    name: 'constraints',
    default: 'none',
    allowed: 'an object',
    meaning: 'What is demanded of the values.',
  },
  {
    name: 'missingValues',
    default: "the schema's missing values",
    allowed: MISSING_VALUES,
    meaning: "Texts that mean null in this column, in place of the schema's.",
  },
  {
    name: 'categories',
    default: 'none',
    allowed: 'a list of at least one value, or of objects with a value and perhaps a label',
    meaning: 'The value must be one of these, in a field of type string or integer.',
  },
  {
    name: 'categoriesOrdered',
    default: 'none',
    allowed: 'true or false',
    meaning: 'Whether the categories are in their natural order; it changes no verdict.',
  },
  {
    name: 'classification',
    default: "the schema's classification",
    allowed: CLASSIFICATION,
    meaning:
      'How sensitive the values are, which decides where they are shown. A label that is not a field is sensitive.',
  },
] as const satisfies readonly DescriptorOption[];

export type MissingValue = string | { value: string; label?: string };

/** One column of a Table Schema; {@link FIELD_PROPERTIES} and TYPE_PROPERTIES explain each property. */
export interface TableField {
  name: string;
  type?: FieldType;
  format?: string;
  constraints?: FieldConstraints;
  missingValues?: MissingValue[];
  classification?: Classification;
  decimalChar?: string;
  groupChar?: string;
  bareNumber?: boolean;
  trueValues?: string[];
  falseValues?: string[];
  delimiter?: string;
  itemType?: string;
  categories?: Category[];
  categoriesOrdered?: boolean;
}

export interface ForeignKey {
  fields: string | string[];
  /** `resource` is absent or empty: the file refers to itself. Else it is the name of another file's mapping. */
  reference: { fields: string | string[]; resource?: string };
}

/** Frictionless Table Schema, version 2; {@link SCHEMA_PROPERTIES} explains each property. */
export interface TableSchema {
  fields: TableField[];
  fieldsMatch?: FieldsMatch | [FieldsMatch];
  missingValues?: MissingValue[];
  primaryKey?: string | string[];
  uniqueKeys?: string[][];
  foreignKeys?: ForeignKey[];
  classification?: Classification;
}

export interface CompiledField {
  readonly name: string;
  readonly type: FieldType;
  /** Format other than the default one; for messages. */
  readonly format: string | undefined;
  readonly cell: CellType;
  readonly required: boolean;
  readonly constraints: ValueConstraints | undefined;
  /** Texts that mean null; the empty one is {@link emptyIsNull}. */
  readonly missingValues: TextSet | undefined;
  readonly emptyIsNull: boolean;
  readonly classification: Classification;
}

/** Fields whose values together must not come twice, by their position in the schema. */
export interface CompiledKey {
  readonly fault: 'unique-error' | 'primary-key';
  readonly fields: readonly number[];
}

export interface CompiledSchema {
  readonly fields: readonly CompiledField[];
  readonly fieldsMatch: FieldsMatch;
  readonly keys: readonly CompiledKey[];
  readonly foreignKeys: readonly CompiledForeignKey[];
  readonly references: readonly CompiledReference[];
}

/** Fields whose values together must stand in other fields of a row of the same file, by their positions. */
export interface CompiledForeignKey {
  readonly fields: readonly number[];
  readonly reference: readonly number[];
}

/** Fields whose values together must stand in fields of another file. */
export interface CompiledReference {
  /** By their positions. */
  readonly fields: readonly number[];
  readonly names: readonly string[];
  /** Names the other file. */
  readonly resource: string;
  /** Fields of the other file, which is not known here. */
  readonly reference: readonly string[];
}

/**
 * Checks a Table Schema and prepares its checks. Every rule that we can't check is a problem (a type, a constraint), and so
 * is every property that is not known, since it may be a rule that is misspelt or stands in the wrong place: a rule is
 * never silently passed over.
 */
export function compileSchema(
  schema: unknown,
  path: string,
  nullSequence: string | undefined,
  problems: ProblemList,
): CompiledSchema {
  const given = problems.object(path, schema) ?? { fields: [{ name: 'none' }] };
  refuseUnknown(given, path, SCHEMA_NAMES, PLACES_BESIDE_SCHEMA, problems);
  const missing = missingValues(`${path}.missingValues`, given.missingValues, problems) ?? [''];
  const classification =
    classificationOf(`${path}.classification`, given.classification, problems) ??
    DEFAULT_CLASSIFICATION;
  const fields: CompiledField[] = [];
  const taken = new Set<string>();
  const keys: CompiledKey[] = [];
  const definitions = Array.isArray(given.fields) ? given.fields : [];
  if (definitions.length === 0) {
    problems.add(
      `${path}.fields`,
      `is ${show(given.fields)}; a list of at least one field is needed`,
    );
  }
  definitions.forEach((definition: unknown, index) => {
    const place = `${path}.fields[${index}]`;
    const inherited = { missing, nullSequence, classification };
    const field = compileField(definition, place, inherited, taken, problems);
    fields.push(field);
    const constraints = isObject(definition) ? definition.constraints : undefined;
    if (isObject(constraints) && constraints.unique === true) {
      keys.push({ fault: 'unique-error', fields: [index] });
    }
  });
  const names = fields.map((field) => field.name);
  const primary = isString(given.primaryKey) ? [given.primaryKey] : given.primaryKey;
  if (primary !== undefined) {
    const key = keyFields(`${path}.primaryKey`, primary, names, problems);
    keys.push({ fault: 'primary-key', fields: key });
  }
  for (const key of uniqueKeys(`${path}.uniqueKeys`, given.uniqueKeys, names, problems)) {
    keys.push({ fault: 'unique-error', fields: key });
  }
  return {
    fields,
    fieldsMatch: fieldsMatch(path, given.fieldsMatch, problems),
    keys,
    ...foreignKeys(`${path}.foreignKeys`, given.foreignKeys, fields, problems),
  };
}

interface KnownNames {
  /** Those with a meaning, which a message lists. */
  readonly checked: readonly string[];
  readonly passedOver: readonly string[];
}

const SCHEMA_NAMES: KnownNames = {
  checked: SCHEMA_PROPERTIES.map(({ name }) => name),
  passedOver: DESCRIBING_SCHEMA_PROPERTIES,
};

const FIELD_NAMES: KnownNames = {
  checked: [...FIELD_PROPERTIES, ...TYPE_PROPERTIES].map(({ name }) => name),
  passedOver: DESCRIBING_FIELD_PROPERTIES,
};

/** Where a property belongs that stands in the wrong place. */
const PLACES_BESIDE_SCHEMA: ReadonlyMap<string, string> = new Map(
  ['tableSchema', 'dialect', 'thresholds'].map((name) => [
    name,
    'it stands beside tableSchema in a mapping',
  ]),
);

const PLACES_IN_FIELD: ReadonlyMap<string, string> = new Map(
  CONSTRAINT_NAMES.map((name) => [
    name,
    `it stands in constraints: {"constraints": {"${name}": …}}`,
  ]),
);

/** Names every property that is neither checked nor known to describe only. */
function refuseUnknown(
  given: Record<string, unknown>,
  path: string,
  { checked, passedOver }: KnownNames,
  elsewhere: ReadonlyMap<string, string>,
  problems: ProblemList,
): void {
  for (const name of Object.keys(given)) {
    if (checked.includes(name) || passedOver.includes(name)) continue;
    if (name.startsWith(OWN_PROPERTY_PREFIX)) continue;
    const place = elsewhere.get(name);
    if (place !== undefined) problems.add(`${path}.${name}`, `is not known here; ${place}`);
    else problems.unknown(`${path}.`, name, checked);
  }
}

/** What holds for a field that says nothing else. */
interface InheritedProperties {
  readonly missing: readonly string[];
  /** Of the dialect. */
  readonly nullSequence: string | undefined;
  readonly classification: Classification;
}

function compileField(
  definition: unknown,
  path: string,
  inherited: InheritedProperties,
  earlier: Set<string>,
  problems: ProblemList,
): CompiledField {
  const given = problems.object(path, definition) ?? { name: path };
  const name = isString(given.name) ? given.name : '';
  if (name === '') {
    problems.add(`${path}.name`, `is ${show(given.name)}; a text that is not empty is needed`);
  } else if (earlier.has(name)) {
    problems.add(`${path}.name`, `is ${show(name)}, as an earlier field's is; names must differ`);
  }
  earlier.add(name);
  refuseUnknown(given, path, FIELD_NAMES, PLACES_IN_FIELD, problems);
  const type = fieldType(`${path}.type`, given.type, problems);
  const cell = compileFieldType(type, given, path, problems);
  const format = isString(given.format) ? fieldFormat('', given.format, problems) : 'default';
  const { required, values } = compileConstraints(
    type,
    cell,
    given.constraints,
    `${path}.constraints`,
    problems,
  );
  const own = missingValues(`${path}.missingValues`, given.missingValues, problems);
  const missing = [
    ...(own ?? inherited.missing),
    ...(inherited.nullSequence === undefined ? [] : [inherited.nullSequence]),
  ];
  const texts = missing.filter((text) => text !== '');
  return {
    name,
    type,
    format: format === 'default' ? undefined : format,
    cell,
    required,
    constraints: withCategories(values, type, cell, given, path, problems),
    missingValues: texts.length === 0 ? undefined : new TextSet(texts),
    emptyIsNull: missing.includes(''),
    classification:
      classificationOf(`${path}.classification`, given.classification, problems) ??
      inherited.classification,
  };
}

function classificationOf(
  path: string,
  value: unknown,
  problems: ProblemList,
): Classification | undefined {
  if (value === undefined) return undefined;
  const known = CLASSIFICATIONS.find((classification) => classification === value);
  if (known === undefined) problems.add(path, `is ${show(value)}; ${CLASSIFICATION} is needed`);
  return known;
}

function fieldType(path: string, value: unknown, problems: ProblemList): FieldType {
  if (value === undefined) return 'any';
  const known = FIELD_TYPES.find((type) => type === value);
  if (known !== undefined) return known;
  const near = isString(value) ? meantName(value, FIELD_TYPES) : undefined;
  const hint = near === undefined ? '' : `; did you mean ${show(near)}?`;
  problems.add(path, `is ${show(value)}${hint}; supported: ${FIELD_TYPES.join(', ')}`);
  // What else the field has is held against the type that was meant.
  return near ?? 'any';
}

function fieldsMatch(path: string, value: unknown, problems: ProblemList): FieldsMatch {
  if (value === undefined) return 'exact';
  const wanted = Array.isArray(value) && value.length === 1 ? value[0] : value;
  const known = FIELDS_MATCHES.find((match) => match === wanted);
  if (known !== undefined) return known;
  problems.add(`${path}.fieldsMatch`, `is ${show(value)}; allowed: ${FIELDS_MATCHES.join(', ')}`);
  return 'exact';
}

function missingValues(path: string, value: unknown, problems: ProblemList): string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length === 0) return [];
  const texts: string[] = [];
  for (const item of labelledValues(path, value, MISSING_VALUES, problems)) {
    if (!isString(item.value)) problems.add(item.path, `is ${show(item.value)}; a text is needed`);
    else if (texts.includes(item.value)) {
      problems.add(item.path, `is ${show(item.value)}, as an earlier one is`);
    } else texts.push(item.value);
  }
  return texts;
}

function uniqueKeys(
  path: string,
  value: unknown,
  names: readonly string[],
  problems: ProblemList,
): number[][] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length > 0) {
    return value.map((key, index) => keyFields(`${path}[${index}]`, key, names, problems));
  }
  problems.add(path, `is ${show(value)}; a list of lists of field names is needed`);
  return [];
}

function foreignKeys(
  path: string,
  value: unknown,
  fields: readonly CompiledField[],
  problems: ProblemList,
): Pick<CompiledSchema, 'foreignKeys' | 'references'> {
  const own: CompiledForeignKey[] = [];
  const references: CompiledReference[] = [];
  if (value === undefined) return { foreignKeys: own, references };
  if (!Array.isArray(value) || value.length === 0) {
    problems.add(path, `is ${show(value)}; ${FOREIGN_KEYS} is needed`);
    return { foreignKeys: own, references };
  }
  const names = fields.map(({ name }) => name);
  const listOf = (at: string, one: unknown): number[] =>
    keyFields(at, isString(one) ? [one] : one, names, problems);
  value.forEach((item: unknown, index) => {
    const place = `${path}[${index}]`;
    const given = problems.object(place, item);
    if (given === undefined) return;
    refuseUnknown(given, place, FOREIGN_KEY_NAMES, new Map(), problems);
    const target = problems.object(`${place}.reference`, given.reference);
    if (target === undefined) return;
    refuseUnknown(target, `${place}.reference`, REFERENCE_NAMES, new Map(), problems);
    const { resource = '' } = target;
    const keys = listOf(`${place}.fields`, given.fields);
    if (resource === '') {
      const reference = listOf(`${place}.reference.fields`, target.fields);
      const key = { fields: keys, reference };
      noteMismatch(key, place, fields, problems);
      own.push(key);
      return;
    }
    const reference = otherFields(`${place}.reference`, resource, target.fields, keys, problems);
    if (reference === undefined) return;
    references.push({
      ...reference,
      fields: keys,
      names: keys.map((field) => names[field] as string),
    });
  });
  return { foreignKeys: own, references };
}

/** A reference to another file, whose fields are not known here. */
function otherFields(
  path: string,
  resource: unknown,
  fields: unknown,
  keys: readonly number[],
  problems: ProblemList,
): Pick<CompiledReference, 'resource' | 'reference'> | undefined {
  if (!isString(resource)) {
    problems.add(`${path}.resource`, `is ${show(resource)}; the name of a mapping is needed`);
    return undefined;
  }
  const reference = isString(fields) ? [fields] : fields;
  if (!isStringList(reference) || reference.length === 0) {
    problems.add(`${path}.fields`, `is ${show(fields)}; field names are needed`);
    return undefined;
  }
  if (reference.length !== keys.length && keys.length > 0) {
    const found = `has ${reference.length}, and the foreign key ${keys.length}`;
    problems.add(`${path}.fields`, `${found}; as many fields are needed`);
  }
  return { resource, reference };
}

const FOREIGN_KEY_NAMES: KnownNames = { checked: ['fields', 'reference'], passedOver: [] };
const REFERENCE_NAMES: KnownNames = { checked: ['fields', 'resource'], passedOver: [] };

/** Fields that can't be compared: too many on a side, or of another type. */
function noteMismatch(
  { fields, reference }: CompiledForeignKey,
  path: string,
  all: readonly CompiledField[],
  problems: ProblemList,
): void {
  if (fields.length === 0 || reference.length === 0) return;
  if (fields.length !== reference.length) {
    const found = `has ${reference.length}, and the foreign key ${fields.length}`;
    problems.add(`${path}.reference.fields`, `${found}; as many fields are needed`);
    return;
  }
  fields.forEach((field, place) => {
    const [own, other] = [all[field], all[reference[place] ?? -1]];
    if (own === undefined || other === undefined) return;
    const types = [own.type, other.type].map((type) => (type === 'any' ? 'string' : type));
    if (types[0] === types[1]) return;
    problems.add(
      `${path}.reference.fields[${place}]`,
      `is ${show(other.name)} of type ${other.type}, and ${show(own.name)} is of type ${own.type}; one type is needed`,
    );
  });
}

function keyFields(
  path: string,
  value: unknown,
  names: readonly string[],
  problems: ProblemList,
): number[] {
  if (!isStringList(value) || value.length === 0) {
    problems.add(path, `is ${show(value)}; field names are needed`);
    return [];
  }
  for (const name of value) {
    if (!names.includes(name)) {
      const near = nearestName(name, names);
      const hint = near === undefined ? '' : `; did you mean ${show(near)}?`;
      problems.add(
        path,
        `names ${show(name)}, which is not a field${hint}; fields: ${names.join(', ')}`,
      );
    }
  }
  const twice = value.find((name, index) => value.indexOf(name) < index);
  if (twice !== undefined) problems.add(path, `names ${show(twice)} twice`);
  return value.map((name) => names.indexOf(name)).filter((index) => index >= 0);
}
