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
};

/** The kind of a type such as `kubernetes_deployment_v1`; undefined for one that isn't listed. */
export function kubernetesKind(type: string): KubernetesKind | undefined {
  const name = type.replace(/^kubernetes_/, '');
  return KINDS[name] ?? KINDS[name.replace(/_v1$/, '')];
}
