import { changesOf, deletes, type PlanJson } from '../plan-json.ts';
import type { Refusal } from './refusal.ts';

/** Refuses a plan that takes an EKS cluster away or makes it anew: everything in it would be gone. */
export function refuseClusterReplacement(plan: PlanJson): readonly Refusal[] {
  return changesOf(plan)
    .filter((change) => change.type === 'aws_eks_cluster' && deletes(change))
    .map(({ address, change }) => {
      const name = String(change.before?.name ?? address);
      const what = change.actions.includes('create') ? 'replace' : 'destroy';
      return {
        reason: `the plan would ${what} the cluster ${name} (${address}) and everything that runs in it`,
        next: `undo the setting that the plan marks with "forces replacement", such as cluster_name; or go on with --allow-cluster-replacement`,
      };
    });
}
