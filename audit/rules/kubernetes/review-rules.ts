import { kubernetesKind } from '../../../src/synthesized/views/kubernetes-kinds.ts';
import { type Rule, rule } from '../rule.ts';
import { shown } from './faults.ts';
import { REVIEWED_ANNOTATIONS, REVIEWED_FIELDS } from './reviewed-fields.ts';

/** Fields that no rule knows. */
export const fieldIsReviewed: Rule = rule({
  id: 'field-is-reviewed',
  title: 'Every field of a Kubernetes object is one that the rules know',
  reason:
    'A hook at start, a DNS server of its own, a readiness gate that nobody fulfils or an affinity of sessions is one line, and no rule on other lines sees it.',
  control: 'CM-3(2)',
  severity: 'medium',
  subjects: ({ objects }) => objects,
  faults: ({ manifest }) => {
    const known = REVIEWED_FIELDS[manifest.kind];
    if (known === undefined) {
      return [`no rule has an opinion on the kind ${shown(manifest.kind)}: review it first`];
    }
    return [...new Set(unknownFields(manifest, known, ''))].map(
      (path) => `no rule has an opinion on ${path}: review it, and add it to the rules`,
    );
  },
});

/** Controllers and admission hooks that read annotations; what others write there is a note. */
const ACTING =
  /(^|\.)(kubernetes\.io|k8s\.io|k8s\.aws|amazonaws\.com|istio\.io|linkerd\.io|cilium\.io|projectcalico\.org|cert-manager\.io|hashicorp\.com|nginx\.org|traefik\.io|datadoghq\.com|stakater\.com|karpenter\.sh|keda\.sh|argoproj\.io)\//;

/** Annotations by which something in the cluster is told what to do. */
export const annotationIsReviewed: Rule = rule({
  id: 'annotation-is-reviewed',
  title: 'Every annotation that a controller acts on is one that the rules know',
  reason:
    'An annotation opens a load balancer to other subnets and groups, points a name elsewhere, injects a container or forbids to drain a node, and a slip in its name does nothing at all.',
  control: 'CM-3(2)',
  severity: 'medium',
  subjects: ({ objects }) => objects,
  faults: ({ manifest }) =>
    annotationsIn(manifest)
      .filter((name) => ACTING.test(name) && !REVIEWED_ANNOTATIONS.includes(name))
      .map((name) => `no rule has an opinion on the annotation ${name}: review it first`),
});

/** Types that no manifest shows, and those whose meaning changes with the provider's version. */
export const objectTypeIsReviewed: Rule = rule({
  id: 'object-type-is-reviewed',
  title: 'Every Kubernetes resource is of a versioned type that can be shown as an object',
  reason:
    'A resource that patches objects of others, or a free manifest, changes what runs without a field that the rules read.',
  control: 'CM-3(2)',
  severity: 'medium',
  subjects: ({ model }) => model.resources.filter(({ type }) => type.startsWith('kubernetes_')),
  faults: ({ type }) =>
    /_v\d$/.test(type) && kubernetesKind(type) !== undefined
      ? []
      : [`no rule has an opinion on ${type}: review it, and add it to the rules`],
});

function annotationsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) =>
    key === 'annotations' ? Object.keys(Object(below)) : annotationsIn(below),
  );
}

/** Paths of fields that are not among the known ones; lists are seen through. */
function unknownFields(value: unknown, known: readonly string[], path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => unknownFields(item, known, path));
  if (known.includes(path)) return [];
  if (path !== '' && !known.some((other) => other.startsWith(`${path}.`))) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) =>
    unknownFields(below, known, path === '' ? name : `${path}.${name}`),
  );
}

/** Rules on what the other rules on objects do not know. */
export const REVIEW_RULES: readonly Rule[] = [
  fieldIsReviewed,
  annotationIsReviewed,
  objectTypeIsReviewed,
];
