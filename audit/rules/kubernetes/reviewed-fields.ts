/**
 * Fields of Kubernetes objects that these rules judge, or that cannot make a stack unsafe, by kind;
 * all that is below a field that is named goes with it. Whatever is not here nobody has thought about.
 */

const below = (prefix: string, paths: readonly string[]) =>
  paths.map((path) => `${prefix}.${path}`);

const CONTAINER_SECURITY = [
  ...['allowPrivilegeEscalation', 'appArmorProfile.type', 'capabilities.add', 'capabilities.drop'],
  ...['privileged', 'readOnlyRootFilesystem', 'runAsGroup', 'runAsNonRoot', 'runAsUser'],
  'seccompProfile.type',
];

const PROBE = [
  ...['exec.command', 'failureThreshold', 'grpc.port', 'httpGet.host', 'httpGet.path'],
  ...['httpGet.port', 'httpGet.scheme', 'initialDelaySeconds', 'periodSeconds'],
  ...['successThreshold', 'tcpSocket.port', 'timeoutSeconds'],
];

const CONTAINER = [
  ...['args', 'command', 'env', 'envFrom', 'image', 'imagePullPolicy', 'name'],
  ...['lifecycle.preStop.exec.command', 'lifecycle.preStop.sleep.seconds'],
  ...below('livenessProbe', PROBE),
  ...below('readinessProbe', PROBE),
  ...below('startupProbe', PROBE),
  ...below('ports', ['containerPort', 'hostIP', 'hostPort', 'name', 'protocol']),
  ...['resources.limits', 'resources.requests', 'restartPolicy', 'terminationMessagePolicy'],
  ...below('securityContext', CONTAINER_SECURITY),
  ...below('volumeMounts', ['mountPath', 'name', 'readOnly', 'subPath']),
];

const VOLUME = [
  ...['name', 'emptyDir.sizeLimit', 'persistentVolumeClaim.claimName'],
  ...below('configMap', ['defaultMode', 'items', 'name', 'optional']),
  ...below('secret', ['defaultMode', 'items', 'optional', 'secretName']),
  ...below('projected', ['defaultMode', 'sources.configMap', 'sources.secret']),
];

const POD = [
  ...['activeDeadlineSeconds', 'affinity', 'automountServiceAccountToken', 'dnsPolicy'],
  ...['enableServiceLinks', 'hostIPC', 'hostNetwork', 'hostPID', 'nodeName', 'nodeSelector'],
  ...['priorityClassName', 'restartPolicy', 'schedulerName', 'serviceAccountName'],
  ...['shareProcessNamespace', 'terminationGracePeriodSeconds', 'tolerations'],
  ...below('containers', CONTAINER),
  ...below('initContainers', CONTAINER),
  ...below('securityContext', [
    ...['appArmorProfile.type', 'fsGroup', 'fsGroupChangePolicy', 'runAsGroup', 'runAsNonRoot'],
    ...['runAsUser', 'seccompProfile.type', 'supplementalGroups'],
  ]),
  ...below('topologySpreadConstraints', [
    ...['labelSelector', 'matchLabelKeys', 'maxSkew', 'topologyKey', 'whenUnsatisfiable'],
  ]),
  ...below('volumes', VOLUME),
];

const TEMPLATE = [
  ...below('template.metadata', ['annotations', 'labels']),
  ...below('template.spec', POD),
];

const JOB = [
  ...['activeDeadlineSeconds', 'backoffLimit', 'completions', 'parallelism'],
  ...['ttlSecondsAfterFinished', ...TEMPLATE],
];

const COMMON = [
  ...['apiVersion', 'kind', 'metadata.annotations', 'metadata.labels', 'metadata.name'],
  'metadata.namespace',
];

