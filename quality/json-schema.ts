import { format as FORMATS, type Schema, type SchemaDraft, Validator } from '@cfworker/json-schema';
import {
  COUNT,
  isCount,
  isObject,
  isRounded,
  isString,
  isStringList,
  type ProblemList,
  show,
} from './descriptor-error.ts';
import { LinearPattern } from './pattern.ts';
import { PatternError } from './pattern-parser.ts';
import { encodeText } from './text.ts';

/** The drafts of JSON Schema by what `$schema` names them; without it the newest holds. */
const DRAFTS: ReadonlyMap<string, SchemaDraft> = new Map([
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
  ['https://json-schema.org/draft/2019-09/schema', '2019-09'],
  ['http://json-schema.org/draft-07/schema', '7'],
  ['http://json-schema.org/draft-04/schema', '4'],
]);

type Form =
  | 'schema'
  | 'items'
  | 'schemas'
  | 'map'
  | 'patterns'
  | 'unevaluated'
  | 'dependencies'
  | 'count'
  | 'number'
  | 'limit'
  | 'positive'
  | 'text'
  | 'texts'
  | 'text lists'
  | 'list'
  | 'value'
  | 'type'
  | 'ref'
  | 'pattern'
  | 'format'
  | 'flag'
  | 'any';

/** The keywords that are checked, by the form of what they hold; the rest of the standard's only describe. */
const KEYWORDS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['type', 'type'],
  ['enum', 'list'],
  ['const', 'value'],
  ['allOf', 'schemas'],
  ['anyOf', 'schemas'],
  ['oneOf', 'schemas'],
  ['not', 'schema'],
  ['if', 'schema'],
  ['then', 'schema'],
  ['else', 'schema'],
  ['properties', 'map'],
  ['patternProperties', 'patterns'],
  ['additionalProperties', 'schema'],
  ['unevaluatedProperties', 'unevaluated'],
  ['propertyNames', 'schema'],
  ['required', 'texts'],
  ['dependentRequired', 'text lists'],
  ['dependentSchemas', 'map'],
  ['minProperties', 'count'],
  ['maxProperties', 'count'],
  ['prefixItems', 'schemas'],
  ['items', 'items'],
  ['additionalItems', 'schema'],
  ['unevaluatedItems', 'unevaluated'],
  ['uniqueItems', 'flag'],
  ['contains', 'schema'],
  ['minContains', 'count'],
  ['maxContains', 'count'],
  ['minItems', 'count'],
  ['maxItems', 'count'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'limit'],
  ['exclusiveMaximum', 'limit'],
  ['multipleOf', 'positive'],
  ['minLength', 'count'],
  ['maxLength', 'count'],
  ['pattern', 'pattern'],
  ['format', 'format'],
  ['$ref', 'ref'],
  ['$defs', 'map'],
  ['definitions', 'map'],
  ['$schema', 'text'],
  ['$id', 'text'],
  ['$comment', 'any'],
  ['title', 'any'],
  ['description', 'any'],
  ['default', 'any'],
  ['examples', 'any'],
  ['deprecated', 'any'],
  ['readOnly', 'any'],
  ['writeOnly', 'any'],
]);
const KEYWORD_NAMES = [...KEYWORDS.keys()];

/** What holds values that others must equal. */
const COMPARED: readonly Form[] = ['value', 'list'];

/** The library compares each item with each: beyond so many that takes long. */
const MOST_UNIQUE_ITEMS = 1_000;

/**
 * Names of properties by which the library's own matching takes time proportional to the name: characters, classes and
 * counts, and one repetition where it begins at the first character.
 */
const ATOM = String.raw`(?:[^\\^$.*+?()[\]{}|]|\\[dDwWsS\\^$.*+?()[\]{}|/]|\.|\[\^?(?:[^\]\\[]|\\.)+\])(?:\{\d{1,2}\})?`;
const LINEAR_NAME = new RegExp(
  `^(?:\\^(?:${ATOM})*(?:${ATOM}[*+](?:${ATOM})*)?|(?:${ATOM})*)\\$?$`,
  'u',
);

