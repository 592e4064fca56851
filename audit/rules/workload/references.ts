import { valueAt } from '../../../src/synthesized/model/model.ts';
import type {
  BackendService,
  IngressSpec,
  PodAffinity,
  Selector,
  ServiceSpec,
} from '../readers/kubernetes-api.ts';
import { configMapData } from '../readers/listeners.ts';
import {
  containersOf,
  dataReferences,
  ingressSecrets,
  isEmpty,
  mostReplicas,
  namespaceOf,
  objectsIn,
  objectsOf,
  type Pod,
  podsIn,
  podsOf,
  portOf,
  scalerSecrets,
  selectorText,
  selects,
  servingPods,
} from '../readers/pods.ts';
import { type Audited, type Faults, type Rule, repeated, rule, shown } from '../rule.ts';

/** What the rules read of a PodMonitor (Prometheus Operator API reference). */
interface PodMonitorSpec {
  readonly selector?: Selector;
  readonly podMetricsEndpoints?: readonly { readonly port?: string }[];
}

function backendFaults(
  { name = '', port }: BackendService,
  namespace: string,
  audited: Audited,
): Faults {
  const service = objectsIn(audited, namespace, 'Service').find(
    ({ manifest }) => manifest.metadata.name === name,
  );
  if (service === undefined) return [`there is no Service ${name} in namespace ${namespace}`];
  const ports = ((service.manifest.spec ?? {}) as ServiceSpec).ports ?? [];
  const there = ports.some((one) =>
    port?.name === undefined ? one.port === port?.number : one.name === port.name,
  );
  return [!there && `Service ${name} has no port ${port?.name ?? port?.number}`];
}

function keysOf(
  audited: Audited,
  namespace: string,
  kind: string,
  name: string,
): readonly string[] | undefined {
  if (kind === 'ConfigMap') {
    const data = configMapData(audited, namespace, name);
    return data && Object.keys(data);
  }
  const secret = objectsIn(audited, namespace, 'Secret').find(
    ({ manifest }) => manifest.metadata.name === name,
  );
  return secret && (secret.secretKeys ?? []);
}

/**
 * Secrets of our own that nobody uses. Where there is one, a reference to an unknown Secret has missed
 * it; where there is none, others make the Secret.
 */
function unusedSecrets(audited: Audited) {
  return objectsOf(audited, 'Secret').filter(
    (secret) =>
      !scalerSecrets(audited, namespaceOf(secret)).includes(secret.manifest.metadata.name) &&
      !podsIn(audited, namespaceOf(secret)).some((pod) =>
        dataReferences(pod).some(
          ({ kind, name }) => kind === 'Secret' && name === secret.manifest.metadata.name,
        ),
      ),
  );
}

/** Selector of a workload. */
export function selectorOf({ manifest }: Pod): Selector | undefined {
  return manifest.spec?.selector as Selector | undefined;
}

/** Terms of an affinity, required and preferred. */
export function termsOf(affinity: PodAffinity | undefined) {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [...required, ...preferred.flatMap(({ podAffinityTerm }) => podAffinityTerm ?? [])];
}

function selectedOnce(
  selector: Selector | undefined,
  namespace: string,
  audited: Parameters<typeof podsIn>[0],
): Faults {
  const taken = podsIn(audited, namespace).filter(({ labels }) => selects(selector, labels));
  // Without an image there is no workload yet, and so nothing to select.
  if (podsOf(audited).length === 0) return [];
  return [
    taken.length === 0 && `selects no pods of namespace ${namespace} (${selectorText(selector)})`,
    taken.length > 1 &&
      `selects the pods of several workloads: ${taken.map(({ address }) => address).join(', ')}`,
  ];
}

