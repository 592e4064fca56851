import { blocksOf } from '../../../src/synthesized/model/model.ts';
import { isGiven } from '../readers/resources.ts';
import { type Audited, type Rule, rule, shown } from '../rule.ts';

/** Types that let people, code or data past all other rules, and what each does. Whatever else is new, the accepted JSON shows. */
const TYPES: readonly (readonly [RegExp, string])[] = [
  [
    /^(?!data\.)(?!(aws|kubernetes|terraform)_)/,
    'is of a provider that runs programs or reads what no rule sees',
  ],
  [
    /^data\.(?!(aws|kubernetes|terraform)_)/,
    'is of a provider that runs programs or reads what no rule sees',
  ],
  [
    /^aws_iam_(user|group|access_key|saml_provider|service_specific|signing|virtual_mfa|account_)/,
    'signs somebody in who is none of the roles',
  ],
  [
    /^aws_iam_(policy_attachment|role_polic.*_exclusive)$/,
    'takes policies away from roles of others',
  ],
  [
    /^aws_(security_group_rule|network_acl|default_network_acl|network_interface|network_interface_sg)/,
    'opens or closes the network beside the rules of its security groups',
  ],
  [
    /^aws_(vpc_peering|ec2_transit|ec2_client_vpn|vpn_|customer_gateway|dx_|vpc_endpoint_service|vpclattice|networkmanager|ram_|egress_only|vpc_ipv[46]_cidr|default_vpc|default_subnet|default_route)/,
    'joins the network with others, or makes it larger',
  ],
  [
    /^aws_(instance$|spot_|autoscaling_|launch_configuration|lambda_|ecs_|batch_|codebuild_|codepipeline|glue_|sagemaker_|ssm_(association|document|activation)|sfn_|apprunner_|lightsail_|emr|imagebuilder_|eks_fargate|amplify)/,
    'runs code that no rule judges',
  ],
  [
    /^aws_(lb|alb|elb)(_|$)|^aws_(api_gateway|apigatewayv2|cloudfront|globalaccelerator|cognito|appsync|transfer)_/,
    'is a way in that no rule judges',
  ],
  [/^aws_eks_identity_provider_config$/, 'lets somebody else say who signs in to the cluster'],
  [/^aws_s3(?!_bucket_notification$)/, 'keeps or publishes data, and no rule judges a bucket'],
  [
    /^aws_(cloudwatch_log_(subscription_filter|destination|delivery|data_protection|resource_policy)|cloudwatch_metric_stream|kinesis|datasync_|dms_|sns_topic_data_protection|sns_platform|pipes_|schemas_)|_(replication|replication_configuration|snapshot|snapshot_copy|cluster_snapshot|role_association)$|^aws_(ebs|db|rds)_.*snapshot|^aws_ami/,
    'hands data to where no rule looks',
  ],
  [
    /^aws_ecr(public_|_registry|_pull_through|_replication)/,
    'shares images, or takes them from elsewhere',
  ],
  [/^aws_kms_(grant|replica|external|ciphertext|custom)/, 'opens a key beside its policy'],
  [
    /^aws_(secretsmanager_secret_version|ssm_parameter)$|^kubernetes_token_request/,
    'puts its value into the state',
  ],
  [
    /^aws_(ebs_encryption_by_default|ebs_default_kms_key|ec2_(instance_metadata_defaults|serial_console|image_block)|account_|organizations_|config_|guardduty_|cloudtrail)/,
    'changes the whole account, which more than this stack is in',
  ],
  [
    /^data\.(aws_(secretsmanager_secret_version|kms_secrets|eks_cluster_auth|ecr_authorization_token|lambda_invocation|s3_object|s3_bucket_object)|terraform_remote_state|kubernetes_secret.*)$/,
    'reads a secret, or what others wrote, into the state',
  ],
  [
    /^kubernetes_(annotations|labels|env|config_map_v1_data|secret_v1_data|node_taint|default_service_account)/,
    'patches objects of others',
  ],
  [/^kubernetes_manifest$/, 'needs the cluster for a plan, so that a first apply fails'],
  [/^kubernetes_(?!.*_v\d)(?!manifest$)/, 'is of a deprecated type without a version'],
  [
    /^kubernetes_(mutating|validating)_webhook|^kubernetes_(api_service|csi_driver|certificate_signing|runtime_class)/,
    'changes or refuses what everybody in the cluster makes',
  ],
  [/^kubernetes_(endpoints|endpoint_slice)/, 'sends calls to addresses that no selector finds'],
];

