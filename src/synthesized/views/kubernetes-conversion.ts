import {
  DATA_MAPS,
  entryFor,
  LISTS,
  NAMES,
  SCALARS,
  type ScalarType,
  SENT_DEFAULTS,
} from './kubernetes-fields.ts';

/** A field that is not of a shape which the tables know. */
export interface FieldFault {
  /** Path in the Terraform JSON, such as `spec.template.spec.container[0].image`. */
  readonly field: string;
  readonly fault: string;
}

/** Names from the kind down to a field, and how errors show the way. */
interface Place {
  readonly path: readonly string[];
  readonly shown: string;
}

/**
 * Converts a block of a `kubernetes_*` resource to the fields of the Kubernetes API.
 *
 * @param block - with every reference resolved that can be
 * @param path - names from the kind down to the block, such as `['Deployment']`
 * @param faults - gets what can't be converted
 */
export function fieldsOf(
  block: unknown,
  path: readonly string[],
  faults: FieldFault[],
): Record<string, unknown> {
  return convertBlock(block, { path, shown: '' }, faults);
}

function convertBlock(block: unknown, place: Place, faults: FieldFault[]): Record<string, unknown> {
  if (!isBlock(block)) {
    faults.push({ field: place.shown, fault: `must be a block, is ${JSON.stringify(block)}` });
    return {};
  }
  const withDefaults = { ...entryFor(SENT_DEFAULTS, place.path), ...withoutNulls(block) };
  return Object.fromEntries(
    Object.entries(withDefaults).flatMap(([name, value]) => {
      const field = convertField(value, within(place, name), faults);
      return field === undefined ? [] : [field];
    }),
  );
}

/** Name and value in the API; undefined for what is empty there. */
function convertField(
  value: unknown,
  place: Place,
  faults: FieldFault[],
): readonly [string, unknown] | undefined {
  const { path, shown } = place;
  const name = entryFor(NAMES, path) ?? camelCase(path.at(-1) ?? '');
  const wrong = (fault: string) => void faults.push({ field: shown, fault });

  if (path.at(-1) === 'dynamic') return wrong('makes blocks that only Terraform knows');
  if (entryFor(DATA_MAPS, path)) {
    if (!isBlock(value)) return wrong(`must be a map, is ${JSON.stringify(value)}`);
    return [name, textMap(value, place, faults)];
  }
  const list = Array.isArray(value) ? value.filter((item) => item !== null) : undefined;
  if (list?.length === 0) return undefined;
  if (list?.some(isBlock) || isBlock(value)) {
    const blocks = list ?? [value];
    const listName = entryFor(LISTS, path);
    if (listName) {
      return [listName, blocks.map((block, at) => convertBlock(block, item(place, at), faults))];
    }
    if (blocks.length === 1) return [name, convertBlock(blocks[0], place, faults)];
    return wrong(`takes one block, has ${blocks.length}; is it a list that LISTS doesn't know?`);
  }
  const type = entryFor(SCALARS, path);
  const scalar = (one: unknown, at: string) => convertScalar(one, type, at, faults);
  return [
    name,
    list ? list.map((one, at) => scalar(one, `${shown}[${at}]`)) : scalar(value, shown),
  ];
}

function textMap(
  map: Readonly<Record<string, unknown>>,
  { shown }: Place,
  faults: FieldFault[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(withoutNulls(map)).map(([key, value]) => [
      key,
      convertScalar(value, 'text', `${shown}["${key}"]`, faults),
    ]),
  );
}

/** Converts as Terraform does: `"2"` to 2, `"true"` to true, and back. */
function convertScalar(
  value: unknown,
  type: ScalarType | undefined,
  field: string,
  faults: FieldFault[],
): unknown {
  if (typeof value === 'object') {
    faults.push({ field, fault: `must be one value, is ${JSON.stringify(value)}` });
    return undefined;
  }
  if (type === undefined || (typeof value === 'string' && value.includes('${'))) return value;
  const text = String(value);
  const wrong = (allowed: string) => {
    faults.push({ field, fault: `must be ${allowed}, is ${JSON.stringify(value)}` });
    return value;
  };
  switch (type) {
    case 'text':
      return text;
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : wrong('a whole number');
    case 'integer or text':
      return /^\d+$/.test(text) ? Number(text) : text;
    case 'octal':
      return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : wrong('octal digits such as 0440');
    case 'boolean':
      return /^(true|false)$/.test(text) ? text === 'true' : wrong('true or false');
  }
}

/** To Terraform, null is the same as left out. */
function withoutNulls(block: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== null));
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function within({ path, shown }: Place, name: string): Place {
  return { path: [...path, name], shown: shown === '' ? name : `${shown}.${name}` };
}

function item({ path, shown }: Place, at: number): Place {
  return { path, shown: `${shown}[${at}]` };
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
