import { stackArgument } from '../command-options.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { openStack } from '../terraform/open-stack.ts';
import { DEFAULT_STACK, isStackName } from '../terraform/stacks.ts';
import type { Output } from '../terraform/terraform.ts';

/** `manage outputs`: what a stack tells others, such as its topic and its load balancer. */
export const outputs: Operation = {
  name: 'outputs',
  summary: 'show the outputs of a stack; sensitive ones hidden',
  describe: (command) => command.addArgument(stackArgument()),
  execute: async (context, options, operand) => {
    const name = isStackName(operand) ? operand : DEFAULT_STACK;
    const { terraform } = await openStack(context, options, name);
    const found = await terraform.outputs();
    if (Object.keys(found).length === 0) {
      context.stderr.write(`${name} has no outputs yet: apply it first\n`);
    }
    context.stdout.write(
      options.json ? `${JSON.stringify(shownOutputs(found), null, 2)}\n` : outputsTable(found),
    );
    return EXIT.ok;
  },
};

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