const isNot =
  (...usual: readonly unknown[]) =>
  (value: unknown) =>
    isGiven(value) && !usual.includes(value);
/** Whether an id is one of others: neither a reference nor empty. */
const isLiteral = (value: unknown) =>
  [value].flat().some((id) => isGiven(id) && !String(id).includes('${'));

type Judge = readonly [path: RegExp, isWrong: (value: unknown) => boolean, harm: string];

const IPV6 = 'brings IPv6, which no route, group or policy bounds';
const FROM_OTHERS = 'begins with the data of others';

/** Arguments that set aside what others secure; what is the provider's default may be spelled out. */
const ARGUMENTS: Readonly<Record<string, readonly Judge[]>> = {
  aws_cloudwatch_metric_alarm: [[/^threshold_metric_id$/, isGiven, 'replaces its threshold']],
  aws_db_instance: [
    [/^(replicate_source_db|restore_to_point_in_time|s3_import)$/, isGiven, FROM_OTHERS],
    [/^(domain|domain_fqdn|custom_iam_instance_profile)$/, isGiven, 'lets somebody else sign in'],
    [/^network_type$/, isNot('IPV4'), IPV6],
  ],
  aws_ecr_repository: [
    [/^image_tag_mutability_exclusion_filter$/, isGiven, 'lets some tags be moved'],
  ],
  aws_eip: [
    [/^(instance|network_interface|associate_with_private_ip)$/, isGiven, 'makes a machine public'],
  ],
  aws_eks_access_entry: [[/^user_name$/, isGiven, 'hides in the logs who it was']],
  aws_eks_addon: [
    [/^pod_identity_association$/, isGiven, 'gives its pods a role that no rule finds'],
  ],
  aws_eks_cluster: [
    [
      /^vpc_config\.security_group_ids$/,
      isLiteral,
      'puts the control plane into groups that no rule judges',
    ],
    [/^kubernetes_network_config\.ip_family$/, isNot('ipv4'), IPV6],
    [/^(outpost_config|remote_network_config)$/, isGiven, 'has nodes outside of the network'],
    [
      /^(compute_config|storage_config\.block_storage|kubernetes_network_config\.elastic_load_balancing)\.enabled$/,
      isGiven,
      'lets EKS make nodes, volumes or load balancers that no rule judges',
    ],
    [/^force_update_version$/, isGiven, 'updates it although something in it would break'],
  ],
  aws_eks_pod_identity_association: [
    [/^disable_session_tags$/, isGiven, 'leaves out the tags that the trust policy asks for'],
    [/^target_role_arn$/, isGiven, 'gives the pods a second role'],
  ],
  aws_iam_role: [
    [
      /^(inline_policy|managed_policy_arns)$/,
      isGiven,
      'gives rights beside the policies that are judged',
    ],
    [
      /^max_session_duration$/,
      (value) => Number(value) > 3600,
      'keeps a stolen session alive for hours',
    ],
  ],
  aws_kms_key: [
    [/^key_usage$/, isNot('ENCRYPT_DECRYPT'), 'makes a key that encrypts nothing'],
    [
      /^customer_master_key_spec$/,
      isNot('SYMMETRIC_DEFAULT'),
      'makes a key that no service encrypts with',
    ],
    [/^(custom_key_store_id|xks_key_id)$/, isGiven, 'keeps the key outside of KMS'],
  ],
  aws_launch_template: [
    [/^block_device_mappings\.ebs\.snapshot_id$/, isGiven, FROM_OTHERS],
    [
      /^(network_interfaces\.security_groups|vpc_security_group_ids|security_group_names)$/,
      isLiteral,
      'puts nodes into groups that no rule judges',
    ],
    [
      /^network_interfaces\.(subnet_id|network_interface_id)$/,
      isLiteral,
      'puts nodes into another network',
    ],
    [/^network_interfaces\.ipv6_address/, isGiven, IPV6],
    [/^metadata_options\.http_protocol_ipv6$/, isNot('disabled'), IPV6],
    [/^iam_instance_profile$/, isGiven, 'gives nodes another role than their group'],
    [/^instance_market_options$/, isGiven, 'buys Spot nodes whatever the group says'],
    [/^disable_api_(termination|stop)$/, isGiven, 'keeps nodes that are to be replaced'],
    [/^(kernel_id|ram_disk_id)$/, isGiven, 'starts another system'],
  ],
  aws_rds_cluster: [
    [
      /^(replication_source_identifier|restore_to_point_in_time|s3_import|global_cluster_identifier)$/,
      isGiven,
      FROM_OTHERS,
    ],
    [/^(domain|iam_roles)$/, isGiven, 'lets it reach, or be reached by, somebody else'],
    [/^enable_http_endpoint$/, isGiven, 'answers SQL over HTTPS, beside the network'],
    [/^network_type$/, isNot('IPV4'), IPV6],
  ],
  aws_s3_bucket_notification: [
    [/^(lambda_function|queue)$/, isGiven, 'tells somebody beside the topic'],
  ],
  aws_security_group: [
    [/^(ingress|egress)$/, isGiven, 'holds rules that undo those that are resources'],
  ],
  aws_sns_topic: [
    [/^(fifo_topic|archive_policy)$/, isGiven, 'is a FIFO topic, which S3 can not notify'],
    [/^delivery_policy$/, isGiven, 'retries in another way than its subscriptions say'],
  ],
  aws_sqs_queue: [
    [/^sqs_managed_sse_enabled$/, isGiven, "encrypts with a key of SQS, not the account's"],
    [
      /^(fifo_queue|deduplication_scope)$/,
      isGiven,
      'is a FIFO queue, which a topic can not send to',
    ],
  ],
  aws_subnet: [
    [/^(assign_ipv6_address_on_creation|ipv6_native|ipv6_cidr_block|enable_dns64)$/, isGiven, IPV6],
    [/^(map_customer_owned_ip_on_launch|outpost_arn)$/, isGiven, 'is in a network of others'],
  ],
  aws_vpc: [
    [/^(assign_generated_ipv6_cidr_block|ipv6_cidr_block|ipv6_ipam_pool_id)$/, isGiven, IPV6],
    [/^instance_tenancy$/, isNot('default'), 'needs nodes on dedicated hardware'],
  ],
  aws_vpc_endpoint: [
    [/^auto_accept$/, isGiven, 'joins networks without a question'],
    [/^(resource_configuration_arn|service_network_arn)$/, isGiven, 'joins networks of others'],
    [/^ip_address_type$/, isNot('ipv4'), IPV6],
  ],
};

