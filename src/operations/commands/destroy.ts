import { stackArgument, varOption, waitOption, withConsentOptions } from '../command-options.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { type DestroyReport, destroyStack } from '../terraform/destroy-stack.ts';
import { DEFAULT_STACK, isStackName } from '../terraform/stacks.ts';

/** Options of `destroy`. */
export interface DestroyCommandOptions {
  readonly autoApprove: boolean;
  readonly dryRun: boolean;
  readonly var: Readonly<Record<string, string>>;
  readonly wait: number;
  readonly allowDataLoss: boolean;
}

/** `manage destroy`: destroys a stack, its load balancer first. */
export const destroy: Operation<DestroyCommandOptions> = {
  name: 'destroy',
  summary: 'destroy a stack: its load balancer first, then the rest',
  describe: (command) =>
    withConsentOptions(command.addArgument(stackArgument()))
      .addOption(varOption())
      .option(
        '--allow-data-loss',
        'destroy postgres-on-demand: deletion protection is removed, a final snapshot remains',
        false,
      )
      .addOption(waitOption("how long the load balancer's network interfaces may take to go")),
  execute: async (context, options, operand) => {
    const name = isStackName(operand) ? operand : DEFAULT_STACK;
    const report = await destroyStack(context, { ...options, variables: options.var }, name);
    if (options.json) context.stdout.write(`${JSON.stringify(report)}\n`);
    context.stderr.write(`${resultOf(report)}\n`);
    return EXIT.ok;
  },
};

function resultOf({ stack, changes, destroyed }: DestroyReport): string {
  if (destroyed) return `Destroyed ${stack}.`;
  if (changes.length === 0) return `Nothing to destroy: the state of ${stack} is empty.`;
  return `Dry run: nothing was changed in ${stack}.`;
}
