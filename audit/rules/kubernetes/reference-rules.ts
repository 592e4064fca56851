import { type Audited, type Rule, rule } from '../rule.ts';
import type { BackendService, IngressSpec, ServiceSpec } from './api-types.ts';
import { configMapData } from './environment.ts';
import { repeated, shown, when } from './faults.ts';
import { selects } from './label-selector.ts';
import { containersOf, namespaceOf, objectsIn, objectsOf, podsIn, podsOf, portOf } from './pods.ts';
import { dataReferences, ingressSecrets } from './references.ts';

/** A pod that lacks a ConfigMap or Secret never starts. */
export const podDataExists: Rule = rule({
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
        ...when(
          there === undefined && !external,
          `${place}: there is no ${kind} ${name} in namespace ${pod.namespace}`,
        ),
        ...missing.map((key) => `${place}: ${kind} ${name} has no key ${key}`),
        ...when(optional, `${place}: ${kind} ${name} is optional, so the pod starts without it`),
      ];
    }),
});

/** What nobody uses was cut off by a changed name. */
export const dataIsUsed: Rule = rule({
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
          ) || ingressSecrets(audited, namespaceOf(object)).includes(metadata.name);
    return when(!used, `no pod of namespace ${namespaceOf(object)} uses it`);
  },
});

/** A pod without a ServiceAccount of its own shares one with everybody. */
export const serviceAccountExists: Rule = rule({
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
    return when(!there, `there is no ServiceAccount ${name} in namespace ${namespace}`);
  },
});

/** A Service whose target port nobody opens refuses every connection. */
export const servicePortReachesContainer: Rule = rule({
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
      ...when(ports.length === 0, 'has no port'),
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
          return when(
            (target.protocol ?? 'TCP') !== protocol,
            `port ${port} is ${protocol}, its target ${targetPort} is ${target.protocol ?? 'TCP'}`,
          );
        }),
      ),
    ];
  },
});

/** An Ingress to nowhere answers 503. */
export const ingressReachesService: Rule = rule({
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
    if (backends.length === 0) return ['leads to no Service'];
    return backends.flatMap((backend) => backendFaults(backend, namespaceOf(object), audited));
  },
});

/** A mount without a volume is refused; a volume without a mount is a file nobody sees. */
export const volumesAreMounted: Rule = rule({
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
            .map(({ name }) => `container ${container} mounts ${name}, which is no volume`),
          ...repeated(mounts.map(({ mountPath }) => mountPath)).map(
            (path) => `container ${container} mounts two volumes at ${path}`,
          ),
        ];
      }),
    ];
  },
});

function backendFaults(
  { name = '', port }: BackendService,
  namespace: string,
  audited: Audited,
): readonly string[] {
  const service = objectsIn(audited, namespace, 'Service').find(
    ({ manifest }) => manifest.metadata.name === name,
  );
  if (service === undefined) return [`there is no Service ${name} in namespace ${namespace}`];
  const ports = ((service.manifest.spec ?? {}) as ServiceSpec).ports ?? [];
  const there = ports.some((one) =>
    port?.name === undefined ? one.port === port?.number : one.name === port.name,
  );
  return when(!there, `Service ${name} has no port ${port?.name ?? port?.number}`);
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
      !podsIn(audited, namespaceOf(secret)).some((pod) =>
        dataReferences(pod).some(
          ({ kind, name }) => kind === 'Secret' && name === secret.manifest.metadata.name,
        ),
      ),
  );
}

/** Rules on references between objects. */
export const REFERENCE_RULES: readonly Rule[] = [
  podDataExists,
  dataIsUsed,
  serviceAccountExists,
  servicePortReachesContainer,
  ingressReachesService,
  volumesAreMounted,
];
