import { valueAt } from '../../../src/synthesized/model/model.ts';
import type {
  KubernetesObject,
  Manifest,
} from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { parseJson } from '../../policy/policy-document.ts';
import type { Audited } from '../rule.ts';
import kubernetes from './kubernetes.json' with { type: 'json' };
import type {
  BackendService,
  ContainerPort,
  ContainerSpec,
  FileSource,
  IngressSpec,
  PodSpec,
  Selector,
  ServiceSpec,
} from './kubernetes-api.ts';

/** The pods that one object makes: of a Deployment or Job, say, or a bare Pod itself. */
export interface Pod {
  readonly stack: string;
  readonly address: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  readonly manifest: Manifest;
}

/** A container of a pod, with what it is called in findings. */
export interface Container {
  readonly stack: string;
  /** Address of the resource, and the container's name. */
  readonly address: string;
  readonly pod: Pod;
  readonly name: string;
  /** It runs to its end before the others start. */
  readonly init: boolean;
  readonly spec: ContainerSpec;
}

/** Where the pod of each kind is. */
const TEMPLATES: Readonly<Record<string, string>> = kubernetes.templates;

/** Objects of some kinds. */
export function objectsOf(
  { objects }: Audited,
  ...kinds: readonly string[]
): readonly KubernetesObject[] {
  return objects.filter(({ manifest }) => kinds.includes(manifest.kind));
}

/** Namespace of an object; empty for one that has none. */
export function namespaceOf({ manifest }: Pick<KubernetesObject, 'manifest'>): string {
  return manifest.metadata.namespace ?? '';
}

/** Objects of a kind in a namespace, of whatever stack. */
export function objectsIn(
  audited: Audited,
  namespace: string,
  ...kinds: readonly string[]
): readonly KubernetesObject[] {
  return objectsOf(audited, ...kinds).filter((object) => namespaceOf(object) === namespace);
}

/** The object of a kind and name in a namespace. */
export function objectNamed(
  audited: Audited,
  namespace: string,
  kind: string,
  name: string | undefined,
): KubernetesObject | undefined {
  return objectsIn(audited, namespace, kind).find(
    ({ manifest }) => manifest.metadata.name === name,
  );
}

/** What pods are made by; a ConfigMap with the template of a Job has that as `job`. */
interface PodMaker extends KubernetesObject {
  readonly job?: Manifest;
}

/**
 * ConfigMaps with the template of a Job, which the listener makes Jobs by: JSON, under whatever key. What the listener adds
 * to it, name, arguments and what it asks for of a node, is not there.
 */
export function jobTemplatesOf(
  audited: Pick<Audited, 'objects'>,
): readonly (PodMaker & { readonly job: Manifest })[] {
  return audited.objects
    .filter(({ manifest }) => manifest.kind === 'ConfigMap')
    .flatMap((object) =>
      Object.values((object.manifest.data ?? {}) as Readonly<Record<string, unknown>>).flatMap(
        (text) => {
          const job = jobIn(text);
          if (job === undefined) return [];
          const { namespace, name } = object.manifest.metadata;
          const metadata = { ...job.metadata, name, ...(namespace && { namespace }) };
          return [{ ...object, job: { ...job, metadata } }];
        },
      ),
    );
}

function jobIn(text: unknown): Manifest | undefined {
  const { job } = Object(parseJson(text)) as { readonly job?: Manifest };
  return job?.kind === 'Job' ? job : undefined;
}

const known = new WeakMap<Audited, readonly Pod[]>();

/** The pods of every object that makes some. */
export function podsOf(audited: Audited): readonly Pod[] {
  const found = known.get(audited);
  if (found !== undefined) return found;
  const all = [...audited.objects, ...jobTemplatesOf(audited)];
  const pods = all.flatMap(({ stack, address, manifest: made, job }: PodMaker) => {
    const manifest = job ?? made;
    const path = TEMPLATES[manifest.kind];
    const template = manifest.kind === 'Pod' ? manifest : path && valueAt(manifest, path);
    if (!template) return [];
    return [
      {
        stack,
        address,
        kind: manifest.kind,
        name: manifest.metadata.name,
        namespace: manifest.metadata.namespace ?? '',
        labels: (valueAt(template, 'metadata.labels') ?? {}) as Pod['labels'],
        annotations: (valueAt(template, 'metadata.annotations') ?? {}) as Pod['annotations'],
        spec: (valueAt(template, 'spec') ?? {}) as PodSpec,
        manifest,
      },
    ];
  });
  known.set(audited, pods);
  return pods;
}

/** Pods that are meant to run for ever. */
export function servingPods(audited: Audited): readonly Pod[] {
  return podsOf(audited).filter(({ kind }) => kubernetes.serving.includes(kind));
}

/** Pods that are meant to end. */
export function endingPods(audited: Audited): readonly Pod[] {
  return podsOf(audited).filter(({ kind }) => kubernetes.ending.includes(kind));
}

