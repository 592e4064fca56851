import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removedAtExit } from '../files.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { tellNodeChanges } from './node-changes.ts';
import type { OpenStack } from './open-stack.ts';
import { changesOf, type PlanJson, type ResourceChange, summaryOf } from './plan-json.ts';
import type { Plan, PlanRequest } from './terraform.ts';

/** What happens to a plan before it is applied. */
export interface Review {
  /** Refuses a plan that would do harm. */
  readonly guard: (plan: PlanJson) => Promise<void>;
  /** The question to ask; `undefined` asks nothing. */
  readonly question: (plan: PlanJson) => string | undefined;
  /** What goes before the apply of a plan that was agreed to. @default nothing */
  readonly before?: () => Promise<void>;
}

/**
 * Plans, shows the plan, guards it, asks, and applies that very plan. The plan lies in a folder that
 * only its owner may enter, and is gone afterwards, interrupted or not.
 *
 * @returns what was changed; empty when there was nothing to do
 * @throws OperationError (EXIT.refused) when the plan is refused or declined
 */
export function reviewAndApply(
  context: OperationContext,
  stack: OpenStack,
  request: Omit<PlanRequest, 'file'>,
  review: Review,
): Promise<readonly ResourceChange[]> {
  return withPlan(stack, request, async (plan, file) => {
    if (plan.isEmpty) return [];
    await requireConsent(context, plan.json, review);
    await review.before?.();
    await stack.terraform.apply(file);
    return changesOf(plan.json).map(summaryOf);
  });
}

/**
 * Guards a plan that was shown, and asks.
 *
 * @throws OperationError (EXIT.refused) when the plan is refused or declined
 */
export async function requireConsent(
  context: OperationContext,
  plan: PlanJson,
  { guard, question }: Review,
): Promise<void> {
  await guard(plan);
  tellNodeChanges(context, plan);
  const asked = question(plan);
  if (asked === undefined || (await context.confirm(asked))) return;
  throw new OperationError('declined; this plan was not applied', {
    next: '--auto-approve goes on without asking',
    code: EXIT.refused,
  });
}

/** Plans into a file that lives as long as the work with it. */
export function withPlan<T>(
  { terraform }: OpenStack,
  request: Omit<PlanRequest, 'file'>,
  work: (plan: Plan, file: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-plan-'));
  return removedAtExit(folder, async () => {
    const file = join(folder, 'plan');
    return await work(await terraform.plan({ ...request, file }), file);
  });
}
