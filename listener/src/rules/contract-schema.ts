import { readFileSync } from 'node:fs';
import { Ajv2019, type ErrorObject } from 'ajv/dist/2019.js';

/** A value of a contract that the standard does not allow. */
interface SchemaFault {
  /** As `schema[0].properties[2].logicalType`; empty for the contract as a whole. */
  readonly path: string;
  readonly message: string;
}

const SCHEMA = new URL('odcs/odcs-v3.2.0.schema.json', import.meta.url);

/** Holds a contract against the JSON schema of the Open Data Contract Standard. @returns every fault, once each */
export function contractFaults(contract: unknown): readonly SchemaFault[] {
  // The standard's own schema leaves types out and has formats for people.
  const options = { strict: false, validateFormats: false, allErrors: true, verbose: true };
  const validate = new Ajv2019(options).compile(standardSchema());
  validate(contract);
  const faults = new Map<string, SchemaFault>();
  for (const error of withoutNoise(validate.errors ?? [])) {
    const fault = faultOf(error);
    faults.set(`${fault.path}: ${fault.message}`, fault);
  }
  return [...faults.values()];
}

/**
 * The standard's schema, whose conditions on a property's type hold also for one without a type, as `const` does for what is
 * missing: it would have to be a map. The standard itself asks for no type.
 */
function standardSchema(): object {
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'));
  for (const { if: condition } of schema.$defs.SchemaBaseProperty.allOf) {
    if (condition !== undefined) condition.required = ['logicalType'];
  }
  return schema;
}

/** Types of JSON in words. */
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a text',
};

type SchemaError = ErrorObject & { readonly needed?: readonly string[] };

/** What says only that something else is wrong; of forms that exclude each other one fault stays, not one for each. */
function withoutNoise(errors: readonly ErrorObject[]): readonly SchemaError[] {
  const groups = errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  const isPart = ({ schemaPath }: ErrorObject) =>
    groups.some((group) => schemaPath.startsWith(`${group.schemaPath}/`));
  return errors.flatMap((error): SchemaError[] => {
    if (error.keyword === 'if' || isPart(error)) return [];
    if (!groups.includes(error)) return [error];
    const parts = errors.filter((part) => part.schemaPath.startsWith(`${error.schemaPath}/`));
    const needed = parts.flatMap(({ params }) => params.missingProperty ?? []);
    return [{ ...error, ...(needed.length === parts.length ? { needed } : {}) }];
  });
}

function faultOf({
  instancePath,
  keyword,
  params,
  message,
  data,
  parentSchema,
  needed,
}: SchemaError) {
  const path = pathOf(instancePath);
  const below = (name: string) => (path === '' ? name : `${path}.${name}`);
  switch (keyword) {
    case 'required':
      return { path: below(params.missingProperty), message: 'is missing' };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = params.additionalProperty ?? params.unevaluatedProperty;
      const known = Object.keys(parentSchema?.properties ?? {});
      const names = known.length === 0 ? '' : `; known: ${known.join(', ')}`;
      return { path: below(name), message: `is not known to the standard${names}` };
    }
    case 'enum':
      return { path, message: `is ${shown(data)}; allowed: ${params.allowedValues.join(', ')}` };
    case 'type':
      return { path, message: `is ${shown(data)}; allowed: ${typesText(params.type)}` };
    case 'oneOf':
    case 'anyOf':
      return {
        path,
        message: needed?.length
          ? `one of these is needed: ${[...new Set(needed)].join(', ')}`
          : `is ${shown(data)}, which has none of the forms that the standard allows, or several at once`,
      };
    default:
      return { path, message: `is ${shown(data)}: ${message}` };
  }
}

function typesText(types: string | readonly string[]): string {
  return [types]
    .flat()
    .map((type) => TYPES[type] ?? type)
    .join(', ');
}

/** `/schema/0/name` as `schema[0].name`. */
function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

const LONGEST = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
