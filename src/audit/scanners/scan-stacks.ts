import { join } from 'node:path';
import type { Check, RuleDescription } from '../finding.ts';
import type { Model, StackModel } from '../model/model.ts';
import type { KubernetesObject } from '../views/kubernetes-object.ts';
import type { CheckovReport } from './checkov-report.ts';
import { runCheckov } from './run-checkov.ts';
import { writeViews } from './write-views.ts';

/** What is scanned, and with what. */
export interface Scan {
  /** Path of checkov. */
  readonly program: string;
  /** Folder that the views are written to, a folder for each stack. */
  readonly views: string;
  readonly model: Model;
  readonly objects: readonly KubernetesObject[];
  readonly planOf: (stack: StackModel) => unknown;
  /** The checkout. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Writes the views of every stack and runs checkov on them, all stacks at once. */
export async function scanStacks(scan: Scan): Promise<Readonly<Record<string, CheckovReport>>> {
  const reports = await Promise.all(
    scan.model.stacks.map(async (stack) => {
      const views = join(scan.views, stack.name);
      const objects = scan.objects.filter((object) => object.stack === stack.name);
      writeViews(views, scan.planOf(stack), objects);
      return [stack.name, await runCheckov(scan.program, views, scan.root, scan.env)] as const;
    }),
  );
  return Object.fromEntries(reports);
}

/** Checkov's verdicts as checks; the same verdict on both views of a resource is one. */
export function checksOfReports(
  reports: Readonly<Record<string, CheckovReport>>,
): readonly Check[] {
  return Object.entries(reports).flatMap(([stack, { checks }]) =>
    checks.map(({ id, name, address, passed }) => ({
      by: 'checkov',
      rule: id,
      stack,
      address,
      faults: passed ? [] : [`${name}.`],
    })),
  );
}

/** Checkov's checks as rules. It keeps severities and reasons for its paying users. */
export function rulesOfReports(
  reports: Readonly<Record<string, CheckovReport>>,
): readonly RuleDescription[] {
  const names = new Map(
    Object.values(reports).flatMap(({ checks }) => checks.map(({ id, name }) => [id, name])),
  );
  return [...names]
    .map(([id, title]): RuleDescription => ({ by: 'checkov', id, title, severity: 'medium' }))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}
