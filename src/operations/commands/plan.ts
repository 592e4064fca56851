import {
  allowMessageLossOption,
  allowReplacementOption,
  stackArgument,
  targetOption,
  varOption,
} from '../command-options.ts';
import { customObjects } from '../kubernetes/custom-objects.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { guardPlan } from '../terraform/guards/guard-plan.ts';
import { tellNodeChanges } from '../terraform/node-changes.ts';
import { openStack } from '../terraform/open-stack.ts';
import { changesOf, summaryOf } from '../terraform/plan-json.ts';
import { requirePlannable } from '../terraform/preconditions.ts';
import { withPlan } from '../terraform/review.ts';
import { DEFAULT_STACK, isStackName } from '../terraform/stacks.ts';

/** As `terraform plan -detailed-exitcode`. */
const HAS_CHANGES = 2;

/** Options of `plan`. */
export interface PlanCommandOptions {
  readonly var: Readonly<Record<string, string>>;
  readonly target: readonly string[];
  readonly allowClusterReplacement: boolean;
  readonly allowMessageLoss: boolean;
}

/** `manage plan`: shows what an apply would change; drift, where nothing was changed in the settings. */
export const plan: Operation<PlanCommandOptions> = {
  name: 'plan',
  summary: 'show what an apply would change; exit code 2 if there is anything (drift)',
  describe: (command) =>
    command
      .addArgument(stackArgument())
      .addOption(varOption())
      .addOption(targetOption())
      .addOption(allowReplacementOption())
      .addOption(allowMessageLossOption()),
  execute: async (context, options, operand) => {
    const name = isStackName(operand) ? operand : DEFAULT_STACK;
    const stack = await openStack(context, { ...options, variables: options.var }, name);
    await requirePlannable(context, stack, options.target, options);
    const state = await stack.terraform.state();
    const custom =
      options.target.length > 0 ? undefined : customObjects(context, options, stack, state);
    return await withPlan(stack, { targets: options.target }, async ({ json, isEmpty }) => {
      await guardPlan(stack, json, options);
      tellNodeChanges(context, json);
      const show = options.json ? undefined : (text: string) => void context.stdout.write(text);
      const ofCluster = (await custom?.changes(show)) ?? [];
      const empty = isEmpty && ofCluster.length === 0;
      if (options.json) {
        const changes = [...changesOf(json).map(summaryOf), ...ofCluster];
        context.stdout.write(`${JSON.stringify({ stack: name, empty, changes })}\n`);
      }
      return empty ? EXIT.ok : HAS_CHANGES;
    });
  },
};
