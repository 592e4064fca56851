/**
 * The text of a tfvars file with some variables set: a one-line assignment is replaced, a variable
 * without one is appended.
 *
 * @throws Error when the assignment that would be replaced goes over several lines.
 */
export function withValues(tfvars: string, values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).reduce(withValue, tfvars);
}

function withValue(tfvars: string, [name, value]: readonly [string, unknown]): string {
  // HCL writes texts, numbers, booleans and lists as JSON does.
  const assignment = `${name} = ${JSON.stringify(value)}`;
  const lines = tfvars.split('\n');
  const index = lines.findIndex((line) => new RegExp(`^${name}\\s*=`).test(line));
  if (index === -1) return `${tfvars.trimEnd()}\n${assignment}\n`;
  if (/[[{]$/.test(lines[index] ?? '')) throw new Error(`${name} goes over several lines`);
  return lines.with(index, assignment).join('\n');
}
