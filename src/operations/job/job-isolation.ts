import type { KubernetesObject, Manifest } from '../../synthesized/views/kubernetes-manifests.ts';

const JOB_LABELS = {
  'app.kubernetes.io/component': 'file-job',
  'app.kubernetes.io/managed-by': 'manage',
};

/**
 * The listener's labels without those that anything selects pods by, or the Service would send
 * requests to a Job and the disruption budget count it.
 */
export function labelsOfJob(
  deployment: Manifest,
  objects: readonly KubernetesObject[],
): Readonly<Record<string, string>> {
  const selecting = new Set(objects.flatMap(({ manifest }) => Object.keys(selectorOf(manifest))));
  const kept = Object.entries(
    deployment.spec.template.metadata.labels as Record<string, string>,
  ).filter(([label]) => !selecting.has(label));
  return { ...Object.fromEntries(kept), ...JOB_LABELS };
}

/** The labels by which an object selects pods; none where it selects all, none, or by other means. */
export function selectorOf({ kind, spec }: Manifest): Readonly<Record<string, string>> {
  if (kind === 'Service') return spec.selector ?? {};
  if (kind === 'NetworkPolicy') return spec.podSelector?.matchLabels ?? {};
  return spec?.selector?.matchLabels ?? {};
}

/**
 * Nothing selects a Job's pods, so that they could reach everything: the listener's network policies
 * again, for them, without what allows others in.
 */
export function networkPoliciesOfJob(
  labels: Readonly<Record<string, string>>,
  deployment: Manifest,
  objects: readonly KubernetesObject[],
): readonly Manifest[] {
  const podLabels = deployment.spec.template.metadata.labels as Record<string, string>;
  return objects
    .map(({ manifest }) => manifest)
    .filter(
      (manifest) =>
        manifest.kind === 'NetworkPolicy' &&
        Object.entries(selectorOf(manifest)).every(([name, value]) => podLabels[name] === value),
    )
    .map((policy) => ({
      apiVersion: policy.apiVersion,
      kind: policy.kind,
      metadata: {
        name: `${policy.metadata.name}-job`,
        namespace: policy.metadata.namespace,
        labels,
      },
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ['Ingress', ...(limitsEgress(policy) ? ['Egress'] : [])],
        ...(limitsEgress(policy) && { egress: policy.spec.egress ?? [] }),
      },
    }));
}

/** One that says nothing of egress leaves it open (Kubernetes documentation, "Network Policies"). */
function limitsEgress({ spec }: Manifest): boolean {
  return spec.policyTypes?.includes('Egress') ?? spec.egress !== undefined;
}
