/** What the Kubernetes API calls an object of a `kubernetes_*` resource. */
export interface KubernetesKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Whether its objects live in a namespace. */
  readonly namespaced: boolean;
}

const namespaced = (apiVersion: string, kind: string) => ({ apiVersion, kind, namespaced: true });
const clusterWide = (apiVersion: string, kind: string) => ({ apiVersion, kind, namespaced: false });

const RBAC = 'rbac.authorization.k8s.io/v1';

/**
 * The kinds that can be shown as manifests, by the resource's type without `kubernetes_`. Those that
 * the provider has with and without a version are listed once, without (Terraform Registry,
 * hashicorp/kubernetes 2.38).
 */
const KINDS: Readonly<Record<string, KubernetesKind>> = {
  namespace: clusterWide('v1', 'Namespace'),
  persistent_volume_claim: namespaced('v1', 'PersistentVolumeClaim'),
  service_account: namespaced('v1', 'ServiceAccount'),
  config_map: namespaced('v1', 'ConfigMap'),
  secret: namespaced('v1', 'Secret'),
  service: namespaced('v1', 'Service'),
  pod: namespaced('v1', 'Pod'),
  resource_quota: namespaced('v1', 'ResourceQuota'),
  limit_range: namespaced('v1', 'LimitRange'),
  deployment: namespaced('apps/v1', 'Deployment'),
  stateful_set: namespaced('apps/v1', 'StatefulSet'),
  daemon_set: namespaced('apps/v1', 'DaemonSet'),
  daemonset: namespaced('apps/v1', 'DaemonSet'),
  job: namespaced('batch/v1', 'Job'),
  cron_job: namespaced('batch/v1', 'CronJob'),
  ingress: namespaced('networking.k8s.io/v1', 'Ingress'),
  ingress_class: clusterWide('networking.k8s.io/v1', 'IngressClass'),
  network_policy: namespaced('networking.k8s.io/v1', 'NetworkPolicy'),
  pod_disruption_budget: namespaced('policy/v1', 'PodDisruptionBudget'),
  horizontal_pod_autoscaler: namespaced('autoscaling/v1', 'HorizontalPodAutoscaler'),
  horizontal_pod_autoscaler_v2: namespaced('autoscaling/v2', 'HorizontalPodAutoscaler'),
  role: namespaced(RBAC, 'Role'),
  role_binding: namespaced(RBAC, 'RoleBinding'),
  cluster_role: clusterWide(RBAC, 'ClusterRole'),
  cluster_role_binding: clusterWide(RBAC, 'ClusterRoleBinding'),
  priority_class: clusterWide('scheduling.k8s.io/v1', 'PriorityClass'),
  storage_class: clusterWide('storage.k8s.io/v1', 'StorageClass'),
  api_service: clusterWide('apiregistration.k8s.io/v1', 'APIService'),
};

/** The kind of a type such as `kubernetes_deployment_v1`; undefined for one that isn't listed. */
export function kubernetesKind(type: string): KubernetesKind | undefined {
  const name = type.replace(/^kubernetes_/, '');
  return KINDS[name] ?? KINDS[name.replace(/_v1$/, '')];
}

/**
 * Where the Terraform provider's fields differ from the Kubernetes API's. What is in no table is the
 * same in camel case: a scalar, a list of scalars, or one block.
 *
 * A key is a field's name, with as many of the names above it, from the kind down, as it takes to
 * tell it from others: the longest key that fits counts (Terraform Registry, hashicorp/kubernetes
 * 2.38; Kubernetes API reference).
 */
export type FieldTable<T> = Readonly<Record<string, T>>;

