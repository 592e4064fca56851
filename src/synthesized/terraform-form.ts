type Json = Readonly<Record<string, unknown>>;

/**
 * What keeps a JSON value from being Terraform's (Terraform, "JSON Configuration Syntax"): paths with
 * what must be there. Whoever reads on may then rely on the form of blocks; arguments are left to rules.
 */
export function formFaults(json: unknown): readonly string[] {
  if (!isObject(json)) return ['it must be an object'];
  return [
    ...['resource', 'data'].flatMap((mode) =>
      entriesOf(json[mode], mode).flatMap(({ path, value, name, faults }) => [
        ...faults,
        ...(faults.length > 0 || isType(name) ? [] : [`${path} is not a type`]),
        ...entriesOf(value, path).flatMap((block) => [
          ...block.faults,
          ...(block.faults.length > 0 || isIdentifier(block.name)
            ? []
            : [`${block.path} is not a name`]),
          ...(isObject(block.value) ? metaFaults(block.value, block.path) : []),
          ...(isObject(block.value) || block.faults.length > 0 ? [] : mustBe(block.path)),
        ]),
      ]),
    ),
    ...['variable', 'output'].flatMap((kind) =>
      entriesOf(json[kind], kind).flatMap(({ path, value, faults }) => [
        ...faults,
        ...(isObject(value) || faults.length > 0 ? [] : mustBe(path)),
      ]),
    ),
    ...['locals', 'terraform'].flatMap((kind) =>
      json[kind] === undefined || isObject(json[kind]) ? [] : mustBe(kind),
    ),
    ...entriesOf(json.provider, 'provider').flatMap(({ path, value, faults }) => [
      ...faults,
      ...(faults.length > 0 || [value].flat().every(isObject) ? [] : mustBe(path)),
    ]),
  ];
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isType(name: string): boolean {
  return isIdentifier(name) && !(name in Object.prototype);
}

/** Terraform, "Syntax", identifiers. They also become names of files. */
function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(name);
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly value: unknown;
  readonly faults: readonly string[];
}

/** Members of an object that may be left out; one entry with a fault where it is none. */
function entriesOf(value: unknown, path: string): readonly Entry[] {
  if (value === undefined) return [];
  if (!isObject(value)) return [{ name: '', path, value: undefined, faults: mustBe(path) }];
  return Object.entries(value).map(([name, member]) => ({
    name,
    path: `${path}.${name}`,
    value: member ?? null,
    faults: [],
  }));
}

/** Arguments that every block may have. */
function metaFaults(block: Json, path: string): readonly string[] {
  const { depends_on, lifecycle, tags } = block;
  const isExpression = typeof tags === 'string' && tags.includes('${');
  return [
    ...(depends_on === undefined || Array.isArray(depends_on)
      ? []
      : [`${path}.depends_on must be a list`]),
    ...([lifecycle ?? {}].flat().every(isObject) ? [] : mustBe(`${path}.lifecycle`)),
    ...(isExpression || isObject(tags ?? {}) ? [] : mustBe(`${path}.tags`)),
  ];
}

function mustBe(path: string): readonly string[] {
  return [`${path} must be an object`];
}
