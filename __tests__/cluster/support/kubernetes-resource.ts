/** Fields of Kubernetes objects that the tests look at (Kubernetes API reference 1.35). */
export interface KubernetesResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

/** Something that is true of an object, or not. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
}

export interface Pod extends KubernetesResource {
  readonly spec: PodSpec;
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
  };
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly projected?: object }[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly ContainerPort[];
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

export interface Deployment extends KubernetesResource {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: PodSpec };
  };
  readonly status: { readonly conditions?: readonly Condition[] };
}

export interface EndpointSlice extends KubernetesResource {
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready: boolean };
  }[];
}

export interface PodDisruptionBudget extends KubernetesResource {
  readonly status: { readonly disruptionsAllowed: number; readonly expectedPods: number };
}

export interface HorizontalPodAutoscaler extends KubernetesResource {
  readonly spec: { readonly minReplicas: number; readonly maxReplicas: number };
  readonly status: { readonly conditions?: readonly Condition[] };
}

export interface ConfigMap extends KubernetesResource {
  readonly data: Labels;
}

/** The condition of a type. @throws Error when the object has none */
export function conditionOf(
  {
    status: { conditions = [] },
  }: { readonly status: { readonly conditions?: readonly Condition[] } },
  type: string,
): Condition {
  const condition = conditions.find((candidate) => candidate.type === type);
  if (condition === undefined) {
    throw new Error(`there is no condition ${type} among ${JSON.stringify(conditions)}`);
  }
  return condition;
}

/** Whether the pod takes traffic. */
export function isReady({ metadata, status: { conditions = [] } }: Pod): boolean {
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready && metadata.deletionTimestamp === undefined;
}

/**
 * A copy of an object with one value changed.
 *
 * @param path - field names and places in lists, such as `spec.ports.0.port`
 * @param value - undefined removes the field
 */
export function withValue<T extends KubernetesResource>(
  object: T,
  path: string,
  value: unknown,
): T {
  const copy = structuredClone(object);
  const names = path.split('.');
  const last = names.pop() ?? '';
  let holder = copy as unknown as Record<string, unknown>;
  for (const name of names) {
    const next = holder[name];
    if (typeof next !== 'object' || next === null) {
      throw new Error(`${object.kind} ${object.metadata.name} has no ${path}`);
    }
    holder = next as Record<string, unknown>;
  }
  holder[last] = value;
  return copy;
}

/** The one object of a kind, and of a name where one is given. @throws Error when there is none, or another one */
export function ofKind(
  objects: readonly KubernetesResource[],
  kind: string,
  name?: string,
): KubernetesResource {
  const [object, ...others] = objects.filter(
    (candidate) =>
      candidate.kind === kind && (name === undefined || candidate.metadata.name === name),
  );
  if (object === undefined || others.length > 0) {
    throw new Error(`${others.length + (object ? 1 : 0)} objects are of kind ${kind}`);
  }
  return object;
}
