/** A Kubernetes object as its API takes it, and the resource that it was made from. */
export interface KubernetesObject {
  readonly stack: string;
  /** Address of the `kubernetes_*` resource. */
  readonly address: string;
  readonly manifest: Manifest;
  /** Keys of a Secret's data. The data itself is never in the manifest. */
  readonly secretKeys?: readonly string[];
}

/** A Kubernetes manifest. Values that only Terraform knows are strings with `${...}` in them. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own fields.
  readonly [field: string]: any;
}
