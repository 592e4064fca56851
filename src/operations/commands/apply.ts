import {
  allowMessageLossOption,
  allowReplacementOption,
  stackArgument,
  targetOption,
  varOption,
  waitOption,
  withConsentOptions,
} from '../command-options.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { type ApplyReport, applyStack, applyTargets } from '../terraform/apply-stack.ts';
import { DEFAULT_STACK, isStackName } from '../terraform/stacks.ts';

/** Options of `apply`. */
export interface ApplyCommandOptions {
  readonly autoApprove: boolean;
  readonly dryRun: boolean;
  readonly var: Readonly<Record<string, string>>;
  readonly target: readonly string[];
  readonly allowClusterReplacement: boolean;
  readonly allowMessageLoss: boolean;
  readonly replaceLoadBalancer: boolean;
  readonly endpointMoved: boolean;
  readonly wait: number;
}

/** `manage apply`: brings a stack to what its settings say. */
export const apply: Operation<ApplyCommandOptions> = {
  name: 'apply',
  summary: "apply a stack's settings; the first time in phases",
  describe: (command) =>
    withConsentOptions(command.addArgument(stackArgument()))
      .addOption(varOption())
      .addOption(targetOption())
      .addOption(
        waitOption(
          'how long the endpoint that SNS posts to may take to answer, or a queue to become empty',
        ),
      )
      .addOption(allowReplacementOption())
      .addOption(allowMessageLossOption())
      .option(
        '--replace-load-balancer',
        'move to a new load balancer of load_balancer_class: both serve until the name of sns_endpoint_url points to the new one',
        false,
      )
      .option(
        '--endpoint-moved',
        'with --replace-load-balancer: do not look the name up, because something in front points to the new load balancer',
        false,
      ),
  execute: async (context, options, operand) => {
    const name = isStackName(operand) ? operand : DEFAULT_STACK;
    if (options.replaceLoadBalancer && (name !== DEFAULT_STACK || options.target.length > 0)) {
      throw new OperationError(`--replace-load-balancer is for all of ${DEFAULT_STACK}`, {
        next: 'leave --target out',
        code: EXIT.usage,
      });
    }
    const applyOptions = { ...options, variables: options.var };
    const report =
      options.target.length > 0
        ? await applyTargets(context, applyOptions, options.target, name)
        : await applyStack(context, applyOptions, name);
    if (options.json) context.stdout.write(`${JSON.stringify(report)}\n`);
    context.stderr.write(`${resultOf(report)}\n`);
    if (report.next !== undefined) context.stderr.write(`next: ${report.next}\n`);
    return EXIT.ok;
  },
};

function resultOf({ stack, changes, applied }: ApplyReport): string {
  if (applied) return `Applied ${stack}.`;
  if (changes.length === 0) return `Nothing to do: ${stack} is as its settings say.`;
  return `Dry run: nothing was changed in ${stack}.`;
}
