import { stackArgument } from '../command-options.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { openStack } from '../terraform/open-stack.ts';
import { DEFAULT_STACK, isStackName } from '../terraform/stacks.ts';

/** Options of `init`. */
export interface InitCommandOptions {
  /** Take the newest providers that the constraints admit. */
  readonly upgrade: boolean;
  /** Move the state after `state_bucket` has changed; Terraform asks. */
  readonly migrateState: boolean;
}

/** `manage init`: synthesizes and initializes Terraform; the other commands do so by themselves. */
export const init: Operation<InitCommandOptions> = {
  name: 'init',
  summary: 'synthesize, and initialize Terraform for a stack',
  describe: (command) =>
    command
      .addArgument(stackArgument())
      .option('--upgrade', 'use the newest providers that the constraints allow', false)
      .option('--migrate-state', 'move the state after state_bucket has changed (asks)', false),
  execute: async (context, options, operand) => {
    const name = isStackName(operand) ? operand : DEFAULT_STACK;
    const { folder } = await openStack(context, options, name, {
      parameters: [
        ...(options.upgrade ? ['-upgrade'] : []),
        ...(options.migrateState ? ['-migrate-state'] : []),
      ],
      output: options.migrateState ? 'inherit' : options.json ? 'progress' : 'stream',
    });
    if (options.json) context.stdout.write(`${JSON.stringify({ stack: name, folder })}\n`);
    return EXIT.ok;
  },
};
