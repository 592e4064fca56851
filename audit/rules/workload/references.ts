import { PATHS } from '@file-processing/contract/listener-interface.ts';
import { valueAt } from '../../../src/synthesized/model/model.ts';
import type { BackendService, PodAffinity, Selector } from '../readers/kubernetes-api.ts';
import { configMapData } from '../readers/listeners.ts';
import {
  backendsOf,
  containersOf,
  dataReferences,
  ingressSecrets,
  isEmpty,
  mostReplicas,
  namespaceOf,
  objectNamed,
  objectsOf,
  type Pod,
  podsIn,
  podsOf,
  podsSelected,
  portOf,
  scalerSecrets,
  selectorText,
  selects,
  serviceSpec,
  servingPods,
} from '../readers/pods.ts';
import { neighbours } from '../readers/resources.ts';
import { type Audited, type Faults, type Rule, repeated, rule, shown } from '../rule.ts';

/** What the rules read of a PodMonitor (Prometheus Operator API reference). */
interface PodMonitorSpec {
  readonly selector?: Selector;
  readonly namespaceSelector?: {
    readonly any?: boolean;
    readonly matchNames?: readonly string[];
  };
  readonly podMetricsEndpoints?: readonly {
    readonly port?: string;
    readonly path?: string;
    readonly interval?: string;
    readonly metricRelabelings?: readonly { readonly action?: string; readonly regex?: string }[];
  }[];
}

/** An alert looks at some minutes: a scrape that is rarer leaves it without figures. */
const LONGEST_SCRAPE = /^(\d+ms|[1-9]\d?s|1\d\ds|[1-3]m)$/;

/** A metric that alerts are made of. */
const METRIC = 'file_processing_dead_letters';

/** Whether a rule of Prometheus takes the listener's metrics away. */
function takesMetrics({ action = 'replace', regex = '.*' }: { action?: string; regex?: string }) {
  const fits = new RegExp(`^(?:${regex})$`).test(METRIC);
  return (action === 'drop' && fits) || (action === 'keep' && !fits);
}

function backendFaults(
  { name = '', port }: BackendService,
  namespace: string,
  audited: Audited,
): Faults {
  const service = objectNamed(audited, namespace, 'Service', name);
  if (service === undefined) return [`there is no Service ${name} in namespace ${namespace}`];
  const { ports = [] } = serviceSpec(service);
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
  const secret = objectNamed(audited, namespace, 'Secret', name);
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
  const taken = podsSelected(audited, namespace, selector);
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
    subjects: podsOf,
    faults: (pod, audited) => [
      ...(pod.spec.volumes ?? [])
        .map(({ persistentVolumeClaim: claim }) => claim?.claimName)
        .filter((name) => name !== undefined)
        .filter((name) => !objectNamed(audited, pod.namespace, 'PersistentVolumeClaim', name))
        .map((name) => `there is no volume claim ${name} in namespace ${pod.namespace}`),
      ...dataReferences(pod).flatMap(({ kind, name, keys, optional, place }) => {
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
    ],
  }),
  rule({
    id: 'config-and-secrets-are-used',
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
    subjects: podsOf,
    faults: ({ spec, namespace }, audited) => {
      const name = spec.serviceAccountName;
      if (name === undefined || name === '' || name === 'default') {
        return ['runs as the ServiceAccount `default` of its namespace'];
      }
      const there = objectNamed(audited, namespace, 'ServiceAccount', name) !== undefined;
      return [!there && `there is no ServiceAccount ${name} in namespace ${namespace}`];
    },
  }),
  rule({
    id: 'service-port-reaches-container',
    subjects: (audited) => objectsOf(audited, 'Service'),
    faults: (object, audited) => {
      const { selector = {}, ports = [] } = serviceSpec(object);
      const pods = podsSelected(audited, namespaceOf(object), { matchLabels: selector });
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
    subjects: (audited) => objectsOf(audited, 'Ingress'),
    faults: (object, audited) => {
      const backends = backendsOf(object);
      if (backends.length === 0) return ['routes to no Service'];
      return backends.flatMap((backend) => backendFaults(backend, namespaceOf(object), audited));
    },
  }),
  rule({
    id: 'volumes-are-mounted',
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
    subjects: (audited) => objectsOf(audited, 'Service'),
    faults: (object, audited) => {
      const matchLabels = object.manifest.spec?.selector as Selector['matchLabels'];
      if (isEmpty({ matchLabels })) return ['selects no pods at all'];
      return selectedOnce({ matchLabels }, namespaceOf(object), audited);
    },
  }),
  rule({
    id: 'budget-selects-pods',
    subjects: (audited) => objectsOf(audited, 'PodDisruptionBudget'),
    faults: (object, audited) => {
      const selector = object.manifest.spec?.selector as Selector | undefined;
      if (isEmpty(selector)) return ['its selector names no label'];
      return selectedOnce(selector, namespaceOf(object), audited);
    },
  }),
  rule({
    id: 'monitor-finds-pods',
    subjects: (audited) => objectsOf(audited, 'PodMonitor'),
    faults: (object, audited) => {
      const {
        selector,
        podMetricsEndpoints = [],
        namespaceSelector,
      } = (object.manifest.spec ?? {}) as PodMonitorSpec;
      const found = servingPods(audited).filter(
        (pod) => pod.namespace === namespaceOf(object) && selects(selector, pod.labels),
      );
      if (isEmpty(selector) || found.length === 0) {
        return [`its selector (${selectorText(selector)}) fits no pods that serve on`];
      }
      return [
        podMetricsEndpoints.length === 0 && 'names no port',
        (namespaceSelector?.any === true ||
          (namespaceSelector?.matchNames ?? []).some((name) => name !== namespaceOf(object))) &&
          'its namespaceSelector is about pods of other namespaces',
        ...podMetricsEndpoints.flatMap(
          ({ path = PATHS.metrics, interval = '30s', metricRelabelings = [] }) => [
            path !== PATHS.metrics && `asks for ${path}; metrics are at ${PATHS.metrics}`,
            !LONGEST_SCRAPE.test(interval) &&
              `asks every ${interval}; alerts need figures at least every three minutes`,
            metricRelabelings.some(takesMetrics) &&
              'its metricRelabelings take away what alerts are made of',
          ],
        ),
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
    subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
    faults: (object, audited) => {
      const { podSelector, ingress = [], egress = [] } = object.manifest.spec ?? {};
      const namespace = namespaceOf(object);
      const taken = podsSelected(audited, namespace, podSelector);
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
        selects(podSelector, {}) &&
          ingress.length + egress.length > 0 &&
          `its rules hold for every pod that it does not except (${selectorText(podSelector)})`,
      ];
    },
  }),
  rule({
    id: 'placement-counts-own-pods',
    subjects: servingPods,
    faults: (pod, audited) => {
      const { spec, labels } = pod;
      const nodes = neighbours(audited.model, pod, 'aws_eks_node_group')
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