/** Rules on what objects select and refer to. */
export const OBJECT_REFERENCE_RULES: readonly Rule[] = [
  rule({
    id: 'pod-data-exists',
    title: 'Every ConfigMap, Secret and key that a pod takes data from exists in its namespace',
    reason:
      'A pod that names a missing ConfigMap, Secret or key waits for ever in CreateContainerConfigError; an optional one starts without its settings.',
    control: 'CM-6',
    severity: 'high',
    subjects: podsOf,
    faults: (pod, audited) =>
      dataReferences(pod).flatMap(({ kind, name, keys, optional, place }) => {
        const there = keysOf(audited, pod.namespace, kind, name);
        const missing = there ? keys.filter((key) => !there.includes(key)) : [];
        const external = kind === 'Secret' && unusedSecrets(audited).length === 0;
        return [
          there === undefined &&
            !external &&
            `${place}: there is no ${kind} ${name} in namespace ${pod.namespace}`,
          ...missing.map((key) => `${place}: ${kind} ${name} has no key ${key}`),
          optional && `${place}: ${kind} ${name} is optional, so the pod starts without it`,
        ];
      }),
  }),
  rule({
    id: 'config-and-secrets-are-used',
    title: 'Every ConfigMap, Secret and ServiceAccount is used by a pod',
    reason:
      'Data that no pod takes was cut off by a changed name: the pod then runs with other data, or with the defaults.',
    control: 'CM-6',
    severity: 'medium',
    subjects: (audited) =>
      // Without an image there is no pod yet.
      podsOf(audited).length > 0 ? objectsOf(audited, 'ConfigMap', 'Secret', 'ServiceAccount') : [],
    faults: (object, audited) => {
      const { kind, metadata } = object.manifest;
      const pods = podsIn(audited, namespaceOf(object));
      const used =
        kind === 'ServiceAccount'
          ? pods.some(({ spec }) => spec.serviceAccountName === metadata.name)
          : pods.some((pod) =>
              dataReferences(pod).some((use) => use.kind === kind && use.name === metadata.name),
            ) ||
            ingressSecrets(audited, namespaceOf(object)).includes(metadata.name) ||
            scalerSecrets(audited, namespaceOf(object)).includes(metadata.name);
      return [!used && `no pod of namespace ${namespaceOf(object)} uses it`];
    },
  }),
  rule({
    id: 'service-account-exists',
    title: 'Every pod runs as a ServiceAccount of its own, which exists',
    reason:
      'A missing ServiceAccount keeps every pod from being made; without one the pod runs as `default`, which it shares and which no IAM role trusts.',
    control: 'IA-5',
    severity: 'high',
    subjects: podsOf,
    faults: ({ spec, namespace }, audited) => {
      const name = spec.serviceAccountName;
      if (name === undefined || name === '' || name === 'default') {
        return ['runs as the ServiceAccount `default` of its namespace'];
      }
      const there = objectsIn(audited, namespace, 'ServiceAccount').some(
        ({ manifest }) => manifest.metadata.name === name,
      );
      return [!there && `there is no ServiceAccount ${name} in namespace ${namespace}`];
    },
  }),
  rule({
    id: 'service-port-reaches-container',
    title: "Every port of a Service leads to a port of its pods' containers",
    reason:
      'A target port that no container has gives endpoints that refuse every connection; the Service looks well.',
    control: 'CM-6',
    severity: 'high',
    subjects: (audited) => objectsOf(audited, 'Service'),
    faults: (object, audited) => {
      const { selector, ports = [] } = (object.manifest.spec ?? {}) as ServiceSpec;
      const pods = podsIn(audited, namespaceOf(object)).filter(({ labels }) =>
        selects({ matchLabels: selector ?? {} }, labels),
      );
      const names = repeated(ports.map(({ name }) => name ?? ''));
      return [
        ports.length === 0 && 'has no port',
        ...names.map((name) => `has two ports named ${shown(name)}`),
        ...pods.flatMap((pod) =>
          ports.flatMap(({ port, targetPort = port, protocol = 'TCP' }) => {
            const target = portOf(
              containersOf(pod).filter(({ init }) => !init),
              targetPort,
            );
            if (target === undefined) {
              return [
                `port ${port} leads to ${targetPort}, which no container of ${pod.address} has`,
              ];
            }
            return [
              (target.protocol ?? 'TCP') !== protocol &&
                `port ${port} is ${protocol}, its target ${targetPort} is ${target.protocol ?? 'TCP'}`,
            ];
          }),
        ),
      ];
    },
  }),
  rule({
    id: 'ingress-reaches-service',
    title: 'Every path of an Ingress leads to a port of a Service that exists',
    reason:
      'A backend that names a missing Service or port answers 503 to every message, and the Ingress still gets its address.',
    control: 'CM-6',
    severity: 'high',
    subjects: (audited) => objectsOf(audited, 'Ingress'),
    faults: (object, audited) => {
      const { defaultBackend, rules = [] } = (object.manifest.spec ?? {}) as IngressSpec;
      const backends = [
        defaultBackend?.service,
        ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend?.service)),
      ].filter((backend) => backend !== undefined);
      if (backends.length === 0) return ['routes to no Service'];
      return backends.flatMap((backend) => backendFaults(backend, namespaceOf(object), audited));
    },
  }),
  rule({
    id: 'volumes-are-mounted',
    title: 'Every mount has its volume, and every volume is mounted',
    reason:
      'The API refuses a mount without a volume in the middle of an apply. A volume that nobody mounts is a Secret or a folder that the process looks for in vain.',
    control: 'CM-6',
    severity: 'medium',
    subjects: podsOf,
    faults: (pod) => {
      const containers = containersOf(pod);
      const volumes = (pod.spec.volumes ?? []).map(({ name }) => name);
      const mounted = containers.flatMap(({ spec }) => spec.volumeMounts ?? []);
      return [
        ...repeated(volumes).map((name) => `has two volumes named ${name}`),
        ...volumes
          .filter((name) => !mounted.some((mount) => mount.name === name))
          .map((name) => `no container mounts volume ${name}`),
        ...containers.flatMap(({ name: container, spec }) => {
          const mounts = spec.volumeMounts ?? [];
          return [
            ...mounts
              .filter(({ name }) => !volumes.includes(name))
              .map(({ name }) => `container ${container} mounts ${name}, which is not a volume`),
            ...repeated(mounts.map(({ mountPath }) => mountPath)).map(
              (path) => `container ${container} mounts two volumes at ${path}`,
            ),
          ];
        }),
      ];
    },
  }),
  rule({
    id: 'workload-selects-its-pods',
    title: 'A workload selects the pods that it makes, and no others',
    reason:
      "A selector that does not fit the template is refused in the middle of an apply; one that fits another workload's pods makes two controllers fight over them.",
    control: 'CM-6',
    severity: 'high',
    subjects: servingPods,
    faults: (pod, audited) => {
      const selector = selectorOf(pod);
      const ofAnother = podsIn(audited, pod.namespace).filter(
        (other) => other !== pod && selects(selector, other.labels),
      );
      return [
        isEmpty(selector) && 'its selector names no label',
        !selects(selector, pod.labels) &&
          `its selector (${selectorText(selector)}) does not fit the labels of its own pod template`,
        ...ofAnother.map(({ address }) => `its selector takes the pods of ${address} too`),
      ];
    },
  }),
  rule({
    id: 'service-selects-pods',
    title: 'A Service selects the pods of exactly one workload of its namespace',
    reason:
      'A selector that no pod template satisfies leaves the Service without endpoints, and everything still deploys; one that also fits other pods sends messages to the wrong program.',
    control: 'CM-6',
    severity: 'high',
    subjects: (audited) => objectsOf(audited, 'Service'),
    faults: (object, audited) => {
      const matchLabels = object.manifest.spec?.selector as Selector['matchLabels'];
      if (isEmpty({ matchLabels })) return ['selects no pods at all'];
      return selectedOnce({ matchLabels }, namespaceOf(object), audited);
    },
  }),
  rule({
    id: 'budget-selects-pods',
    title: 'A disruption budget selects the pods of exactly one workload',
    reason:
      'A budget whose selector fits no pods protects none: a drain takes them all at once. One over two workloads counts them together.',
    control: 'CP-10',
    severity: 'high',
    subjects: (audited) => objectsOf(audited, 'PodDisruptionBudget'),
    faults: (object, audited) => {
      const selector = object.manifest.spec?.selector as Selector | undefined;
      if (isEmpty(selector)) return ['its selector names no label'];
      return selectedOnce(selector, namespaceOf(object), audited);
    },
  }),
  rule({
    id: 'monitor-finds-pods',
    title: 'A PodMonitor selects pods that serve on, and has them scraped at a port that they have',
    reason:
      'One whose labels or port fit nothing is accepted, scrapes nothing and says nothing: every alert stays silent.',
    control: 'AU-6',
    severity: 'medium',
    subjects: (audited) => objectsOf(audited, 'PodMonitor'),
    faults: (object, audited) => {
      const { selector, podMetricsEndpoints = [] } = (object.manifest.spec ?? {}) as PodMonitorSpec;
      const found = servingPods(audited).filter(
        (pod) => pod.namespace === namespaceOf(object) && selects(selector, pod.labels),
      );
      if (isEmpty(selector) || found.length === 0) {
        return [`its selector (${selectorText(selector)}) fits no pods that serve on`];
      }
      return [
        podMetricsEndpoints.length === 0 && 'names no port',
        ...podMetricsEndpoints.flatMap(({ port = '' }) =>
          found
            .filter((pod) => portOf(containersOf(pod), port) === undefined)
            .map(({ address }) => `no container of ${address} has a port ${shown(port)}`),
        ),
      ];
    },
  }),
  rule({
    id: 'network-policy-selects-pods',
    title: 'A network policy selects pods, and opens nothing for all of them at once',
    reason:
      'A policy whose selector fits no pods restricts none. An empty selector is right to close a namespace, and wrong to open a port in it for every pod.',
    control: 'SC-7',
    severity: 'high',
    subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
    faults: (object, audited) => {
      const { podSelector, ingress = [], egress = [] } = object.manifest.spec ?? {};
      const namespace = namespaceOf(object);
      const taken = podsIn(audited, namespace).filter(({ labels }) => selects(podSelector, labels));
      if (isEmpty(podSelector)) {
        return [
          ingress.length + egress.length > 0 &&
            'its rules hold for every pod of the namespace: it selects none in particular',
        ];
      }
      return [
        taken.length === 0 &&
          podsOf(audited).length > 0 &&
          `selects no pods of namespace ${namespace} (${selectorText(podSelector)})`,
      ];
    },
  }),
  rule({
    id: 'placement-counts-own-pods',
    title: "Spread and anti-affinity count the workload's own pods",
    reason:
      'A constraint whose selector fits other labels always holds: all pods may land on one node, and nothing says so.',
    control: 'CP-10',
    severity: 'medium',
    subjects: servingPods,
    faults: (pod, audited) => {
      const { spec, labels } = pod;
      const nodes = audited.model
        .ofType('aws_eks_node_group')
        .filter(({ stack }) => stack === pod.stack)
        .map(({ attributes }) => Number(valueAt(attributes, 'scaling_config.max_size')))
        .reduce((sum, size) => sum + size, 0);
      const apart = spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      return [
        ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }) => [
          (isEmpty(labelSelector) || !selects(labelSelector, labels)) &&
            `the spread over ${topologyKey} counts other pods (${selectorText(labelSelector)})`,
        ]),
        ...termsOf(spec.affinity?.podAntiAffinity).flatMap(({ topologyKey, labelSelector }) => [
          (isEmpty(labelSelector) || !selects(labelSelector, labels)) &&
            `the anti-affinity over ${topologyKey} avoids other pods (${selectorText(labelSelector)})`,
        ]),
        ...(
          spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
        ).flatMap(({ topologyKey, labelSelector }) => [
          selects(labelSelector, labels) &&
            `the affinity over ${topologyKey} keeps all pods together`,
        ]),
        ...(apart ?? []).flatMap(({ topologyKey, labelSelector }) => [
          nodes > 0 &&
            selects(labelSelector, labels) &&
            mostReplicas(audited, pod) + 1 > nodes &&
            `the required anti-affinity over ${topologyKey} leaves no place for all its pods and one of a rollout on ${nodes} nodes`,
        ]),
      ];
    },
  }),
];
