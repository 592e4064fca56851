import { applyEdits, modify } from 'jsonc-parser';
import { readHclLiterals } from '../settings/tfvars/hcl-literals.ts';
import { hclLiteral } from '../settings/tfvars/hcl-strings.ts';
import type { TfvarsValue } from '../settings/tfvars/tfvars-value.ts';
import type { Variable, VariableTable } from '../settings/variable.ts';
import { OperationError } from './operation-error.ts';

/** What a new tfvars file is written from. */
export interface TfvarsContents {
  readonly heading: string;
  readonly table: VariableTable;
  /** The variables of the file, in their order. */
  readonly names: readonly string[];
  /** What was typed for a variable, by its name. */
  readonly answers: ReadonlyMap<string, string | undefined>;
}

/**
 * The text of a tfvars file: each variable below its description. One that was not answered stands
 * there as a comment with its example.
 */
export function tfvarsText({ heading, table, names, answers }: TfvarsContents): string {
  const entries = names.map((name) => {
    const variable = table[name];
    if (variable === undefined) throw new Error(`the table has no variable ${name}`);
    return entry(name, variable, answers.get(name));
  });
  return [`${comment(heading)}\n`, ...entries].join('\n');
}

function entry(name: string, variable: Variable<unknown>, answer: string | undefined): string {
  const description = comment(variable.description);
  if (answer === undefined || (answer === '' && variable.default === '')) {
    return `${description}\n# ${name} = ${literal(variable, variable.example)}\n`;
  }
  return `${description}\n${name} = ${literal(variable, answeredValue(variable, answer))}\n`;
}

/** What was typed, as a value that the reader of the settings converts to the variable's type: of objects the names. */
export function answeredValue({ type }: Variable<unknown>, answer: string): TfvarsValue {
  if (type !== 'list(string)' && type !== 'list(object)') return answer;
  const items = answer
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return type === 'list(object)' ? items.map((name) => ({ name })) : items;
}

function literal({ type }: Variable<unknown>, value: unknown): string {
  const isBare = type === 'bool' || (type === 'number' && /^\d+$/.test(String(value)));
  return isBare ? String(value) : hclLiteral(value as TfvarsValue);
}

const LONGEST_LINE = 100;

function comment(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= LONGEST_LINE) lines.splice(-1, 1, longer);
    else lines.push(`# ${word}`);
  }
  return lines.join('\n');
}

/**
 * The text of a tfvars file with one string variable set; everything else, comments too, stays.
 *
 * @param file - its name; `.json` at the end means the JSON form
 * @param name - a variable
 * @param value - letters, digits and `:/._-` only
 * @throws OperationError when the value stands where it can't be replaced safely
 */
export function withVariable(file: string, text: string, name: string, value: string): string {
  if (file.endsWith('.json')) {
    const formattingOptions = { insertSpaces: true, tabSize: 2 };
    return applyEdits(text, modify(text, [name], value, { formattingOptions }));
  }
  const assignment = readHclLiterals(text).assignments.find((one) => one.name === name);
  if (assignment === undefined) {
    const separator = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${separator}${name} = "${value}"\n`;
  }
  const lines = text.split('\n');
  const line = lines[assignment.line - 1] ?? '';
  const replaced = line.replace(
    new RegExp(`^(\\s*${name}\\s*=\\s*)(?:"[^"\\\\]*"|null)`),
    `$1"${value}"`,
  );
  if (replaced === line && assignment.value !== value) {
    throw new OperationError(`${file}:${assignment.line}: ${name} can't be replaced there`, {
      next: `write ${name} = "${value}" by hand`,
    });
  }
  lines[assignment.line - 1] = replaced;
  return lines.join('\n');
}