/** Fields of Kubernetes objects that set aside what others secure, lists seen through. */
const FIELDS: readonly Judge[] = [
  [/lifecycle\.postStart$/, isGiven, 'runs a program beside that of the container'],
  [
    /Probe\.httpGet\.httpHeaders\.name$/,
    (value) => /^host$/i.test(String(value)),
    'asks for another host than that of the pod',
  ],
  [/readinessGates$/, isGiven, 'waits for a condition that nobody sets'],
  [/schedulingGates$/, isGiven, 'waits until somebody lets it start'],
  [/dnsConfig\.(nameservers|searches)$/, isGiven, 'lets others say what a name means'],
  [/^spec\..*\bos\.name$/, isNot('linux'), 'starts on no node of the stack'],
  [/runtimeClassName$/, isGiven, 'starts only where a node has that runtime'],
  [/emptyDir\.medium$/, isGiven, 'takes the memory of the container for files'],
  [/ephemeralContainers$/, isGiven, 'runs what no template has'],
  [
    /volumes\.(awsElasticBlockStore|azure\w*|cephfs|cinder|csi|ephemeral|fc|flexVolume|flocker|gcePersistentDisk|gitRepo|glusterfs|image|iscsi|nfs|photon\w*|portworx\w*|quobyte|rbd|scaleIO|storageos|vsphere\w*)$/,
    isGiven,
    'mounts storage that no rule judges',
  ],
  [
    /volumes\.projected\.sources\.(serviceAccountToken|clusterTrustBundle)$/,
    isGiven,
    'carries a token',
  ],
  [/volumeMounts\.mountPropagation$/, isNot('None'), 'shares mounts with the node'],
  [/volumeDevices$/, isGiven, 'opens a disk of the node'],
  [/^spec\.sessionAffinity$/, isNot('None'), 'sends all that one caller sends to one pod'],
  [/^spec\.loadBalancerIP$/, isGiven, 'is an address that AWS does not give'],
  [/^spec\.internalTrafficPolicy$/, isNot('Cluster'), 'loses calls from nodes without a pod'],
  [
    /^spec\.allocateLoadBalancerNodePorts$/,
    (value) => value === false,
    'leaves the load balancer without targets',
  ],
  [/^spec\.ipFamilies$/, (value) => [value].flat().includes('IPv6'), IPV6],
  [/^spec\.ipFamilyPolicy$/, isNot('SingleStack'), IPV6],
  [/^metadata\.finalizers$/, isGiven, 'is never deleted'],
  [/^immutable$/, isGiven, 'can not be changed, and a deploy that does fails'],
  [/^secrets$/, isGiven, 'keeps tokens that do not expire'],
];

