import { SET_ASIDE_RULES } from '../../../../audit/rules/terraform/set-aside.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { DEPLOYMENT, MAIN, POD, SERVICE, TEMPLATE } from '../../support/kubernetes-paths.ts';
import { add, addObject, set } from '../../support/kubernetes-plants.ts';

const FREE = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'free' } };
const NLB = 'service.beta.kubernetes.io/aws-load-balancer';
const annotate = (name: string, value: string) =>
  set(SERVICE, ['metadata', 'annotations', name], value);

describeRules(SET_ASIDE_RULES, {
  plants: {
    'no-type-sets-rules-aside': [
      ['a proxy of the database', ({ add }) => add('aws_db_proxy', { name: 'x' }, 'aws_sns_topic')],
      [
        'a stack of CloudFormation',
        ({ add }) => add('aws_cloudformation_stack', { name: 'x' }, 'aws_sns_topic'),
      ],

      ['a user', ({ add }) => add('aws_iam_user', { name: 'somebody' }, 'aws_sns_topic')],
      [
        'an access key',
        ({ add }) => add('aws_iam_access_key', { user: 'somebody' }, 'aws_sns_topic'),
      ],
      ['a public bucket', ({ add }) => add('aws_s3_bucket', { bucket: 'public' }, 'aws_sns_topic')],
      ['a peering of networks', ({ add }) => add('aws_vpc_peering_connection', {}, 'aws_vpc')],
      [
        'a rule of the old kind',
        ({ add }) =>
          add(
            'aws_security_group_rule',
            { type: 'ingress', cidr_blocks: ['0.0.0.0/0'] },
            'aws_vpc',
          ),
      ],
      ['a program', ({ add }) => add('null_resource', {}, 'aws_vpc')],
      [
        'a data source that runs a program',
        ({ stackWith }) =>
          Object.assign(stackWith('aws_vpc'), { data: { external: { x: { program: ['sh'] } } } }),
      ],
    ],
    'no-argument-sets-rules-aside': [
      [
        'a disk from a snapshot of others',
        ({ change }) =>
          change('aws_launch_template', 'block_device_mappings', (blocks) =>
            (blocks as { ebs: object }[]).map((block) => ({
              ...block,
              ebs: {
                ...block.ebs,
                snapshot_id: 'snap-0a1b2c3d',
              },
            })),
          ),
      ],

      [
        'a FIFO topic, which S3 cannot notify',
        ({ set }) => set('aws_sns_topic', 'fifo_topic', true),
      ],
      [
        'a queue encrypted by SQS',
        ({ set }) => set('aws_sqs_queue', 'sqs_managed_sse_enabled', true),
      ],
      [
        'a cluster with a service network of its own',
        ({ set }) => set('aws_eks_cluster', 'kubernetes_network_config', { ip_family: 'ipv6' }),
      ],
      [
        'a cluster with further security groups',
        ({ set }) => set('aws_eks_cluster', 'vpc_config.security_group_ids', ['sg-1']),
      ],
      [
        'a role with inline policies',
        ({ set }) => set('aws_iam_role', 'inline_policy', [{ name: 'x' }]),
      ],
      [
        'a role with policies of others',
        ({ set }) =>
          set('aws_iam_role', 'managed_policy_arns', [
            'arn:aws-us-gov:iam::aws:policy/AdministratorAccess',
          ]),
      ],
      [
        'a security group with rules inside',
        ({ set }) => set('aws_security_group', 'ingress', [{ cidr_blocks: ['0.0.0.0/0'] }]),
      ],
      [
        'a notification to a function',
        ({ set }) =>
          set('aws_s3_bucket_notification', 'lambda_function', [{ lambda_function_arn: 'x' }]),
      ],
      [
        'a subnet with IPv6',
        ({ set }) => set('aws_subnet', 'assign_ipv6_address_on_creation', true),
      ],
      ['an endpoint for other networks', ({ set }) => set('aws_vpc_endpoint', 'auto_accept', true)],
      [
        'a launch template with other networks',
        ({ set }) =>
          set('aws_launch_template', 'network_interfaces', [{ security_groups: ['sg-1'] }]),
      ],
      [
        'an alarm by an expression',
        ({ set }) => set('aws_cloudwatch_metric_alarm', 'metric_query', [{ id: 'x' }]),
      ],
    ],
  },
  objects: {
    'no-field-sets-rules-aside': [
      [
        'another SELinux context',
        set(DEPLOYMENT, `${MAIN}.security_context.se_linux_options.type`, 'spc_t'),
      ],

      ['a program at start', set(DEPLOYMENT, `${MAIN}.lifecycle.post_start.0.exec.command`, ['x'])],
      [
        'a header that a probe sends',
        set(DEPLOYMENT, `${MAIN}.readiness_probe.http_get.http_header`, [{ name: 'Host' }]),
      ],
      [
        'a gate that nobody opens',
        set(DEPLOYMENT, `${POD}.readiness_gate`, [{ condition_type: 'example.org/open' }]),
      ],
      [
        'a DNS server of others',
        set(DEPLOYMENT, `${POD}.dns_config`, { nameservers: ['198.51.100.53'] }),
      ],
      ['pods of another system', set(DEPLOYMENT, `${POD}.os`, { name: 'windows' })],
      [
        'a volume in memory, which counts as memory',
        set(DEPLOYMENT, `${POD}.volume.0.empty_dir.medium`, 'Memory'),
      ],
      [
        'a volume with a token for the API',
        set(DEPLOYMENT, `${POD}.volume.0`, {
          name: 'tmp',
          projected: { sources: [{ service_account_token: { path: 'token' } }] },
        }),
      ],
      ['the callers of one pod', set(SERVICE, 'spec.session_affinity', 'ClientIP')],
      ['an address of its own', set(SERVICE, 'spec.load_balancer_ip', '192.0.2.1')],
    ],
    'annotations-do-no-harm': [
      ['a slip in a name', annotate(`${NLB}-ssl-certs`, 'x')],
      ['other subnets', annotate(`${NLB}-subnets`, 'subnet-0a1b2c3d')],
      ['further security groups', annotate(`${NLB}-extra-security-groups`, 'sg-0a1b2c3d')],
      ['patience of minutes', annotate(`${NLB}-healthcheck-interval`, '300')],
      [
        'a name elsewhere',
        annotate('external-dns.alpha.kubernetes.io/hostname', 'files.example.org'),
      ],
      [
        'a container from a mesh',
        set(
          DEPLOYMENT,
          [...TEMPLATE.split('.'), 'metadata', 'annotations', 'sidecar.istio.io/inject'],
          'true',
        ),
      ],
      [
        'a pod that keeps its node',
        set(
          DEPLOYMENT,
          [
            ...TEMPLATE.split('.'),
            ...['metadata', 'annotations', 'cluster-autoscaler.kubernetes.io/safe-to-evict'],
          ],
          'false',
        ),
      ],
    ],
    'no-type-sets-rules-aside': [
      ['a free manifest', add('kubernetes_manifest', 'free', { manifest: FREE })],
      ['a type without version', addObject('kubernetes_config_map', 'old', { data: { KEY: 'x' } })],
    ],
  },
});
