import { type Rule, rule } from '../rule.ts';
import { shown } from './faults.ts';

/** What the API takes in fields that know a few words only, by field (Kubernetes API reference). */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  concurrencyPolicy: ['Allow', 'Forbid', 'Replace'],
  dnsPolicy: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
  externalTrafficPolicy: ['Cluster', 'Local'],
  fsGroupChangePolicy: ['OnRootMismatch', 'Always'],
  imagePullPolicy: ['Always', 'IfNotPresent', 'Never'],
  internalTrafficPolicy: ['Cluster', 'Local'],
  medium: ['', 'Memory', 'HugePages'],
  operator: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Equal'],
  pathType: ['Exact', 'Prefix', 'ImplementationSpecific'],
  policyTypes: ['Ingress', 'Egress'],
  protocol: ['TCP', 'UDP', 'SCTP'],
  restartPolicy: ['Always', 'OnFailure', 'Never'],
  scheme: ['HTTP', 'HTTPS'],
  selectPolicy: ['Max', 'Min', 'Disabled'],
  sessionAffinity: ['None', 'ClientIP'],
  terminationMessagePolicy: ['File', 'FallbackToLogsOnError'],
  unhealthyPodEvictionPolicy: ['IfHealthyBudget', 'AlwaysAllow'],
  whenUnsatisfiable: ['DoNotSchedule', 'ScheduleAnyway'],
};

/** The same for the field `type`, by the field that it is in. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  Service: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
  strategy: ['RollingUpdate', 'Recreate'],
  seccompProfile: ['RuntimeDefault', 'Localhost', 'Unconfined'],
  metrics: ['Resource', 'ContainerResource', 'Pods', 'Object', 'External'],
  target: ['Utilization', 'AverageValue', 'Value'],
  policies: ['Pods', 'Percent'],
};

const PORTS = ['port', 'containerPort', 'nodePort', 'hostPort', 'endPort'];

/** A word that the API doesn't know is refused, in the middle of an apply. */
export const valuesAreAllowed: Rule = rule({
  id: 'values-are-allowed',
  title: 'Every field that knows a few words, or a port, has one that the API takes',
  reason: 'The plan takes any text; the API refuses it in the middle of an apply.',
  control: 'CM-6',
  severity: 'medium',
  subjects: ({ objects }) => objects,
  faults: ({ manifest }) => valueFaults(manifest.spec, manifest.kind, ''),
});

function valueFaults(value: unknown, holder: string, field: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => valueFaults(item, holder, field));
  if (typeof value === 'object' && value !== null) {
    // Keys below these are data, not fields.
    if (['annotations', 'labels', 'matchLabels', 'nodeSelector', 'selector'].includes(field)) {
      return field === 'selector' ? valueFaults(Object.entries(value), field, '') : [];
    }
    return Object.entries(value).flatMap(([key, item]) =>
      valueFaults(item, field === '' ? holder : field, key),
    );
  }
  const text = String(value);
  if (text.includes('${')) return [];
  const words = field === 'type' ? TYPES[holder] : WORDS[field];
  if (words && !words.includes(text)) {
    return [`${field} of ${holder} is ${shown(value)}; the API takes ${words.join(', ')}`];
  }
  const number = Number(value);
  const outside = !Number.isNaN(number) && (number < 1 || number > 65_535);
  return PORTS.includes(field) && outside
    ? [`${field} of ${holder} is ${shown(value)}; that is 1 to 65535`]
    : [];
}