/** Known, and refused with the reason. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['dependencies', 'use dependentRequired or dependentSchemas'],
  ['$anchor', 'refer to a place by its path, such as #/$defs/name'],
  ['$dynamicRef', 'use $ref'],
  ['$dynamicAnchor', 'use $ref'],
  ['$recursiveRef', 'use $ref'],
  ['$recursiveAnchor', 'use $ref'],
  ['$vocabulary', 'the keywords are those of the standard'],
]);

const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'];
/** Formats of JSON Schema that are checked, in time proportional to the text. */
const FORMAT_NAMES = Object.keys(FORMATS).filter((name) => name !== 'url' && name !== 'regex');

/** What of a value a JSON Schema does not allow: a keyword, and where, as a JSON Pointer; undefined when it is valid. */
export type JsonTest = (value: unknown) => { keyword: string; pointer: string } | undefined;

/**
 * Checks a JSON Schema and prepares it. A keyword that is not known, or that can't be checked in bounded time, is a
 * problem; so is a reference that leads out of the schema or back to itself. No code is generated, as a page with a
 * Content Security Policy forbids it.
 */
export function compileJsonSchema(
  schema: unknown,
  path: string,
  problems: ProblemList,
): JsonTest | undefined {
  const before = problems.problems.length;
  if (!isObject(schema)) {
    problems.add(path, `is ${show(schema)}; a JSON Schema, an object, is needed`);
    return undefined;
  }
  const named = schema.$schema;
  const draft =
    named === undefined ? '2020-12' : DRAFTS.get(isString(named) ? named.replace(/#$/, '') : '');
  if (draft === undefined) {
    problems.add(`${path}.$schema`, `is ${show(named)}; allowed: ${[...DRAFTS.keys()].join(', ')}`);
  }
  const compiler: Compiler = {
    root: schema,
    draft: draft ?? '2020-12',
    problems,
    schemas: new Set(),
    references: [],
    unevaluated: new Set(),
  };
  const compiled = prepare(schema, path, compiler);
  for (const reference of compiler.references) {
    const referred = target(schema, reference.value);
    if (compiler.unevaluated.has(referred)) problems.add(reference.path, UNEVALUATED_BRANCH);
    if (compiler.schemas.has(referred)) continue;
    const found = show(reference.value);
    problems.add(reference.path, `is ${found}; a schema in this one is needed, as by #/$defs/name`);
  }
  if (problems.problems.length === before) noteLoops(path, compiler);
  if (problems.problems.length > before) return undefined;
  const validator = new Validator(compiled, compiler.draft);
  return (value) => {
    // The last error is the innermost one: those before it say where it is.
    const error = validator.validate(value).errors.at(-1);
    return error && { keyword: error.keyword, pointer: error.instanceLocation.slice(1) };
  };
}

interface Compiler {
  readonly root: Record<string, unknown>;
  readonly draft: SchemaDraft;
  readonly problems: ProblemList;
  /** Every object that is a schema. */
  readonly schemas: Set<unknown>;
  readonly references: { readonly path: string; readonly value: unknown }[];
  /** Those that look at what is left unevaluated. */
  readonly unevaluated: Set<unknown>;
}

/** The schema with its patterns as formats, which are matched in linear time; the library would backtrack. */
function prepare(schema: unknown, path: string, compiler: Compiler, isBranch = false): Schema {
  const { problems, draft } = compiler;
  // The library takes true and false for schemas wherever JSON Schema does.
  if (typeof schema === 'boolean') return schema as unknown as Schema;
  const given = problems.object(path, schema) ?? {};
  compiler.schemas.add(schema);
  const prepared: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const place = `${path}.${name}`;
    const reason = REFUSED.get(name);
    const form = KEYWORDS.get(name);
    if (reason !== undefined) problems.add(place, `is not supported: ${reason}`);
    else if (form === 'unevaluated' && (isBranch || draft === '7' || draft === '4')) {
      problems.add(place, isBranch ? UNEVALUATED_BRANCH : 'is not known to this draft');
    } else if (form !== undefined) {
      const branches = SAME_VALUE.includes(name);
      prepared[name] = prepareKeyword(form, value, place, compiler, branches);
      if (form === 'unevaluated') compiler.unevaluated.add(schema);
    } else if (!name.startsWith('x-')) problems.unknown(`${path}.`, name, KEYWORD_NAMES);
  }
  if (prepared.pattern !== undefined) {
    const pattern = { format: prepared.pattern };
    const { allOf } = prepared;
    delete prepared.pattern;
    prepared.allOf = [...(Array.isArray(allOf) ? allOf : []), pattern];
  }
  if (given.uniqueItems === true) guardUniqueItems(given, prepared, path, problems);
  // References lead into this schema whatever it is called, so only its parts must have no names of their own.
  delete prepared.$id;
  if (given.$id !== undefined && given !== compiler.root) {
    problems.add(`${path}.$id`, 'is not supported: refer to a place by its path');
  }
  if (draft === '2020-12' && given.additionalItems !== undefined) {
    problems.add(`${path}.additionalItems`, 'is not supported: use items');
  }
  return prepared as Schema;
}

const UNEVALUATED_BRANCH =
  'is not supported in a part of a schema for the same value, nor in what is referred to: the validator would take for evaluated there what other parts have; use it beside these parts';

/** Items are compared only where there are few enough, which `maxItems` has to say; it judges all others. */
function guardUniqueItems(
  { maxItems }: Record<string, unknown>,
  prepared: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): void {
  if (!isCount(maxItems) || maxItems > MOST_UNIQUE_ITEMS) {
    const allowed = `maxItems of at most ${MOST_UNIQUE_ITEMS} is needed beside it`;
    problems.add(
      `${path}.uniqueItems`,
      `is true; ${allowed}, since each item is compared with each`,
    );
    return;
  }
  const { allOf } = prepared;
  delete prepared.uniqueItems;
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  const guarded = { if: { maxItems }, then: { uniqueItems: true } };
  prepared.allOf = [...(Array.isArray(allOf) ? allOf : []), guarded];
}

function prepareKeyword(
  form: Form,
  value: unknown,
  path: string,
  compiler: Compiler,
  isBranch: boolean,
): unknown {
  const { draft, problems } = compiler;
  const need = (allowed: string): void =>
    problems.add(path, `is ${show(value)}; ${allowed} is needed`);
  switch (form) {
    case 'schema':
    case 'unevaluated':
      return prepare(value, path, compiler, isBranch);
    case 'patterns':
      for (const name of Object.keys(problems.object(path, value) ?? {})) {
        if (!isLinearName(name)) problems.add(`${path}.${name}`, NAME_PATTERN);
      }
      return prepareKeyword('map', value, path, compiler, false);
    case 'items':
      if (!Array.isArray(value) || draft === '2020-12') return prepare(value, path, compiler);
      return value.map((item, index) => prepare(item, `${path}[${index}]`, compiler));
    case 'schemas':
      if (Array.isArray(value) && value.length > 0) {
        return value.map((item, index) => prepare(item, `${path}[${index}]`, compiler, isBranch));
      }
      need('a list of at least one schema');
      return undefined;
    case 'map':
      return Object.fromEntries(
        Object.entries(problems.object(path, value) ?? {}).map(([name, item]) => [
          name,
          prepare(item, `${path}.${name}`, compiler, isBranch),
        ]),
      );
    case 'pattern':
      return linearFormat(value, path, problems);
    case 'ref':
      compiler.references.push({ path, value });
      return value;
    default:
      if (!isOfForm(form, value, draft)) need(ALLOWED[form] ?? form);
      else if (COMPARED.includes(form) && isRounded(value)) {
        problems.add(path, `is ${show(value)}, beyond 2^53, where numbers of JSON are rounded`);
      }
      return value;
  }
}

function isLinearName(pattern: string): boolean {
  try {
    return LINEAR_NAME.test(pattern) && new RegExp(pattern, 'u').source !== '';
  } catch {
    // Such as a range from the larger to the smaller.
    return false;
  }
}

const NAME_PATTERN =
  'is not supported: names of properties are matched by characters, classes, {n}, and after ^ one * or +; else check them by propertyNames';

const ALLOWED: Partial<Record<Form, string>> = {
  count: COUNT,
  number: 'a number',
  limit: 'a number',
  positive: 'a number above 0',
  text: 'a text',
  texts: 'a list of texts',
  'text lists': 'an object of lists of texts',
  list: 'a list',
  flag: 'true or false',
  type: `one of ${TYPES.join(', ')}, or a list of them,`,
  format: `one of ${FORMAT_NAMES.join(', ')}`,
};

function isOfForm(form: Form, value: unknown, draft: SchemaDraft): boolean {
  const isType = (name: unknown): boolean => isString(name) && TYPES.includes(name);
  switch (form) {
    case 'count':
      return isCount(value);
    case 'number':
      return Number.isFinite(value);
    case 'limit':
      return Number.isFinite(value) || (draft === '4' && typeof value === 'boolean');
    case 'positive':
      return Number.isFinite(value) && (value as number) > 0;
    case 'text':
      return isString(value);
    case 'texts':
      return isStringList(value);
    case 'text lists':
      return isObject(value) && Object.values(value).every(isStringList);
    case 'flag':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'type':
      return isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType));
    case 'format':
      return isString(value) && FORMAT_NAMES.includes(value);
    default:
      return true;
  }
}