/** Names of annotations that the controllers of AWS read (kubernetes-sigs/aws-load-balancer-controller, `docs/guide`), by their start. */
const READ: Readonly<Record<string, RegExp>> = {
  'service.beta.kubernetes.io/aws-load-balancer-':
    /^(access-log-(enabled|emit-interval|s3-bucket-(name|prefix))|actions\..*|additional-resource-tags|alpn-policy|attributes|backend-protocol|connection-(draining-(enabled|timeout)|idle-timeout)|cross-zone-load-balancing-enabled|disable-nlb-sg|eip-allocations|enable-(icmp-for-path-mtu-discovery|prefix-for-ipv6-source-nat|tcp-udp-listener)|extra-security-groups|healthcheck-(healthy-threshold|interval|path|port|protocol|success-codes|timeout|unhealthy-threshold)|inbound-sg-rules-on-private-link-traffic|internal|ip-address-type|ipv6-addresses|listener-attributes\..*|manage-backend-security-group-rules|minimum-load-balancer-capacity|multi-cluster-target-group|name|nlb-target-type|private-ipv4-addresses|proxy-protocol|scheme|security-group-prefix-lists|security-groups|source-nat-ipv6-prefixes|ssl-(cert|negotiation-policy|ports)|subnets|target-group-attributes|target-node-labels|type)$/,
  'alb.ingress.kubernetes.io/':
    /^(actions\..*|auth-.*|backend-protocol(-version)?|certificate-arn|conditions\..*|customer-owned-ipv4-pool|group\.(name|order)|healthcheck-(interval-seconds|path|port|protocol|timeout-seconds)|(un)?healthy-threshold-count|inbound-cidrs|ip-address-type|ipam-ipv4-pool-id|jwt-validation|listen-ports|listener-attributes\..*|load-balancer-(attributes|name)|manage-backend-security-group-rules|minimum-load-balancer-capacity|multi-cluster-target-group|mutual-authentication|scheme|security-group-prefix-lists|security-groups|shield-advanced-protection|ssl-(policy|redirect)|subnets|success-codes|tags|target-(control-port\..*|group-attributes|node-labels|type)|transforms\..*|use-regex-path-match|waf-acl-id|wafv2-acl-(arn|name))$/,
  'eks.amazonaws.com/':
    /^(audience|role-arn|skip-containers|sts-regional-endpoints|token-expiration)$/,
};

const isTrue = (value: unknown) => /^(true|enabled?|yes|on|1)$/i.test(String(value));

const ANNOTATIONS: readonly Judge[] = [
  [
    /aws-load-balancer-(subnets|extra-security-groups|security-groups)$/,
    isLiteral,
    'puts the load balancer into subnets or groups that no rule judges',
  ],
  [
    /^alb\.ingress\.kubernetes\.io\/(subnets|security-groups)$/,
    isLiteral,
    'puts the load balancer into subnets or groups that no rule judges',
  ],
  [
    /healthcheck-interval(-seconds)?$/,
    (value) => Number(value) > 30,
    'leaves messages with a dead pod for minutes',
  ],
  [/aws-load-balancer-proxy-protocol$/, isGiven, 'sends a header that the listener does not read'],
  [
    /(target-node-labels|load-balancer-actions\..*|\/actions\..*|\/transforms\..*)$/,
    isGiven,
    'keeps messages from pods, or answers in their place',
  ],
  [
    /^alb\.ingress\.kubernetes\.io\/(auth-(?!type$).*|auth-type|jwt-validation|mutual-authentication)$/,
    isNot('none'),
    'asks SNS to sign in, which it can not',
  ],
  [
    /^(sidecar\.istio\.io\/inject|linkerd\.io\/inject|vault\.hashicorp\.com\/agent-inject.*|consul\.hashicorp\.com\/connect-inject|.*\.datadoghq\.com\/.*inject.*)$/,
    isTrue,
    'puts a container into the pod that no rule judges',
  ],
  [/safe-to-evict$/, (value) => String(value) === 'false', 'keeps its node from being drained'],
  [
    /^karpenter\.sh\/do-not-(disrupt|evict|consolidate)$/,
    isTrue,
    'keeps its node from being drained',
  ],
  [
    /^container\.(apparmor|seccomp)\.security\..*|^seccomp\.security\..*/,
    (value) => String(value) === 'unconfined',
    'takes its confinement away',
  ],
  [/^k8s\.v1\.cni\.cncf\.io\//, isGiven, 'joins a second network, which no policy bounds'],
];

/** Every value inside of another with its path, lists seen through; a block comes before what is inside. */
function pathsIn(value: unknown, path = ''): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
    return value.flatMap((item) => pathsIn(item, path));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const inside = path === '' ? key : `${path}.${key}`;
    return [[inside, item] as const, ...pathsIn(item, inside)];
  });
}