/** Blocks that are lists in the API, and what they are called there. */
export const LISTS: FieldTable<string | false> = {
  container: 'containers',
  init_container: 'initContainers',
  env: 'env',
  env_from: 'envFrom',
  port: 'ports',
  'service.port': false,
  ports: 'ports',
  volume: 'volumes',
  volume_mount: 'volumeMounts',
  volume_device: 'volumeDevices',
  volume_claim_template: 'volumeClaimTemplates',
  items: 'items',
  sources: 'sources',
  toleration: 'tolerations',
  topology_spread_constraint: 'topologySpreadConstraints',
  host_aliases: 'hostAliases',
  image_pull_secrets: 'imagePullSecrets',
  image_pull_secret: 'imagePullSecrets',
  'ServiceAccount.secret': 'secrets',
  readiness_gate: 'readinessGates',
  'dns_config.option': 'options',
  sysctl: 'sysctls',
  http_header: 'httpHeaders',
  match_expressions: 'matchExpressions',
  match_expression: 'matchExpressions',
  match_fields: 'matchFields',
  node_selector_term: 'nodeSelectorTerms',
  preferred_during_scheduling_ignored_during_execution:
    'preferredDuringSchedulingIgnoredDuringExecution',
  'pod_affinity.required_during_scheduling_ignored_during_execution':
    'requiredDuringSchedulingIgnoredDuringExecution',
  'pod_anti_affinity.required_during_scheduling_ignored_during_execution':
    'requiredDuringSchedulingIgnoredDuringExecution',
  'pod_failure_policy.rule': 'rules',
  on_pod_condition: 'onPodConditions',
  'NetworkPolicy.spec.ingress': 'ingress',
  'NetworkPolicy.spec.egress': 'egress',
  from: 'from',
  to: 'to',
  'Ingress.spec.rule': 'rules',
  'Ingress.spec.tls': 'tls',
  'http.path': 'paths',
  'Role.rule': 'rules',
  'ClusterRole.rule': 'rules',
  cluster_role_selectors: 'clusterRoleSelectors',
  subject: 'subjects',
  'HorizontalPodAutoscaler.spec.metric': 'metrics',
  policy: 'policies',
  'LimitRange.spec.limit': 'limits',
};

/** Scalars, and lists of them, whose name is not the camel case of the provider's. */
export const NAMES: FieldTable<string> = {
  cluster_ip: 'clusterIP',
  cluster_ips: 'clusterIPs',
  external_ips: 'externalIPs',
  load_balancer_ip: 'loadBalancerIP',
  host_ip: 'hostIP',
  host_ipc: 'hostIPC',
  host_pid: 'hostPID',
  volume_id: 'volumeID',
  client_ip: 'clientIP',
  non_resource_urls: 'nonResourceURLs',
  'CronJob.spec.timezone': 'timeZone',
  target_cpu_utilization_percentage: 'targetCPUUtilizationPercentage',
  'StorageClass.storage_provisioner': 'provisioner',
};

/** Maps whose keys are data. Their values are strings, whatever type the JSON has. */
export const DATA_MAPS: FieldTable<true> = {
  labels: true,
  annotations: true,
  match_labels: true,
  node_selector: true,
  limits: true,
  requests: true,
  volume_attributes: true,
  'ConfigMap.data': true,
  'ConfigMap.binary_data': true,
  'Service.spec.selector': true,
  'ResourceQuota.spec.hard': true,
  'limit.default': true,
  'limit.default_request': true,
  'limit.max': true,
  'limit.min': true,
  'limit.max_limit_request_ratio': true,
  'StorageClass.parameters': true,
};

/** How the API wants a scalar that Terraform takes as text, or converts to it. */
export type ScalarType = 'integer' | 'integer or text' | 'octal' | 'boolean' | 'text';

