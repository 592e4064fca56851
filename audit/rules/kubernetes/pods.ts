import { valueAt } from '../../../src/synthesized/model/model.ts';
import type {
  KubernetesObject,
  Manifest,
} from '../../../src/synthesized/views/kubernetes-object.ts';
import type { Audited } from '../rule.ts';
import type { ContainerPort, ContainerSpec, PodSpec } from './api-types.ts';

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
const TEMPLATES: Readonly<Record<string, string>> = {
  Deployment: 'spec.template',
  StatefulSet: 'spec.template',
  DaemonSet: 'spec.template',
  Job: 'spec.template',
  CronJob: 'spec.jobTemplate.spec.template',
};

/** Kinds whose pods are meant to run for ever. */
const SERVING = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** Kinds whose pods are meant to end. */
const ENDING = ['Job', 'CronJob'];

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

const known = new WeakMap<Audited, readonly Pod[]>();

/** The pods of every object that makes some. */
export function podsOf(audited: Audited): readonly Pod[] {
  const found = known.get(audited);
  if (found !== undefined) return found;
  const pods = audited.objects.flatMap(({ stack, address, manifest }) => {
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
  return podsOf(audited).filter(({ kind }) => SERVING.includes(kind));
}

/** Pods that are meant to end. */
export function endingPods(audited: Audited): readonly Pod[] {
  return podsOf(audited).filter(({ kind }) => ENDING.includes(kind));
}

/** Pods of a namespace. */
export function podsIn(audited: Audited, namespace: string): readonly Pod[] {
  return podsOf(audited).filter((pod) => pod.namespace === namespace);
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
