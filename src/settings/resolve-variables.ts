import { type Finding, nearestName } from './finding.ts';
import type { TfvarsAssignment, TfvarsValue } from './tfvars/tfvars-value.ts';
import type { SettingsOf, Variable, VariableTable } from './variable.ts';

/** An assignment and the file that it stands in. */
export interface SourcedAssignment extends TfvarsAssignment {
  readonly file: string;
}

/** What a tfvars file says once it is held against its table of variables. */
export interface ResolvedVariables<Table extends VariableTable> {
  /** Frozen; a variable at fault has its default here, and must not be used. */
  readonly settings: SettingsOf<Table>;
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** Sensitive variables that the file gives a value to. */
  readonly secretsGiven: ReadonlySet<string>;
}

/**
 * Holds assignments against a table of variables: converts as Terraform does (`"5432"` is a number
 * where one is wanted), fills defaults, and collects every fault and warning. `null` means the default.
 * `file` is where a variable that nobody assigned should have been, `what` the noun for one of the table.
 */
export function resolveVariables<Table extends VariableTable>(
  file: string,
  assignments: readonly SourcedAssignment[],
  table: Table,
  what = 'a variable of this stack',
): ResolvedVariables<Table> {
  const faults: Finding[] = [];
  const warnings: Finding[] = [];
  const secretsGiven = new Set<string>();
  const settings: Record<string, unknown> = {};
  const given = new Map(assignments.map((assignment) => [assignment.name, assignment]));

  for (const { file, name, line } of assignments) {
    if (!Object.hasOwn(table, name)) {
      warnings.push({ file, line, variable: name, message: unknownMessage(name, table, what) });
    }
  }

  for (const [name, variable] of Object.entries(table)) {
    const assignment = given.get(name);
    const location = { file: assignment?.file ?? file, line: assignment?.line, variable: name };
    settings[name] = variable.default;
    if (assignment === undefined || assignment.value === null) {
      if (variable.default === undefined) {
        faults.push({ ...location, message: `is required; must be ${variable.allowed}` });
        continue;
      }
    } else {
      const objects = objectsOf(location, assignment.value, variable);
      // One by one: a call takes no hundred thousand arguments.
      for (const found of objects?.faults ?? []) faults.push(found);
      for (const found of objects?.warnings ?? []) warnings.push(found);
      if (objects !== undefined && objects.faults.length > 0) continue;
      const value = objects?.value ?? convert(assignment.value, variable.type);
      if (JSON.stringify(value)?.includes(CDKTF_TOKEN)) {
        faults.push({
          ...location,
          message: `must not contain ${CDKTF_TOKEN}, which cdktf reserves`,
        });
        continue;
      }
      const problems = value === undefined ? [WHOLE] : problemsOf(value, variable);
      for (const problem of problems) {
        faults.push(fault(location, assignment.value, variable, problem));
      }
      if (problems.length > 0) continue;
      if (variable.sensitive) {
        if (value !== '') secretsGiven.add(name);
        continue;
      }
      if (variable.type === 'string' && losesZeros(assignment.value)) {
        warnings.push({
          ...location,
          value: assignment.value,
          message: `is a number: ${QUOTE_IT}`,
        });
      }
      settings[name] = value;
    }
    const unwise = variable.unwise(settings[name]);
    if (unwise !== undefined) {
      const value = assignment === undefined ? undefined : (settings[name] as TfvarsValue);
      warnings.push({ ...location, value, message: unwise });
    }
  }

  return { settings: deepFreeze(settings) as SettingsOf<Table>, faults, warnings, secretsGiven };
}

/** The objects of a `list(object)`, each held against the table of its attributes; undefined for what is no such list. */
function objectsOf(
  location: Omit<Finding, 'message'> & { readonly file: string },
  value: TfvarsValue,
  { type, attributes }: Variable<unknown>,
) {
  if (type !== 'list(object)' || !Array.isArray(value) || !value.every(isMap)) return undefined;
  const { file, line = 0, variable } = location;
  const objects = value.map((object, index) => {
    const assignments = Object.entries(object).map(([name, item]) => {
      return { file, line, name, value: item };
    });
    const resolved = resolveVariables(file, assignments, attributes, `an attribute of ${variable}`);
    const inside = (finding: Finding): Finding => ({
      ...finding,
      line: location.line,
      variable: `${variable}[${index}].${finding.variable}`,
    });
    return {
      settings: resolved.settings,
      faults: resolved.faults.map(inside),
      warnings: resolved.warnings.map(inside),
    };
  });
  return {
    value: objects.map(({ settings }) => settings),
    faults: objects.flatMap(({ faults }) => faults),
    warnings: objects.flatMap(({ warnings }) => warnings),
  };
}