function faultsOf(values: readonly (readonly [string, unknown])[], judges: readonly Judge[]) {
  return [
    ...new Set(
      values.flatMap(([path, value]) =>
        judges
          .filter(([where, isWrong]) => where.test(path) && isWrong(value))
          .map(([, , harm]) => `${path} ${shown(value)} ${harm}`),
      ),
    ),
  ];
}

function annotationsIn(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) =>
    key === 'annotations' ? Object.entries(Object(below)) : annotationsIn(below),
  );
}

/** Hosts that the endpoints of the stacks name. */
function endpointHosts({ model }: Audited): readonly string[] {
  return model
    .ofType('aws_sns_topic_subscription')
    .flatMap(({ attributes }) => URL.parse(String(attributes.endpoint))?.hostname ?? []);
}

/** Rules on what would set the other rules aside. */
export const SET_ASIDE_RULES: readonly Rule[] = [
  rule({
    id: 'no-type-sets-rules-aside',
    title: 'No resource or data source lets people, code or data past the rules',
    reason:
      'A user with keys, a public bucket, a function or a patch of objects of others is judged by no rule on topics, roles or pods: the audit would be green for want of an opinion.',
    control: 'CM-3(2)',
    severity: 'high',
    subjects: ({ model }) => model.stacks.flatMap(({ resources, data }) => [...resources, ...data]),
    faults: ({ mode, type }) => {
      const name = mode === 'data' ? `data.${type}` : type;
      return TYPES.filter(([pattern]) => pattern.test(name)).map(([, harm]) => `${type} ${harm}`);
    },
  }),
  rule({
    id: 'no-argument-sets-rules-aside',
    title: 'No argument sets aside what other arguments secure',
    reason:
      'What a line adds can undo what all others secure: rights beside the policies, a network beside the subnets, a disk with the data of others.',
    control: 'CM-3(2)',
    severity: 'high',
    subjects: ({ model }) => model.ofType(...Object.keys(ARGUMENTS)),
    faults: ({ type, attributes }) => [
      ...faultsOf(pathsIn(attributes), ARGUMENTS[type] ?? []),
      type === 'aws_cloudwatch_metric_alarm' &&
        blocksOf(attributes.metric_query).length > 0 &&
        isGiven(attributes.metric_name) &&
        'metric_query looks at something else than metric_name',
    ],
  }),
  rule({
    id: 'no-field-sets-rules-aside',
    title: 'No field of a Kubernetes object sets aside what other fields secure',
    reason:
      'A hook at start, a DNS server of its own, a readiness gate that nobody fulfils or an affinity of sessions is one line, and no rule on other lines sees it.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }) => faultsOf(pathsIn(manifest), FIELDS),
  }),
  rule({
    id: 'annotations-do-no-harm',
    title: 'Annotations that controllers act on are spelled as these read them, and do no harm',
    reason:
      'An annotation opens a load balancer to other subnets and groups, points a name elsewhere, injects a container or forbids to drain a node, and a slip in its name does nothing at all.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }, audited) => {
      const annotations = annotationsIn(manifest);
      const hosts = endpointHosts(audited);
      return [
        ...annotations.flatMap(([name]) =>
          Object.entries(READ)
            .filter(
              ([start, names]) => name.startsWith(start) && !names.test(name.slice(start.length)),
            )
            .map(() => `${name} is an annotation that nothing reads`),
        ),
        ...faultsOf(annotations, ANNOTATIONS),
        ...annotations
          .filter(([name]) => /^external-dns\..*\/hostname$/.test(name))
          .flatMap(([name, value]) =>
            String(value)
              .split(',')
              .map((host) => [name, host.trim()]),
          )
          .filter(([, host = '']) => !hosts.includes(host))
          .map(([name, host]) => `${name} points ${host} here, which is no endpoint of the stacks`),
      ];
    },
  }),
];