/** Pods of a namespace. */
export function podsIn(audited: Audited, namespace: string): readonly Pod[] {
  return podsOf(audited).filter((pod) => pod.namespace === namespace);
}

/** Pods of a namespace that a selector takes. */
export function podsSelected(
  audited: Audited,
  namespace: string,
  selector: Selector | undefined,
): readonly Pod[] {
  return podsIn(audited, namespace).filter(({ labels }) => selects(selector, labels));
}

/** The Services that lead to a pod; one without a selector leads to none. */
export function servicesOf(audited: Audited, pod: Pod): readonly KubernetesObject[] {
  return objectsIn(audited, pod.namespace, 'Service').filter((service) => {
    const { selector = {} } = serviceSpec(service);
    return Object.keys(selector).length > 0 && selects({ matchLabels: selector }, pod.labels);
  });
}

/** What a Service says. */
export function serviceSpec({ manifest }: Pick<KubernetesObject, 'manifest'>): ServiceSpec {
  return (manifest.spec ?? {}) as ServiceSpec;
}

/** What an Ingress says. */
export function ingressSpec({ manifest }: Pick<KubernetesObject, 'manifest'>): IngressSpec {
  return (manifest.spec ?? {}) as IngressSpec;
}

/** The Services that an Ingress leads to. */
export function backendsOf(ingress: Pick<KubernetesObject, 'manifest'>): readonly BackendService[] {
  const { defaultBackend, rules = [] } = ingressSpec(ingress);
  const paths = rules.flatMap(({ http }) => http?.paths ?? []);
  return [defaultBackend, ...paths.map(({ backend }) => backend)].flatMap(
    (backend) => backend?.service ?? [],
  );
}

/** The Ingresses of a namespace that lead to one of some Services. */
export function ingressesTo(
  audited: Audited,
  namespace: string,
  services: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  const names = services.map(({ manifest }) => manifest.metadata.name);
  return objectsIn(audited, namespace, 'Ingress').filter((ingress) =>
    backendsOf(ingress).some(({ name = '' }) => names.includes(name)),
  );
}

/** All containers of a pod. */
export function containersOf(pod: Pod): readonly Container[] {
  const make = (specs: readonly ContainerSpec[] | undefined, init: boolean) =>
    (specs ?? []).map((spec) => ({
      stack: pod.stack,
      address: `${pod.address} ${spec.name}`,
      pod,
      name: spec.name ?? '',
      init,
      spec,
    }));
  return [...make(pod.spec.initContainers, true), ...make(pod.spec.containers, false)];
}

/** All containers of all pods. */
export function allContainers(audited: Audited): readonly Container[] {
  return podsOf(audited).flatMap(containersOf);
}

/** The port of a pod that a number or a name means. */
export function portOf(
  containers: readonly Container[],
  port: number | string | undefined,
): ContainerPort | undefined {
  return containers
    .flatMap(({ spec }) => spec.ports ?? [])
    .find(({ name, containerPort }) => name === port || Number(containerPort) === Number(port));
}

type Labels = Readonly<Record<string, string>>;

/** Whether labels satisfy a selector; an empty selector takes everything, a missing one nothing. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  return (
    exact && (selector.matchExpressions ?? []).every((expression) => meets(expression, labels))
  );
}

/** Whether a selector names no label, and so takes everything. */
export function isEmpty(selector: Selector | undefined): boolean {
  return (
    Object.keys(selector?.matchLabels ?? {}).length === 0 &&
    (selector?.matchExpressions ?? []).length === 0
  );
}

/** How a selector looks in a sentence. */
export function selectorText(selector: Selector | undefined): string {
  if (selector === undefined) return 'no selector';
  const exact = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) =>
    [key, operator, values.join('|')].filter(Boolean).join(' '),
  );
  return [...exact, ...expressions].join(', ') || 'an empty selector';
}

function meets(
  { key = '', operator, values = [] }: NonNullable<Selector['matchExpressions']>[number],
  labels: Labels,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** A place in a pod that names a ConfigMap or a Secret. */
interface DataReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** Keys that must be there. */
  readonly keys: readonly string[];
  readonly optional: boolean;
  /** Where, for findings. */
  readonly place: string;
  /** How the data reaches the process. */
  readonly as: 'environment' | 'files';
}

/** Every ConfigMap and Secret that a pod takes data from. */
export function dataReferences(pod: Pod): readonly DataReference[] {
  return [...containersOf(pod).flatMap(environmentReferences), ...volumeReferences(pod)];
}

/** A reference, none where there is nothing to refer to. */
function reference(
  kind: DataReference['kind'],
  to: FileSource | undefined,
  place: string,
  as: DataReference['as'],
): readonly DataReference[] {
  if (to === undefined) return [];
  const keys = to.items?.map(({ key = '' }) => key) ?? (to.key === undefined ? [] : [to.key]);
  return [{ kind, name: to.name ?? '', keys, optional: to.optional === true, place, as }];
}