/** Reviewed fields by kind. */
export const REVIEWED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  ClusterRole: [...COMMON, 'rules'],
  ClusterRoleBinding: [...COMMON, 'roleRef', 'subjects'],
  ConfigMap: [...COMMON, 'data'],
  CronJob: [
    ...COMMON,
    ...below('spec', [
      ...['concurrencyPolicy', 'failedJobsHistoryLimit', 'schedule', 'startingDeadlineSeconds'],
      ...['successfulJobsHistoryLimit', 'suspend', 'timeZone'],
      ...below('jobTemplate.metadata', ['annotations', 'labels']),
      ...below('jobTemplate.spec', JOB),
    ]),
  ],
  Deployment: [
    ...COMMON,
    ...below('spec', [
      ...['minReadySeconds', 'paused', 'progressDeadlineSeconds', 'replicas'],
      ...['revisionHistoryLimit', 'selector', 'strategy', ...TEMPLATE],
    ]),
  ],
  HorizontalPodAutoscaler: [
    ...COMMON,
    ...below('spec', ['behavior', 'maxReplicas', 'metrics', 'minReplicas', 'scaleTargetRef']),
  ],
  Ingress: [...COMMON, ...below('spec', ['defaultBackend', 'ingressClassName', 'rules', 'tls'])],
  Job: [...COMMON, ...below('spec', JOB)],
  LimitRange: [...COMMON, 'spec.limits'],
  Namespace: COMMON,
  NetworkPolicy: [...COMMON, ...below('spec', ['egress', 'ingress', 'podSelector', 'policyTypes'])],
  PersistentVolumeClaim: [
    ...COMMON,
    ...below('spec', ['accessModes', 'resources', 'storageClassName', 'volumeMode']),
  ],
  PodDisruptionBudget: [
    ...COMMON,
    ...below('spec', ['maxUnavailable', 'minAvailable', 'selector']),
  ],
  ResourceQuota: [...COMMON, 'spec.hard'],
  Role: [...COMMON, 'rules'],
  RoleBinding: [...COMMON, 'roleRef', 'subjects'],
  Secret: [...COMMON, 'type'],
  Service: [
    ...COMMON,
    ...below('spec', [
      ...['externalIPs', 'externalName', 'externalTrafficPolicy', 'loadBalancerSourceRanges'],
      ...['ports.name', 'ports.port', 'ports.protocol', 'ports.targetPort'],
      ...['publishNotReadyAddresses', 'selector', 'type'],
    ]),
  ],
  ServiceAccount: [...COMMON, 'automountServiceAccountToken'],
  StatefulSet: [
    ...COMMON,
    ...below('spec', [
      ...['minReadySeconds', 'podManagementPolicy', 'replicas', 'revisionHistoryLimit'],
      ...['selector', 'serviceName', 'updateStrategy', 'volumeClaimTemplates', ...TEMPLATE],
    ]),
  ],
  StorageClass: [
    ...COMMON,
    ...['allowVolumeExpansion', 'parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'],
  ],
};

/** Annotations that the rules judge, of those that something in the cluster acts on. */
export const REVIEWED_ANNOTATIONS: readonly string[] = [
  ...[
    ...['audience', 'role-arn', 'skip-containers', 'sts-regional-endpoints'],
    'token-expiration',
  ].map((name) => `eks.amazonaws.com/${name}`),
  ...[
    ...['access-log-enabled', 'access-log-s3-bucket-name', 'access-log-s3-bucket-prefix'],
    ...['additional-resource-tags', 'backend-protocol', 'cross-zone-load-balancing-enabled'],
    ...['healthcheck-path', 'healthcheck-port', 'healthcheck-protocol', 'scheme', 'ssl-cert'],
    ...['ssl-negotiation-policy', 'ssl-ports', 'type'],
  ].map((name) => `service.beta.kubernetes.io/aws-load-balancer-${name}`),
  ...[
    ...['certificate-arn', 'healthcheck-path', 'healthcheck-port', 'healthcheck-protocol'],
    ...['listen-ports', 'scheme', 'ssl-policy', 'ssl-redirect', 'tags', 'target-type'],
  ].map((name) => `alb.ingress.kubernetes.io/${name}`),
];
