/**
 * What one variable of a tfvars file means. From this table come the validation, the settings' types,
 * the table in docs/settings.md and the Terraform `variable` blocks.
 */
export interface Variable<T> {
  /** Terraform's name of the type. */
  readonly type: 'string' | 'number' | 'bool' | 'list(string)' | 'map(string)' | 'list(object)';
  /** The attributes of an object of a `list(object)`, each a variable of its own; one without default must be given. */
  readonly attributes: VariableTable;
  /** One sentence that says what the variable does. */
  readonly description: string;
  /** Unit of a number, in words. */
  readonly unit?: string;
  /** Value when the file leaves the variable out; `undefined` means that it must be given. */
  readonly default: T | undefined;
  /** A value that a user could write. */
  readonly example: T;
  /** What is accepted, in words that complete "must be ...". */
  readonly allowed: string;
  /** Whether a value of the right type is accepted. */
  readonly accepts: (value: T) => boolean;
  /** The form of a string, in the syntax that JavaScript and RE2 share; Terraform checks it as well. */
  readonly pattern: RegExp | undefined;
  /** For a list or a map: whether one of its values is accepted. */
  readonly acceptsItem: (item: string) => boolean;
  /** What is unwise about an accepted value, if anything; becomes a warning. */
  readonly unwise: (value: T) => string | undefined;
  /** A sensitive value is checked and then dropped: the settings only say whether one was given. */
  readonly sensitive: boolean;
  /**
   * `synth`: decides which resources exist, so it is fixed in the JSON.
   * `plan`: only fills a value, so it is a Terraform `variable` too and `-var` can change it without a new synth.
   */
  readonly setAt: 'synth' | 'plan';
}

/** The variables of one tfvars file by name. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds variables of different types; SettingsOf restores each one.
export type VariableTable = Readonly<Record<string, Variable<any>>>;

/** The settings that a table of variables yields, under the same names as in the tfvars file. */
export type SettingsOf<Table extends VariableTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Variable<infer T> ? T : never;
};

type Description<T> = Pick<Variable<T>, 'description' | 'example'> &
  Partial<Omit<Variable<T>, 'type' | 'description' | 'example'>>;

function variable<T>(
  type: Variable<T>['type'],
  allowed: string,
  given: Description<T>,
): Variable<T> {
  return {
    default: undefined,
    allowed,
    accepts: (value) => given.pattern?.test(String(value)) ?? true,
    pattern: undefined,
    acceptsItem: () => true,
    attributes: {},
    unwise: () => undefined,
    sensitive: false,
    setAt: 'synth',
    ...given,
    type,
  };
}

/** A string; a default of `''` means "not set", and is then accepted as well. */
export function text(given: Description<string>): Variable<string> {
  return variable('string', 'a string', given);
}

/** A string out of a few. */
export function choice<const T extends string>(
  values: readonly T[],
  given: Description<NoInfer<T>>,
): Variable<T> {
  return variable<T>('string', `one of ${values.map((value) => `"${value}"`).join(', ')}`, {
    accepts: (value) => values.includes(value),
    ...given,
  });
}

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number, given: Description<number>): Variable<number> {
  return variable('number', `a whole number from ${min} to ${max}`, {
    accepts: (value) => Number.isInteger(value) && value >= min && value <= max,
    ...given,
  });
}

/** A number from `min` to `max`, both included, in steps of a half. */
export function halves(min: number, max: number, given: Description<number>): Variable<number> {
  return variable('number', `a number from ${min} to ${max} in steps of 0.5`, {
    accepts: (value) => Number.isInteger(value * 2) && value >= min && value <= max,
    ...given,
  });
}

/** A whole number out of a few. */
export function oneOf(values: readonly number[], given: Description<number>): Variable<number> {
  return variable('number', `one of ${values.join(', ')}`, {
    accepts: (value) => values.includes(value),
    ...given,
  });
}

/** true or false. */
export function flag(given: Description<boolean>): Variable<boolean> {
  return variable('bool', 'true or false', given);
}

/** A list of strings. */
export function textList(given: Description<readonly string[]>): Variable<readonly string[]> {
  return variable('list(string)', 'a list of strings', given);
}

/** A map of strings. */
export function textMap(
  given: Description<Readonly<Record<string, string>>>,
): Variable<Readonly<Record<string, string>>> {
  return variable('map(string)', 'a map of strings', given);
}

/** A list of objects with the attributes of a table; what an object leaves out has the attribute's default. */
export function objectList<const Table extends VariableTable>(
  attributes: Table,
  given: Description<readonly SettingsOf<Table>[]>,
): Variable<readonly SettingsOf<Table>[]> {
  return variable<readonly SettingsOf<Table>[]>('list(object)', 'a list of objects', {
    ...given,
    attributes,
  });
}
