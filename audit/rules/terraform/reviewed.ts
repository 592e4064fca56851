const PARAMETER_GROUP = [
  ...['description', 'family', 'name', 'name_prefix', 'parameter.apply_method', 'parameter.name'],
  'parameter.value',
];

/**
 * Arguments of the AWS provider that these rules judge, or that cannot make a stack unsafe, by type;
 * those of blocks with the block's name before them. Whatever is not here nobody has thought about.
 */
export const REVIEWED_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  aws_cloudwatch_event_rule: ['description', 'event_pattern', 'name'],
  aws_cloudwatch_event_target: ['arn', 'dead_letter_config.arn', 'rule'],
  aws_cloudwatch_log_group: [
    'kms_key_id',
    'name',
    'retention_in_days',
    'skip_destroy',
    'log_group_class',
  ],
  aws_cloudwatch_metric_alarm: [
    ...['actions_enabled', 'alarm_actions', 'alarm_description', 'alarm_name'],
    ...['comparison_operator', 'datapoints_to_alarm', 'dimensions', 'evaluation_periods'],
    ...['insufficient_data_actions', 'metric_name', 'namespace', 'ok_actions', 'period'],
    ...['statistic', 'threshold', 'treat_missing_data', 'unit'],
  ],
  aws_db_instance: [
    ...['allocated_storage', 'allow_major_version_upgrade', 'apply_immediately', 'db_name'],
    ...['auto_minor_version_upgrade', 'backup_retention_period', 'backup_window', 'engine'],
    ...['copy_tags_to_snapshot', 'database_insights_mode', 'db_subnet_group_name', 'identifier'],
    ...['delete_automated_backups', 'deletion_protection', 'enabled_cloudwatch_logs_exports'],
    ...['engine_version', 'final_snapshot_identifier', 'iam_database_authentication_enabled'],
    ...['instance_class', 'kms_key_id', 'maintenance_window', 'manage_master_user_password'],
    ...['master_user_secret_kms_key_id', 'max_allocated_storage', 'monitoring_interval'],
    ...['monitoring_role_arn', 'multi_az', 'parameter_group_name', 'performance_insights_enabled'],
    ...['performance_insights_kms_key_id', 'performance_insights_retention_period', 'port'],
    ...['publicly_accessible', 'skip_final_snapshot', 'snapshot_identifier', 'storage_encrypted'],
    ...['storage_type', 'username', 'vpc_security_group_ids'],
    ...['password', 'password_wo', 'master_password', 'master_password_wo'],
  ],
  aws_db_parameter_group: PARAMETER_GROUP,
  aws_db_subnet_group: ['description', 'name', 'subnet_ids'],
  aws_default_security_group: ['egress', 'ingress', 'vpc_id'],
  aws_ecr_lifecycle_policy: ['policy', 'repository'],
  aws_ecr_repository: [
    ...['force_delete', 'image_tag_mutability', 'name'],
    ...['encryption_configuration.encryption_type', 'encryption_configuration.kms_key'],
    'image_scanning_configuration.scan_on_push',
  ],
  aws_eip: ['domain'],
  aws_eks_access_entry: ['cluster_name', 'kubernetes_groups', 'principal_arn', 'type'],
  aws_eks_access_policy_association: [
    ...['access_scope.namespaces', 'access_scope.type', 'cluster_name', 'policy_arn'],
    'principal_arn',
  ],
  aws_eks_addon: [
    ...['addon_name', 'addon_version', 'cluster_name', 'configuration_values', 'preserve'],
    ...['resolve_conflicts_on_create', 'resolve_conflicts_on_update', 'service_account_role_arn'],
  ],
  aws_eks_cluster: [
    ...['access_config.authentication_mode', 'bootstrap_self_managed_addons'],
    ...['access_config.bootstrap_cluster_creator_admin_permissions', 'deletion_protection'],
    ...['enabled_cluster_log_types', 'encryption_config.provider.key_arn'],
    ...['encryption_config.resources', 'name', 'role_arn', 'version'],
    ...['upgrade_policy.support_type', 'vpc_config.endpoint_private_access'],
    ...['vpc_config.endpoint_public_access', 'vpc_config.public_access_cidrs'],
    'vpc_config.subnet_ids',
  ],
  aws_eks_node_group: [
    ...['ami_type', 'capacity_type', 'cluster_name', 'force_update_version', 'instance_types'],
    ...['labels', 'launch_template.id', 'launch_template.name', 'launch_template.version'],
    ...[
      'node_group_name',
      'node_group_name_prefix',
      'node_role_arn',
      'node_repair_config.enabled',
      'remote_access',
    ],
    ...['scaling_config.desired_size', 'scaling_config.max_size', 'scaling_config.min_size'],
    ...['subnet_ids', 'taint', 'update_config.max_unavailable'],
    ...['update_config.max_unavailable_percentage', 'version'],
  ],
  aws_eks_pod_identity_association: ['cluster_name', 'namespace', 'role_arn', 'service_account'],
  aws_flow_log: [
    ...['iam_role_arn', 'log_destination', 'log_destination_type', 'max_aggregation_interval'],
    ...['traffic_type', 'vpc_id'],
  ],
  aws_iam_openid_connect_provider: ['client_id_list', 'thumbprint_list', 'url'],
  aws_iam_policy: ['description', 'name', 'path', 'policy'],
  aws_iam_role: ['assume_role_policy', 'description', 'name', 'path', 'permissions_boundary'],
  aws_iam_role_policy: ['name', 'policy', 'role'],
  aws_iam_role_policy_attachment: ['policy_arn', 'role'],
  aws_internet_gateway: ['vpc_id'],
  aws_kms_alias: ['name', 'target_key_id'],
  aws_kms_key: [
    ...['bypass_policy_lockout_safety_check', 'deletion_window_in_days', 'description'],
    ...['enable_key_rotation', 'is_enabled', 'multi_region', 'policy', 'rotation_period_in_days'],
  ],
  aws_kms_key_policy: ['key_id', 'policy'],
  aws_launch_template: [
    ...['block_device_mappings.device_name', 'block_device_mappings.ebs.delete_on_termination'],
    ...['block_device_mappings.ebs.encrypted', 'block_device_mappings.ebs.iops'],
    ...['block_device_mappings.ebs.kms_key_id', 'block_device_mappings.ebs.throughput'],
    ...['block_device_mappings.ebs.volume_size', 'block_device_mappings.ebs.volume_type'],
    ...['description', 'image_id', 'instance_type', 'key_name', 'metadata_options.http_endpoint'],
    ...['metadata_options.http_put_response_hop_limit', 'metadata_options.http_tokens'],
    ...['metadata_options.instance_metadata_tags', 'monitoring.enabled', 'name'],
    ...['network_interfaces.associate_public_ip_address', 'tag_specifications.resource_type'],
    ...['tag_specifications.tags', 'update_default_version', 'user_data'],
  ],
  aws_nat_gateway: ['allocation_id', 'connectivity_type', 'subnet_id'],
  aws_rds_cluster: [
    ...['allow_major_version_upgrade', 'apply_immediately', 'backup_retention_period', 'engine'],
    ...['cluster_identifier', 'copy_tags_to_snapshot', 'database_insights_mode', 'database_name'],
    ...['db_cluster_parameter_group_name', 'db_subnet_group_name', 'delete_automated_backups'],
    ...['deletion_protection', 'enabled_cloudwatch_logs_exports', 'engine_mode', 'engine_version'],
    ...['final_snapshot_identifier', 'iam_database_authentication_enabled', 'kms_key_id', 'port'],
    ...['manage_master_user_password', 'master_user_secret_kms_key_id', 'master_username'],
    ...['performance_insights_enabled', 'performance_insights_kms_key_id'],
    ...['performance_insights_retention_period', 'preferred_backup_window', 'skip_final_snapshot'],
    ...['preferred_maintenance_window', 'serverlessv2_scaling_configuration.max_capacity'],
    ...['serverlessv2_scaling_configuration.min_capacity', 'snapshot_identifier'],
    ...['serverlessv2_scaling_configuration.seconds_until_auto_pause', 'storage_encrypted'],
    ...['vpc_security_group_ids', 'password', 'password_wo', 'master_password'],
    'master_password_wo',
  ],
  aws_rds_cluster_instance: [
    ...['apply_immediately', 'auto_minor_version_upgrade', 'cluster_identifier', 'engine'],
    ...['copy_tags_to_snapshot', 'identifier', 'instance_class', 'monitoring_interval'],
    ...['monitoring_role_arn', 'performance_insights_enabled', 'preferred_maintenance_window'],
    ...['performance_insights_kms_key_id', 'performance_insights_retention_period'],
    'publicly_accessible',
  ],
  aws_rds_cluster_parameter_group: PARAMETER_GROUP,
  aws_route: ['destination_cidr_block', 'gateway_id', 'nat_gateway_id', 'route_table_id'],
  aws_route_table: ['vpc_id'],
  aws_route_table_association: ['route_table_id', 'subnet_id'],
  aws_s3_bucket_notification: [
    ...['bucket', 'topic.events', 'topic.filter_prefix', 'topic.filter_suffix', 'topic.id'],
    ...['topic.topic_arn', 'eventbridge'],
  ],
  aws_security_group: ['description', 'name', 'vpc_id'],
  aws_sns_topic: [
    ...['display_name', 'http_failure_feedback_role_arn', 'http_success_feedback_role_arn'],
    ...['http_success_feedback_sample_rate', 'kms_master_key_id', 'name', 'policy'],
    ...['signature_version', 'sqs_failure_feedback_role_arn', 'sqs_success_feedback_role_arn'],
    ...['sqs_success_feedback_sample_rate', 'tracing_config'],
  ],
  aws_sns_topic_policy: ['arn', 'policy'],
  aws_sns_topic_subscription: [
    ...['confirmation_timeout_in_minutes', 'delivery_policy', 'endpoint'],
    ...['endpoint_auto_confirms', 'filter_policy', 'filter_policy_scope', 'protocol'],
    ...['raw_message_delivery', 'redrive_policy', 'topic_arn'],
  ],
  aws_sqs_queue: [
    ...['delay_seconds', 'kms_data_key_reuse_period_seconds', 'kms_master_key_id'],
    ...['max_message_size', 'message_retention_seconds', 'name', 'policy'],
    ...['receive_wait_time_seconds', 'redrive_allow_policy', 'redrive_policy'],
    'visibility_timeout_seconds',
  ],
  aws_sqs_queue_policy: ['policy', 'queue_url'],
  aws_subnet: ['availability_zone', 'cidr_block', 'map_public_ip_on_launch', 'vpc_id'],
  aws_vpc: ['cidr_block', 'enable_dns_hostnames', 'enable_dns_support'],
  aws_vpc_endpoint: [
    ...['policy', 'private_dns_enabled', 'route_table_ids', 'security_group_ids'],
    ...['service_name', 'subnet_ids', 'vpc_endpoint_type', 'vpc_id'],
  ],
  aws_vpc_security_group_egress_rule: [
    ...['cidr_ipv4', 'description', 'from_port', 'ip_protocol', 'referenced_security_group_id'],
    ...['security_group_id', 'to_port'],
  ],
  aws_vpc_security_group_ingress_rule: [
    ...['cidr_ipv4', 'cidr_ipv6', 'description', 'from_port', 'ip_protocol', 'prefix_list_id'],
    ...['referenced_security_group_id', 'security_group_id', 'to_port'],
  ],
  terraform_data: ['triggers_replace'],
};

/** Arguments that every resource may have: other rules judge them. */
export const REVIEWED_EVERYWHERE: readonly string[] = [
  ...['depends_on', 'lifecycle', 'region', 'tags', 'timeouts'],
  ...['count', 'for_each', 'provisioner', 'connection', 'provider'],
];

/** Data sources that only read what the stack names. */
export const REVIEWED_DATA: readonly string[] = [
  ...['aws_caller_identity', 'aws_eks_addon_version', 'aws_eks_cluster', 'aws_eks_clusters'],
  ...['aws_db_instance', 'aws_db_instances', 'aws_rds_cluster', 'aws_rds_clusters'],
  ...['aws_partition', 'aws_region', 'aws_subnets', 'aws_vpc', 'aws_vpcs'],
];

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
  ...['enableServiceLinks', 'hostIPC', 'hostNetwork', 'hostPID', 'imagePullSecrets', 'nodeName'],
  'nodeSelector',
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
  ...['podFailurePolicy', 'ttlSecondsAfterFinished', ...TEMPLATE],
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
      ...['externalIPs', 'externalName', 'externalTrafficPolicy', 'loadBalancerClass'],
      'loadBalancerSourceRanges',
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
