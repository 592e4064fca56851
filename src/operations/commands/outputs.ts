import { EXIT } from '../exit-codes.ts';
import type { Operation } from '../operation.ts';
import { openStack } from '../terraform/open-stack.ts';
import { outputsTable, shownOutputs } from '../terraform/outputs-table.ts';
import { DEFAULT_STACK, isStackName } from '../terraform/stack-name.ts';
import { stackArgument } from '../terraform/stack-options.ts';

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