/** Scalars, and elements of lists, whose type in the JSON may be another one. */
export const SCALARS: FieldTable<ScalarType> = {
  replicas: 'integer',
  min_replicas: 'integer',
  max_replicas: 'integer',
  run_as_user: 'integer',
  run_as_group: 'integer',
  fs_group: 'integer',
  supplemental_groups: 'integer',
  container_port: 'integer',
  host_port: 'integer',
  node_port: 'integer',
  number: 'integer',
  'service.port.number': 'integer',
  'Service.spec.port.port': 'integer',
  toleration_seconds: 'integer',
  ttl_seconds_after_finished: 'integer',
  active_deadline_seconds: 'integer',
  termination_grace_period_seconds: 'integer',
  progress_deadline_seconds: 'integer',
  min_ready_seconds: 'integer',
  revision_history_limit: 'integer',
  initial_delay_seconds: 'integer',
  period_seconds: 'integer',
  timeout_seconds: 'integer',
  failure_threshold: 'integer',
  success_threshold: 'integer',
  stabilization_window_seconds: 'integer',
  average_utilization: 'integer',
  max_skew: 'integer',
  min_domains: 'integer',
  backoff_limit: 'integer',
  completions: 'integer',
  parallelism: 'integer',
  expiration_seconds: 'integer',
  weight: 'integer',
  'policy.value': 'integer',
  'PriorityClass.value': 'integer',
  'on_exit_codes.values': 'integer',
  port: 'integer or text',
  target_port: 'integer or text',
  max_surge: 'integer or text',
  max_unavailable: 'integer or text',
  min_available: 'integer or text',
  mode: 'octal',
  default_mode: 'octal',
  automount_service_account_token: 'boolean',
  enable_service_links: 'boolean',
  host_network: 'boolean',
  host_ipc: 'boolean',
  host_pid: 'boolean',
  share_process_namespace: 'boolean',
  run_as_non_root: 'boolean',
  privileged: 'boolean',
  allow_privilege_escalation: 'boolean',
  read_only_root_filesystem: 'boolean',
  read_only: 'boolean',
  optional: 'boolean',
  immutable: 'boolean',
  suspend: 'boolean',
  publish_not_ready_addresses: 'boolean',
  args: 'text',
  command: 'text',
  'env.value': 'text',
  'toleration.value': 'text',
};

/**
 * What the provider sends for a field that is left out, where the API's own default is another, so
 * that a manifest is what is deployed (terraform-provider-kubernetes 2.38, container and pod schema).
 */
export const SENT_DEFAULTS: FieldTable<Readonly<Record<string, unknown>>> = {
  'container.security_context': {
    allow_privilege_escalation: true,
    privileged: false,
    read_only_root_filesystem: false,
    run_as_non_root: false,
  },
  'init_container.security_context': {
    allow_privilege_escalation: true,
    privileged: false,
    read_only_root_filesystem: false,
    run_as_non_root: false,
  },
  'spec.security_context': { run_as_non_root: false },
  'template.spec': { automount_service_account_token: true },
  'Pod.spec': { automount_service_account_token: true },
};

/** Arguments that are Terraform's or the provider's own and reach no object. */
export const NOT_SENT: ReadonlySet<string> = new Set([
  '//',
  'depends_on',
  'lifecycle',
  'provider',
  'timeouts',
  'wait_for_completion',
  'wait_for_default_service_account',
  'wait_for_load_balancer',
  'wait_for_rollout',
  'wait_until_bound',
]);

/** Arguments of a Secret that hold its data. */
export const SECRET_DATA = ['data', 'binary_data', 'data_wo', 'binary_data_wo'] as const;

/** Arguments that belong to a Secret's write-only data and hold none. */
export const SECRET_REVISIONS = ['data_wo_revision', 'binary_data_wo_revision'] as const;

type Entries<T> = ReadonlyMap<string, readonly (readonly [above: readonly string[], entry: T])[]>;

const indexes = new WeakMap<object, Entries<unknown>>();

/** The entry whose key fits the end of a path best. */
export function entryFor<T>(table: FieldTable<T>, path: readonly string[]): T | undefined {
  const name = path.at(-1) ?? '';
  return indexOf(table)
    .get(name)
    ?.find(([above]) =>
      above.every((step, at) => step === path[path.length - 1 - above.length + at]),
    )?.[1];
}

/** Entries by the field's own name, the longest key first. */
function indexOf<T>(table: FieldTable<T>): Entries<T> {
  const known = indexes.get(table);
  if (known !== undefined) return known as Entries<T>;
  const keys = Object.entries(table).map(([key, entry]) => ({ steps: key.split('.'), entry }));
  const index: Entries<T> = new Map(
    [...Map.groupBy(keys, ({ steps }) => steps.at(-1) ?? '')].map(([name, found]) => [
      name,
      found
        .toSorted((one, other) => other.steps.length - one.steps.length)
        .map(({ steps, entry }) => [steps.slice(0, -1), entry] as const),
    ]),
  );
  indexes.set(table, index);
  return index;
}
