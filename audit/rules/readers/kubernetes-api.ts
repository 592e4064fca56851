/**
 * The parts of the Kubernetes API that the rules read (Kubernetes API reference). Every field is
 * optional, since what is judged may lack any. A number may still be an expression of Terraform.
 */

/** A number, a percentage, a name, or an expression. */
export type NumberOrText = number | string;

/** A label selector. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A reference to a ConfigMap or Secret, or to one of its keys. */
interface NamedReference {
  readonly name?: string;
  readonly key?: string;
  readonly optional?: boolean;
}

/** A key of a ConfigMap or Secret, and the file that it becomes. */
export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

/** A ConfigMap or Secret whose keys become files. */
export interface FileSource extends NamedReference {
  readonly defaultMode?: NumberOrText;
  readonly items?: readonly KeyToPath[];
}

/** A variable of a container, and where its value comes from. */
interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: NamedReference;
    readonly secretKeyRef?: NamedReference;
  };
}

/** Where a container sees a volume. */
interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** A question of the kubelet. */
export interface Probe {
  readonly httpGet?: {
    readonly path?: string;
    readonly port?: NumberOrText;
    readonly scheme?: string;
    readonly host?: string;
  };
  readonly tcpSocket?: { readonly port?: NumberOrText };
  readonly grpc?: { readonly port?: NumberOrText };
  readonly exec?: { readonly command?: readonly string[] };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
  readonly successThreshold?: number;
}

/** What a container, or all of a pod, may do. */
export interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: NumberOrText;
  readonly runAsGroup?: NumberOrText;
  readonly fsGroup?: NumberOrText;
  readonly supplementalGroups?: readonly NumberOrText[];
  readonly procMount?: string;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type?: string };
  readonly appArmorProfile?: { readonly type?: string };
  readonly seLinuxOptions?: Readonly<Record<string, string>>;
  readonly sysctls?: readonly { readonly name: string }[];
  readonly windowsOptions?: unknown;
}

/** A port that a container opens. */
export interface ContainerPort {
  readonly name?: string;
  readonly containerPort?: NumberOrText;
  readonly protocol?: string;
  readonly hostPort?: NumberOrText;
  readonly hostIP?: string;
}

/** A container. */
export interface ContainerSpec {
  readonly name?: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly configMapRef?: NamedReference;
    readonly secretRef?: NamedReference;
  }[];
  readonly ports?: readonly ContainerPort[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: {
    readonly preStop?: {
      readonly exec?: { readonly command?: readonly string[] };
      readonly sleep?: { readonly seconds?: number };
    };
  };
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly restartPolicy?: string;
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly VolumeMount[];
}

/** A volume of a pod; its other fields are sources. */
export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly sizeLimit?: string; readonly medium?: string };
  readonly secret?: FileSource & { readonly secretName?: string };
  readonly configMap?: FileSource;
  readonly projected?: {
    readonly defaultMode?: NumberOrText;
    readonly sources?: readonly {
      readonly secret?: FileSource;
      readonly configMap?: FileSource;
    }[];
  };
  readonly persistentVolumeClaim?: { readonly claimName?: string };
  readonly [source: string]: unknown;
}

/** How pods are spread over places. */
interface SpreadConstraint {
  readonly topologyKey?: string;
  readonly maxSkew?: number;
  readonly whenUnsatisfiable?: string;
  readonly labelSelector?: Selector;
  readonly matchLabelKeys?: readonly string[];
}

/** Pods to be near, or far from. */
interface PodAffinityTerm {
  readonly topologyKey?: string;
  readonly labelSelector?: Selector;
  readonly namespaces?: readonly string[];
}

/** Terms that must, and that should be met. */
export interface PodAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly podAffinityTerm?: PodAffinityTerm;
  }[];
}

/** Nodes that a pod may run on. */
interface NodeSelectorTerm {
  readonly matchExpressions?: Selector['matchExpressions'];
}

/** A pod. */
export interface PodSpec {
  readonly containers?: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly activeDeadlineSeconds?: number;
  readonly restartPolicy?: string;
  readonly securityContext?: SecurityContext;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly hostAliases?: readonly unknown[];
  readonly dnsPolicy?: string;
  readonly nodeName?: string;
  readonly schedulerName?: string;
  readonly runtimeClassName?: string;
  readonly priorityClassName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly {
    readonly key?: string;
    readonly operator?: string;
    readonly value?: string;
    readonly effect?: string;
  }[];
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
      };
    };
    readonly podAffinity?: PodAffinity;
    readonly podAntiAffinity?: PodAffinity;
  };
  readonly topologySpreadConstraints?: readonly SpreadConstraint[];
}

/** A port of a Service. */
interface ServicePort {
  readonly name?: string;
  readonly port?: number;
  readonly targetPort?: NumberOrText;
  readonly protocol?: string;
}

/** A Service. */
export interface ServiceSpec {
  readonly type?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly ServicePort[];
  readonly externalIPs?: readonly string[];
  readonly externalName?: string;
  readonly externalTrafficPolicy?: string;
  readonly loadBalancerClass?: string;
  readonly loadBalancerSourceRanges?: readonly string[];
  readonly publishNotReadyAddresses?: boolean;
}

/** A Service that an Ingress leads to. */
export interface BackendService {
  readonly name?: string;
  readonly port?: { readonly name?: string; readonly number?: number };
}

/** An Ingress. */
export interface IngressSpec {
  readonly ingressClassName?: string;
  readonly defaultBackend?: { readonly service?: BackendService };
  readonly rules?: readonly {
    readonly host?: string;
    readonly http?: {
      readonly paths?: readonly {
        readonly path?: string;
        readonly pathType?: string;
        readonly backend?: { readonly service?: BackendService };
      }[];
    };
  }[];
  readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
}

/** Who may call, or be called. */
export interface NetworkPeer {
  readonly ipBlock?: { readonly cidr?: string; readonly except?: readonly string[] };
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
}

/** A port that a network policy opens. */
export interface NetworkPort {
  readonly port?: NumberOrText;
  readonly endPort?: number;
  readonly protocol?: string;
}

/** A network policy. */
export interface NetworkPolicySpec {
  readonly podSelector?: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly {
    readonly from?: readonly NetworkPeer[];
    readonly ports?: readonly NetworkPort[];
  }[];
  readonly egress?: readonly {
    readonly to?: readonly NetworkPeer[];
    readonly ports?: readonly NetworkPort[];
  }[];
}

/** A rule of a Role: what may be done with what. */
export interface Right {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Who a binding gives a Role to. */
export interface BindingSubject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}
