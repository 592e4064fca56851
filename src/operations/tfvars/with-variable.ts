import { applyEdits, modify } from 'jsonc-parser';
import { readHclLiterals } from '../../settings/tfvars/hcl-literals.ts';
import { OperationError } from '../operation-error.ts';

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
