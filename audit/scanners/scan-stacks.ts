import { join } from 'node:path';
import type { Model, StackModel } from '../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../src/synthesized/views/kubernetes-object.ts';
import type { Check, RuleDescription } from '../finding.ts';
import type { CheckovReport } from './checkov-report.ts';
import { runCheckov } from './run-checkov.ts';
import { writeViews } from './write-views.ts';

/** The stacks of one region, as they are scanned. */
export interface Scan {
  /** Folder that the views are written to, a folder for each stack. */
  readonly views: string;
  readonly model: Model;
  readonly objects: readonly KubernetesObject[];
}

/** With what it is scanned. */
export interface Scanner {
  /** Path of checkov. */
  readonly program: string;
  readonly planOf: (stack: StackModel) => unknown;
  /** The checkout. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Writes the views of all stacks and runs checkov on them.
 *
 * @returns for each scan the reports by the stack's name
 */
export async function scanStacks(
  { program, planOf, root, env }: Scanner,
  scans: readonly Scan[],
): Promise<readonly Readonly<Record<string, CheckovReport>>[]> {
  const viewsOf = ({ views }: Scan, stack: StackModel) => join(views, stack.name);
  const folders = scans.flatMap((scan) =>
    scan.model.stacks.map((stack) => {
      const objects = scan.objects.filter((object) => object.stack === stack.name);
      writeViews(viewsOf(scan, stack), planOf(stack), objects);
      return viewsOf(scan, stack);
    }),
  );
  const reports = await runCheckov(program, folders, root, env);
  const byFolder = new Map(folders.map((folder, index) => [folder, reports[index]]));
  return scans.map((scan) =>
    Object.fromEntries(
      scan.model.stacks.flatMap((stack) => {
        const report = byFolder.get(viewsOf(scan, stack));
        return report === undefined ? [] : [[stack.name, report]];
      }),
    ),
  );
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
