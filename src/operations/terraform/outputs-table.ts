import type { Output } from './terraform.ts';

/** Outputs by name, without the values of the sensitive ones. */
export function shownOutputs(
  outputs: Readonly<Record<string, Output>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { sensitive, value }]) => [
      name,
      sensitive ? '(sensitive)' : value,
    ]),
  );
}

/** The same as a table: one line each, a list's values with commas between them. */
export function outputsTable(outputs: Readonly<Record<string, Output>>): string {
  const shown = Object.entries(shownOutputs(outputs));
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${name.padEnd(width)}  ${textOf(value)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
