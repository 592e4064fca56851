import { changesOf, deletes, type PlanJson } from '../plan-json.ts';
import type { Refusal } from './refusal.ts';

/**
 * Refuses a plan that imports an OIDC provider only to replace it: that is what an `import` block leads
 * to while the cluster, and so the issuer's URL, is not known yet. Others may use the provider.
 */
export function refuseOidcProviderReplacement(plan: PlanJson): readonly Refusal[] {
  return changesOf(plan)
    .filter(
      (change) =>
        change.type === 'aws_iam_openid_connect_provider' &&
        change.change.importing !== undefined &&
        deletes(change),
    )
    .map(({ address, change }) => ({
      reason: `the plan would import ${change.importing?.id ?? address} and replace it at once, since the cluster of its issuer is not in the state yet`,
      next: 'take the import block away, and run npm run manage -- oidc-import once the cluster is in the state',
    }));
}
