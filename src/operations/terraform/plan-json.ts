/** One resource of a state. */
export interface HeldResource {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Its creation failed: the next plan makes it anew. */
  readonly tainted: boolean;
}

/**
 * A state as `terraform state pull` prints it (format version 4). `terraform show -json` would start
 * every provider for the same, which takes seconds.
 */
export interface StateJson {
  readonly outputs?: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly resources?: readonly {
    readonly mode: 'managed' | 'data';
    readonly type: string;
    readonly name: string;
    readonly instances?: readonly {
      readonly attributes?: Readonly<Record<string, unknown>>;
      readonly status?: 'tainted';
    }[];
  }[];
}

/** What a plan does with one resource. */
export interface PlannedChange {
  readonly address: string;
  readonly type: string;
  readonly change: {
    /** `['no-op']`, `['create']`, `['delete', 'create']`, `['forget']` and so on. */
    readonly actions: readonly string[];
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
    /** `true` for what an apply will tell, by argument. */
    readonly after_unknown?: unknown;
    /** `true` for what must not be shown, by argument. */
    readonly before_sensitive?: unknown;
    readonly after_sensitive?: unknown;
    /** Present where the plan takes over what exists. */
    readonly importing?: { readonly id?: string };
  };
}

/** `terraform show -json` of a plan file. */
export interface PlanJson {
  readonly resource_changes?: readonly PlannedChange[];
  /** What the refresh found to be other than in the state, whether the plan would change it or not. */
  readonly resource_drift?: readonly PlannedChange[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
}

/** One change as a command reports it. */
export interface ResourceChange {
  readonly address: string;
  readonly actions: readonly string[];
}

/** The managed resources of a state; the stacks have no modules, and one instance of each. */
export function managedResources({ resources = [] }: StateJson): readonly HeldResource[] {
  return resources
    .filter(({ mode }) => mode === 'managed')
    .map(({ type, name, instances = [] }) => ({
      address: `${type}.${name}`,
      type,
      values: instances[0]?.attributes ?? {},
      tainted: instances[0]?.status === 'tainted',
    }));
}

/** The stack's cluster as a state knows it, whether the stack has made it or looks it up. */
export function clusterIn({ resources = [] }: StateJson): HeldResource['values'] | undefined {
  const clusters = resources.filter(({ type }) => type === 'aws_eks_cluster');
  const cluster = clusters.find(({ mode }) => mode === 'managed') ?? clusters[0];
  return cluster?.instances?.[0]?.attributes;
}

/** What a plan would change, create, destroy or import; reading a data source is not a change. */
export function changesOf(plan: PlanJson): readonly PlannedChange[] {
  return (plan.resource_changes ?? []).filter(
    ({ change }) =>
      change.importing !== undefined ||
      change.actions.some((action) => action !== 'no-op' && action !== 'read'),
  );
}

/** Whether a change destroys the resource, also to replace it. */
export function deletes({ change }: Pick<PlannedChange, 'change'>): boolean {
  return change.actions.includes('delete');
}

/** A change without its values. */
export function summaryOf({ address, change }: PlannedChange): ResourceChange {
  return { address, actions: change.actions };
}