/** What a number loses where a text is wanted, in Terraform too. */
const QUOTE_IT = 'write it in quotes, because a number loses zeros at its ends (1.30 is 1.3)';

function losesZeros(value: TfvarsValue): boolean {
  return typeof value === 'number' && !Number.isInteger(value);
}

function isMap(value: TfvarsValue): value is { readonly [key: string]: TfvarsValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In a string cdktf takes it for one of its own references (cdktf, `tokens/private/encoding.ts`). */
const CDKTF_TOKEN = '{TfToken[';

/** A fault of the value as a whole, or of one of its items. */
type Problem = { readonly item?: string };
const WHOLE: Problem = {};

function problemsOf(value: unknown, variable: Variable<unknown>): readonly Problem[] {
  if (value === variable.default) return [];
  if (!variable.accepts(value)) {
    // An entry that would be refused alone is the one to show, among however many.
    const entries = variable.type === 'map(string)' ? items(value) : [];
    const refused = entries.filter(([key, item]) => !variable.accepts({ [key]: item }));
    return refused.length > 0 ? refused.map(([key]) => ({ item: key })) : [WHOLE];
  }
  if (variable.type === 'list(object)') return [];
  return items(value)
    .filter(([, item]) => !variable.acceptsItem(item))
    .map(([key]) => ({ item: key }));
}

function items(value: unknown): readonly (readonly [string, string])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function fault(
  location: Omit<Finding, 'message'>,
  value: TfvarsValue,
  { allowed, sensitive, type }: Variable<unknown>,
  { item }: Problem,
): Finding {
  const isItem = item !== undefined && typeof value === 'object' && value !== null;
  const shown = isItem ? (value as Readonly<Record<string, TfvarsValue>>)[item] : value;
  const isUnquoted = type.includes('string') && typeof shown === 'number';
  const message = `must be ${allowed}${isUnquoted ? `; ${QUOTE_IT}` : ''}`;
  if (sensitive) return { ...location, message };
  const index = Array.isArray(value) ? item : JSON.stringify(item);
  const place = isItem ? `${location.variable}[${index}]` : location.variable;
  return { ...location, variable: place, value: shown, message };
}

function unknownMessage(name: string, table: VariableTable, what: string): string {
  const nearest = nearestName(name, Object.keys(table));
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return `is not ${what} and is ignored${hint}`;
}

/** Texts that Terraform takes for a number, tried on 1.11: a sign, an exponent, no blanks. */
const NUMBER_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

const BOOL_TEXTS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Terraform's automatic conversions (Terraform language, "Types and Values", "Type Conversion"). */
function convert(value: TfvarsValue, type: Variable<unknown>['type']): unknown {
  switch (type) {
    case 'string':
      return typeof value === 'object' ? undefined : String(value);
    case 'number':
      if (typeof value === 'number') return value;
      return typeof value === 'string' && NUMBER_TEXT.test(value) ? Number(value) : undefined;
    case 'bool':
      if (typeof value === 'boolean') return value;
      return typeof value === 'string' ? BOOL_TEXTS.get(value) : undefined;
    case 'list(string)':
      return Array.isArray(value) ? convertItems(value)?.map(([, item]) => item) : undefined;
    case 'map(string)': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      const converted = convertItems(value);
      return converted && Object.fromEntries(converted);
    }
    case 'list(object)':
      return undefined;
  }
}

function convertItems(value: object): readonly (readonly [string, string])[] | undefined {
  const converted = Object.entries(value).map(([key, item]) => [key, itemText(item)] as const);
  return converted.every((entry): entry is [string, string] => entry[1] !== undefined)
    ? converted
    : undefined;
}

function itemText(item: TfvarsValue): string | undefined {
  return typeof item === 'object' ? undefined : String(item);
}

function deepFreeze<T extends object>(value: T): T {
  for (const item of Object.values(value)) {
    if (typeof item === 'object' && item !== null) deepFreeze(item);
  }
  return Object.freeze(value);
}