/** Registers the pattern with the library as a format of its own, and gives that format's name. */
function linearFormat(value: unknown, path: string, problems: ProblemList): string | undefined {
  const text = problems.optional(path, value, isString, 'a regular expression');
  if (text === undefined) return undefined;
  const name = `pattern ${text}`;
  try {
    // JSON Schema looks for the pattern anywhere in the text, while ours match all of it.
    const pattern = new LinearPattern(`[\\s\\S]*(?:${text})[\\s\\S]*`);
    FORMATS[name] = (value) => {
      const bytes = encodeText(value);
      return pattern.matches(bytes, 0, bytes.length);
    };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    problems.add(path, `${show(text)} ${error.message}`);
  }
  return name;
}

/** What a reference leads to; undefined when that is not a place in this schema. */
function target(root: Record<string, unknown>, reference: unknown): unknown {
  if (!isString(reference) || !/^#(?:\/|$)/.test(reference)) return undefined;
  let place: unknown = root;
  for (const part of reference.split('/').slice(1)) {
    const name = part.replaceAll('%25', '%').replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) {
      return undefined;
    }
    place = (place as Record<string, unknown>)[name];
  }
  return place;
}

/** Keywords that judge the same value, so that a reference through them alone would never end. */
const SAME_VALUE = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'];

/** Names each schema that leads back to itself without looking into the value. */
function noteLoops(path: string, { root, problems, schemas }: Compiler): void {
  const done = new Set<unknown>();
  const open = new Set<unknown>();
  const leadsBack = (place: unknown): boolean => {
    if (!isObject(place) || done.has(place)) return false;
    if (open.has(place)) return true;
    open.add(place);
    const next = SAME_VALUE.flatMap((name) => {
      const value = place[name];
      if (name === 'dependentSchemas') return isObject(value) ? Object.values(value) : [];
      return Array.isArray(value) ? (value as unknown[]) : [value];
    });
    const loops = [target(root, place.$ref), ...next].some(leadsBack);
    open.delete(place);
    done.add(place);
    return loops;
  };
  for (const schema of schemas) {
    if (leadsBack(schema)) {
      problems.add(path, `has ${show(schema)}, whose reference leads back to itself`);
    }
  }
}