function environmentReferences({ name: container, spec }: Container): readonly DataReference[] {
  const places = [
    ...(spec.envFrom ?? []).map((from) => ['envFrom', from.configMapRef, from.secretRef] as const),
    ...(spec.env ?? []).map(
      ({ name, valueFrom: from }) => [name, from?.configMapKeyRef, from?.secretKeyRef] as const,
    ),
  ];
  return places.flatMap(([name, configMap, secret]) => {
    const place = `container ${container}, ${name}`;
    return [
      ...reference('ConfigMap', configMap, place, 'environment'),
      ...reference('Secret', secret, place, 'environment'),
    ];
  });
}

function volumeReferences({ spec }: Pod): readonly DataReference[] {
  return (spec.volumes ?? []).flatMap(({ name, configMap, secret, projected }) => {
    const sources = [
      { configMap, secret: secret && { ...secret, name: secret.secretName } },
      ...(projected?.sources ?? []),
    ];
    return sources.flatMap((source) => [
      ...reference('ConfigMap', source.configMap, `volume ${name}`, 'files'),
      ...reference('Secret', source.secret, `volume ${name}`, 'files'),
    ]);
  });
}

/** Names of Secrets that Ingresses of a namespace take certificates from. */
export function ingressSecrets(audited: Audited, namespace: string): readonly string[] {
  return objectsOf(audited, 'Ingress')
    .filter(({ manifest }) => manifest.metadata.namespace === namespace)
    .flatMap(({ manifest }) => manifest.spec?.tls ?? [])
    .map(({ secretName }: { secretName?: string }) => secretName ?? '');
}

/** Names of Secrets that scalers of KEDA sign in with. */
export function scalerSecrets(audited: Audited, namespace: string): readonly string[] {
  return objectsIn(audited, namespace, 'TriggerAuthentication')
    .flatMap(({ manifest }) => manifest.spec?.secretTargetRef ?? [])
    .map(({ name }: { name?: string }) => name ?? '');
}

/** Autoscalers that own the number of a workload's pods: of Kubernetes, and KEDA's, whose target is a Deployment unless it says more. */
export function autoscalersOf(audited: Audited, pod: Pod): readonly KubernetesObject[] {
  const kinds = ['HorizontalPodAutoscaler', 'ScaledObject'];
  return objectsIn(audited, pod.namespace, ...kinds).filter(({ manifest }) => {
    const byDefault = manifest.kind === 'ScaledObject' ? 'Deployment' : undefined;
    const { kind = byDefault, name } = manifest.spec?.scaleTargetRef ?? {};
    return kind === pod.kind && name === pod.name;
  });
}

/** The fewest and the most pods of an autoscaler; KEDA's may be none and 100, unless it says more. */
export function rangeOf({ manifest }: KubernetesObject): readonly [least: number, most: number] {
  const { minReplicas, maxReplicas, minReplicaCount, maxReplicaCount } = manifest.spec ?? {};
  return manifest.kind === 'ScaledObject'
    ? [Number(minReplicaCount ?? 0), Number(maxReplicaCount ?? 100)]
    : [Number(minReplicas ?? 1), Number(maxReplicas ?? 1)];
}

/** The fewest pods that a workload has: its autoscaler's minimum, else its own number. */
export function leastReplicas(audited: Audited, pod: Pod): number {
  const [autoscaler] = autoscalersOf(audited, pod);
  return autoscaler ? rangeOf(autoscaler)[0] : ownReplicas(pod);
}

/** The most pods that a workload has, those of a rollout aside. */
export function mostReplicas(audited: Audited, pod: Pod): number {
  const [autoscaler] = autoscalersOf(audited, pod);
  return autoscaler ? rangeOf(autoscaler)[1] : ownReplicas(pod);
}

/** The number of pods that the workload itself says; 1 is the API's default. */
export function ownReplicas({ manifest }: Pod): number {
  return Number(manifest.spec?.replicas ?? 1);
}

const SUFFIXES: Readonly<Record<string, number>> = kubernetes.suffixes;

/**
 * A quantity as a number: CPUs, or bytes (Kubernetes documentation, "Resource Management for Pods
 * and Containers").
 *
 * @returns undefined for what is not a quantity, such as an expression
 */
export function quantity(text: string | number | undefined): number | undefined {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(text ?? '')) ?? [];
  const factor = SUFFIXES[suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** How a number that may be a percentage is rounded to pods. */
type Rounding = 'up' | 'down';

/**
 * A number of pods: given as a number, or as a percentage of all.
 *
 * @returns undefined for what is neither, such as an expression
 */
export function podCount(
  value: string | number | undefined,
  all: number,
  rounding: Rounding,
): number | undefined {
  const [, digits, percent] = /^(\d+)(%?)$/.exec(String(value ?? '')) ?? [];
  if (digits === undefined) return undefined;
  if (percent === '') return Number(digits);
  const pods = (Number(digits) / 100) * all;
  return rounding === 'up' ? Math.ceil(pods) : Math.floor(pods);
}
