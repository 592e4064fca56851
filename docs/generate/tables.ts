import { CLASSIFICATIONS } from '@file-processing/quality/classification.ts';
import type { Place, Showing } from '../../listener/src/privacy/places.ts';
import type { Variable, VariableTable } from '../../src/settings/variable.ts';

/** The listener's environment variables, as far as a reader needs them. */
export type EnvironmentVariables = Readonly<
  Record<
    string,
    {
      readonly description: string;
      readonly default?: string;
      readonly example: string;
      readonly kind: { readonly allowed: string };
      readonly secret?: true;
      readonly file?: true;
    }
  >
>;

/** One error that the listener answers with. */
export type Errors = Readonly<
  Record<string, { readonly status: number; readonly template: string }>
>;

/** One metric of the listener. */
export interface DocumentedMetric {
  readonly name: string;
  readonly help: string;
}

/** The outputs of a stack, as they stand in its Terraform JSON. */
export type Outputs = Readonly<Record<string, { readonly description?: unknown }>>;

/** A Markdown table of a tfvars file's variables, in the order of the table. */
export function variablesMarkdown(table: VariableTable): string {
  return markdownTable(
    ['Variable', 'Type', 'Default', 'What it does', 'Must be', 'Example'],
    rowsOf(table).map(([name, variable]) => [
      code(name),
      variable.type,
      defaultOf(variable),
      whatItDoes(variable),
      variable.allowed,
      variable.sensitive ? '' : code(JSON.stringify(variable.example)),
    ]),
  );
}

/** The variables of a table; below a list of objects the attributes of one. */
function rowsOf(table: VariableTable): readonly (readonly [string, VariableTable[string]])[] {
  return Object.entries(table).flatMap(([name, variable]) => [
    [name, variable] as const,
    ...rowsOf(variable.attributes).map(([key, one]) => [`${name}[].${key}`, one] as const),
  ]);
}

/** A Markdown table of a stack's outputs, by name. */
export function outputsMarkdown(outputs: Outputs): string {
  return markdownTable(
    ['Output', 'What it is'],
    Object.entries(outputs).map(([name, { description }]) => [code(name), String(description)]),
  );
}

/** A Markdown table of the commands of `manage`, in the order of its help. */
export function commandsMarkdown(
  operations: readonly { readonly name: string; readonly summary: string }[],
): string {
  return markdownTable(
    ['Command', 'What it does'],
    operations.map(({ name, summary }) => [code(name), summary]),
  );
}

/** A Markdown table of the listener's environment variables. */
export function environmentMarkdown(variables: EnvironmentVariables): string {
  return markdownTable(
    ['Variable', 'Default', 'What it is', 'Must be', 'Example'],
    Object.entries(variables).map(([name, variable]) => [
      code(name),
      variable.default === undefined ? '' : code(variable.default),
      `${variable.description}${variable.file ? ` Or ${code(`${name}_FILE`)} names a file with it.` : ''}`,
      variable.kind.allowed,
      variable.secret ? '' : code(variable.example),
    ]),
  );
}

/** A Markdown table of the listener's errors, by status. */
export function errorsMarkdown(errors: Errors): string {
  return markdownTable(
    ['Status', 'Code', 'Message'],
    Object.entries(errors)
      .toSorted(([, one], [, other]) => one.status - other.status)
      .map(([name, { status, template }]) => [`${status}`, code(name), template]),
  );
}

/** A Markdown table of the listener's own metrics, by name; those of Node.js and the process are left out. */
export function metricsMarkdown(metrics: readonly DocumentedMetric[]): string {
  return markdownTable(
    ['Metric', 'What it counts'],
    metrics
      .filter(({ name }) => name.startsWith('file_processing_'))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ name, help }) => [code(name), help]),
  );
}

function whatItDoes({ description, unit, setAt }: Variable<unknown>): string {
  const inUnit = unit === undefined ? '' : ` In ${unit}.`;
  return `${description}${inUnit}${setAt === 'plan' ? ' Also a Terraform variable (`-var`).' : ''}`;
}

function defaultOf({ default: value }: Variable<unknown>): string {
  return value === undefined ? '**required**' : code(JSON.stringify(value));
}

/** A Markdown table of the audit's own rules, in the order of the audit. */
export function rulesMarkdown(
  rules: readonly Readonly<Record<'id' | 'title' | 'severity' | 'control', string>>[],
): string {
  return markdownTable(
    ['Rule', 'What the rule requires', 'Severity', 'NIST SP 800-53'],
    rules.map(({ id, title, severity, control }) => [code(id), title, severity, control]),
  );
}

/** A text in backticks. */
export function code(text: string): string {
  return `\`${text}\``;
}

const SHOWN: Readonly<Record<Showing, string>> = {
  value: 'value',
  'by setting': 'value where `REPORT_VALUES` is true, else shape',
  'on reveal': 'shape; value on `--reveal`',
  shape: 'shape',
  nothing: 'nothing',
};

/** What each place shows of values, by how sensitive they are. */
export function placesMarkdown(places: readonly Place[]): string {
  return markdownTable(
    ['Place', ...CLASSIFICATIONS.map(code)],
    places.map(({ place, shows }) => [place, ...CLASSIFICATIONS.map((name) => SHOWN[shows[name]])]),
  );
}

/** A Markdown table; what would end a cell, or begin HTML, is escaped. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '\\<')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
