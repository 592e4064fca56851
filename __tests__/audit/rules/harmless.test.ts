import { describe, expect, it } from 'vitest';
import { ALL_RULES } from '../../../audit/rules/all-rules.ts';
import { findings } from '../support/findings.ts';
import {
  AUTOSCALER,
  BUDGET,
  CONFIG_MAP,
  DEPLOYMENT,
  MAIN,
  nlb,
  POD,
  SERVICE,
} from '../support/kubernetes-paths.ts';
import {
  addObject,
  all,
  type Change,
  findingsAfter,
  set,
  stacksOfBase,
} from '../support/kubernetes-plants.ts';
import { member, type Planter, planterFor } from '../support/planter.ts';
import type { Json, Stacks } from '../support/renamed-stack.ts';
import { auditedOf, environmentStacks, instanceStacks, stacksOf } from '../support/stacks.ts';

/** A change that does no harm: what is done, and how. Only the accepted JSON shows it. */
type Harmless = readonly [name: string, change: (planter: Planter) => void];

/** Sets several arguments of the first resource of a type. */
const spelled =
  (type: string, values: Readonly<Record<string, unknown>>): Harmless[1] =>
  ({ set }) => {
    for (const [path, value] of Object.entries(values)) set(type, path, value);
  };

/** Defaults of the providers, as their documentation gives them. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  aws_cloudwatch_log_group: { skip_destroy: false, log_group_class: 'STANDARD' },
  aws_cloudwatch_metric_alarm: {
    ...{ actions_enabled: true, datapoints_to_alarm: 1, insufficient_data_actions: [] },
    metric_query: [],
  },
  aws_ecr_repository: { force_delete: false, image_tag_mutability_exclusion_filter: [] },
  aws_eks_access_entry: { type: 'STANDARD', kubernetes_groups: [] },
  aws_eks_addon: { preserve: false },
  aws_eks_cluster: {
    'kubernetes_network_config.ip_family': 'ipv4',
    force_update_version: false,
    'vpc_config.security_group_ids': [],
    'compute_config.enabled': false,
    'zonal_shift_config.enabled': false,
  },
  aws_eks_node_group: {
    ...{ capacity_type: 'ON_DEMAND', force_update_version: false, taint: [] },
    'node_repair_config.enabled': false,
  },
  aws_iam_policy: { path: '/' },
  aws_iam_role: {
    ...{ path: '/', force_detach_policies: false, max_session_duration: 3600 },
    ...{ inline_policy: [], description: 'Trusts one service' },
  },
  aws_kms_key: {
    ...{ key_usage: 'ENCRYPT_DECRYPT', customer_master_key_spec: 'SYMMETRIC_DEFAULT' },
    ...{ is_enabled: true, multi_region: false, bypass_policy_lockout_safety_check: false },
  },
  aws_launch_template: {
    ...{ disable_api_termination: false, disable_api_stop: false, ebs_optimized: 'true' },
    ...{ 'metadata_options.http_protocol_ipv6': 'disabled', 'enclave_options.enabled': false },
  },
  aws_nat_gateway: { connectivity_type: 'public' },
  aws_rds_cluster: {
    ...{ engine_mode: 'provisioned', network_type: 'IPV4', enable_http_endpoint: false },
    manage_master_user_password: 'true',
    ...{ iam_roles: [], enable_local_write_forwarding: false, port: 5432 },
  },
  aws_rds_cluster_instance: { publicly_accessible: false, promotion_tier: 0 },
  aws_s3_bucket_notification: { eventbridge: false, queue: [], lambda_function: [] },
  aws_security_group: { revoke_rules_on_delete: false },
  aws_sns_topic: { fifo_topic: false, content_based_deduplication: false },
  aws_sns_topic_subscription: {
    ...{ raw_message_delivery: false, filter_policy_scope: 'MessageAttributes', filter_policy: '' },
  },
  aws_sqs_queue: {
    ...{ fifo_queue: false, delay_seconds: 0, max_message_size: 262_144 },
    ...{ receive_wait_time_seconds: 0, sqs_managed_sse_enabled: false },
    ...{ kms_data_key_reuse_period_seconds: 300, visibility_timeout_seconds: 30 },
  },
  aws_subnet: {
    ...{ assign_ipv6_address_on_creation: false, enable_dns64: false, ipv6_native: false },
    ...{ enable_resource_name_dns_a_record_on_launch: false },
    private_dns_hostname_type_on_launch: 'ip-name',
  },
  aws_vpc: {
    ...{ instance_tenancy: 'default', assign_generated_ipv6_cidr_block: false },
    enable_network_address_usage_metrics: false,
  },
  aws_vpc_endpoint: { auto_accept: false, ip_address_type: 'ipv4' },
};

const providers =
  (edit: (aws: Json) => void): Harmless[1] =>
  (planter) => {
    for (const type of ['aws_vpc', 'aws_sns_topic', 'aws_rds_cluster']) {
      const { aws } = planter.stackWith(type).provider as { aws: [Json] };
      edit(aws[0]);
    }
  };
const backends =
  (edit: (s3: Json) => void): Harmless[1] =>
  (planter) => {
    for (const type of ['aws_vpc', 'aws_sns_topic', 'aws_rds_cluster']) {
      edit(member(member(member(planter.stackWith(type), 'terraform'), 'backend'), 's3'));
    }
  };

const ALARM = { ...{ comparison_operator: 'GreaterThanThreshold', evaluation_periods: 3 } };
const alarm =
  (values: Json): Harmless[1] =>
  ({ copy }) =>
    copy('aws_cloudwatch_metric_alarm', {
      ...{ alarm_name: 'further', alarm_description: 'Somebody looks into it.', period: 300 },
      ...ALARM,
      ...values,
    });

/** Adds a Deny to the policy that holds a text. */
const deny =
  (where: RegExp, statement: Json): Harmless[1] =>
  ({ statements }) =>
    statements(where, (list) => [...list, { Sid: 'FurtherDeny', Effect: 'Deny', ...statement }]);

const addOn =
  (name: string, more: Json = {}): Harmless[1] =>
  ({ copy, stackWith }) => {
    copy('aws_eks_addon', { addon_name: name, ...more }, /metrics-server/);
    const { data } = stackWith('aws_eks_cluster') as { data: Record<string, Record<string, Json>> };
    const versions = data.aws_eks_addon_version ?? {};
    const [first] = Object.values(versions);
    versions.planted = { ...first, addon_name: name };
    const { resource } = stackWith('aws_eks_cluster') as {
      resource: Record<string, Record<string, Json>>;
    };
    const planted = resource.aws_eks_addon?.planted ?? {};
    planted.addon_version = '${data.aws_eks_addon_version.planted.version}';
  };

const entry =
  (policy: string, scope: Json): Harmless[1] =>
  ({ copy }) => {
    const principal = 'arn:aws-us-gov:iam::123456789012:role/etl-auditors';
    copy('aws_eks_access_entry', { principal_arn: principal });
    copy('aws_eks_access_policy_association', {
      principal_arn: '${aws_eks_access_entry.planted.principal_arn}',
      policy_arn: `arn:aws-us-gov:eks::aws:cluster-access-policy/${policy}`,
      access_scope: scope,
    });
  };

const block =
  (section: string, value: Json): Harmless[1] =>
  ({ stackWith }) => {
    const json = stackWith('aws_sns_topic');
    json[section] = [...((json[section] as Json[] | undefined) ?? []), value];
  };

const HARMLESS: readonly Harmless[] = [
  ...Object.entries(DEFAULTS).map(
    ([type, values]): Harmless => [`defaults of ${type}, spelled out`, spelled(type, values)],
  ),
  [
    'defaults of the AWS provider',
    providers((aws) =>
      Object.assign(aws, {
        ...{ max_retries: 25, retry_mode: 'standard', insecure: false, s3_use_path_style: false },
        ...{ skip_credentials_validation: false, skip_region_validation: false },
        ...{ skip_requesting_account_id: false, skip_metadata_api_check: 'false' },
        use_dualstack_endpoint: false,
      }),
    ),
  ],
  [
    'defaults of the backend',
    backends((s3) =>
      Object.assign(s3, {
        ...{ skip_credentials_validation: false, skip_region_validation: false, max_retries: 5 },
        ...{ use_path_style: false, skip_s3_checksum: false, workspace_key_prefix: 'env:' },
        insecure: false,
      }),
    ),
  ],
  [
    'defaults of the Kubernetes provider',
    ({ stackWith }) => {
      const { kubernetes } = stackWith('aws_sns_topic').provider as { kubernetes: [Json] };
      Object.assign(kubernetes[0], { insecure: false });
    },
  ],
  [
    'defaults of outputs and variables',
    ({ stackWith }) => {
      const { output, variable } = stackWith('aws_sns_topic') as Record<
        string,
        Record<string, Json>
      >;
      for (const one of Object.values(output ?? {})) one.sensitive = false;
      Object.assign(variable?.image ?? {}, { sensitive: false, ephemeral: false });
    },
  ],
  [
    'a complete second subscription: a queue of its own, with policy, key and dead letters',
    ({ add, stackWith }) => {
      const { resource } = stackWith('aws_sqs_queue') as {
        resource: Record<string, Record<string, Json>>;
      };
      const queues = resource.aws_sqs_queue ?? {};
      const [own] = Object.values(queues);
      const named = (name: string, more: Json = {}) => ({
        ...{ ...own, name: `file-processing-${name}`, ...more },
        policy: String(own?.policy).replaceAll(/-topic-prod-dead-letter/g, `-${name}`),
      });
      const byQueue = {
        redrivePermission: 'byQueue',
        sourceQueueArns: ['${aws_sqs_queue.archive.arn}'],
      };
      queues.archive_dead = named('archive-dead', {
        redrive_allow_policy: JSON.stringify(byQueue),
      });
      queues.archive = named('archive', {
        ...{ message_retention_seconds: 345_600, visibility_timeout_seconds: 300 },
        receive_wait_time_seconds: 20,
        redrive_policy:
          '{"deadLetterTargetArn":"${aws_sqs_queue.archive_dead.arn}","maxReceiveCount":5}',
      });
      const alarms = resource.aws_cloudwatch_metric_alarm ?? {};
      const [waiting] = Object.values(alarms).filter((one) => /Visible/.test(JSON.stringify(one)));
      const alarmOf = (queue: string, more: Json = {}) => ({
        ...{ ...waiting, alarm_name: queue, ...more },
        dimensions: { QueueName: `\${aws_sqs_queue.${queue}.name}` },
      });
      alarms.archive_dead = alarmOf('archive_dead');
      alarms.archive = alarmOf('archive', {
        ...{ metric_name: 'ApproximateAgeOfOldestMessage', threshold: 3600 },
      });
      add(
        'aws_sns_topic_subscription',
        {
          ...{ protocol: 'sqs', endpoint: '${aws_sqs_queue.archive.arn}' },
          topic_arn: '${aws_sns_topic.file_processing.arn}',
          redrive_policy: '{"deadLetterTargetArn":"${aws_sqs_queue.archive_dead.arn}"}',
          depends_on: ['aws_sns_topic_policy.default'],
        },
        'aws_sns_topic',
      );
    },
  ],
  ['a longer log', spelled('aws_cloudwatch_log_group', { retention_in_days: 3653 })],
  [
    'larger disks',
    spelled('aws_launch_template', { 'block_device_mappings.ebs.volume_size': 200 }),
  ],
  ['more nodes at most', spelled('aws_eks_node_group', { 'scaling_config.max_size': 30 })],
  ['labels of nodes', spelled('aws_eks_node_group', { labels: { team: 'etl' } })],
  ['nodes that EKS repairs', spelled('aws_eks_node_group', { 'node_repair_config.enabled': true })],
  ['a cluster that nobody may delete', spelled('aws_eks_cluster', { deletion_protection: true })],
  ['keys that rotate twice a year', spelled('aws_kms_key', { rotation_period_in_days: 180 })],
  ['tags', spelled('aws_sns_topic', { tags: { Team: 'etl' }, display_name: 'Files' })],
  ['a second alias', ({ copy }) => copy('aws_kms_alias', { name: 'alias/further' })],
  [
    'a further endpoint',
    ({ copy }) =>
      copy(
        'aws_vpc_endpoint',
        { service_name: 'com.amazonaws.us-gov-west-1.secretsmanager' },
        /\.sqs"/,
      ),
  ],
  [
    'a metric of a log, and a page of metrics',
    ({ add }) => {
      add(
        'aws_cloudwatch_log_metric_filter',
        {
          ...{ name: 'errors', pattern: 'ERROR' },
          log_group_name: '${aws_cloudwatch_log_group.cluster.name}',
          metric_transformation: [{ name: 'errors', namespace: 'etl', value: '1' }],
        },
        'aws_sns_topic',
      );
      add(
        'aws_cloudwatch_dashboard',
        { dashboard_name: 'etl', dashboard_body: '{"widgets":[]}' },
        'aws_sns_topic',
      );
    },
  ],
  [
    'a further output and local',
    ({ stackWith }) => {
      const json = stackWith('aws_sns_topic');
      Object.assign(json.output as Json, {
        topic_name: { value: '${aws_sns_topic.file_processing.name}', description: 'Its name' },
      });
      json.locals = { ...(json.locals as Json), team: 'etl' };
    },
  ],
  // Policies.
  [
    'a topic that refuses old TLS',
    deny(/sns:Publish/, {
      ...{
        Principal: '*',
        Action: 'sns:Publish',
        Resource: '${aws_sns_topic.file_processing.arn}',
      },
      Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } },
    }),
  ],
  [
    'a topic that refuses other accounts',
    deny(/sns:Publish/, {
      ...{ Principal: '*', Action: ['sns:Subscribe', 'sns:AddPermission'] },
      Resource: '${aws_sns_topic.file_processing.arn}',
      Condition: {
        StringNotEquals: {
          'aws:PrincipalAccount': '${data.aws_caller_identity.current.account_id}',
        },
      },
    }),
  ],
  [
    'a topic that nobody may delete',
    deny(/sns:Publish/, {
      ...{ Principal: '*', Action: 'sns:DeleteTopic' },
      Resource: '${aws_sns_topic.file_processing.arn}',
    }),
  ],
  [
    'pods that may not delete buckets',
    deny(/s3:GetObject/, { Action: ['s3:DeleteBucket', 's3:PutBucketPolicy'], Resource: '*' }),
  ],
  [
    'pods that may not take other roles',
    deny(/s3:GetObject/, { Action: ['sts:AssumeRole', 'iam:*'], Resource: '*' }),
  ],
  [
    'pods that may not read a prefix of others',
    deny(/s3:GetObject/, {
      ...{
        Action: 's3:*',
        Resource: 'arn:aws-us-gov:s3:::etl-ba-research-client-etl-prod/private/*',
      },
    }),
  ],
  [
    'pods that refuse S3 without TLS',
    deny(/s3:GetObject/, {
      ...{ Action: 's3:*', Resource: '*' },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
  ],
  [
    'a key that nobody may delete',
    deny(/kms:/, {
      ...{ Principal: '*', Action: ['kms:ScheduleKeyDeletion', 'kms:DisableKey'], Resource: '*' },
    }),
  ],
  [
    'a role that others may not take',
    deny(/AssumeRoleWithWebIdentity/, {
      ...{ Principal: '*', Action: 'sts:AssumeRole' },
    }),
  ],
  [
    'pods that read from the account alone',
    ({ statement }) =>
      statement(/s3:GetObject/, (one) => {
        one.Condition = {
          ...Object(one.Condition),
          StringEquals: { 'aws:ResourceAccount': '${data.aws_caller_identity.current.account_id}' },
        };
      }),
  ],
  [
    'pods that read over TLS alone',
    ({ statement }) =>
      statement(/s3:GetObject/, (one) => {
        one.Condition = { ...Object(one.Condition), Bool: { 'aws:SecureTransport': 'true' } };
      }),
  ],
  [
    'a bucket that publishes to its own region alone',
    ({ statement }) =>
      statement(/BucketPublishes/, (one) => {
        const condition = one.Condition as Record<string, Json>;
        condition.StringEquals = {
          ...condition.StringEquals,
          'aws:RequestedRegion': 'us-gov-west-1',
        };
      }),
  ],
  [
    'a topic that refuses people of other accounts',
    deny(/sns:Publish/, {
      ...{ Principal: '*', Action: 'sns:Publish' },
      Resource: '${aws_sns_topic.file_processing.arn}',
      Condition: {
        StringNotEquals: { 'aws:PrincipalOrgID': 'o-0a1b2c3d4e' },
        BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
      },
    }),
  ],
  [
    'a queue that refuses people of other accounts',
    deny(/sqs:SendMessage/, {
      ...{ Principal: '*', Action: 'sqs:*' },
      Resource:
        'arn:aws-us-gov:sqs:us-gov-west-1:${data.aws_caller_identity.current.account_id}:file-processing-topic-prod-dead-letter',
      Condition: {
        StringNotEquals: {
          'aws:PrincipalAccount': '${data.aws_caller_identity.current.account_id}',
        },
        Bool: { 'aws:PrincipalIsAWSService': 'false' },
      },
    }),
  ],
  [
    'a service that writes to its own account alone',
    ({ statement }) =>
      statement(/LogDeliveries/, (one) => {
        one.Condition = {
          StringEquals: { 'aws:ResourceAccount': '${data.aws_caller_identity.current.account_id}' },
        };
      }),
  ],
  [
    'tokens that are taken in the region alone',
    ({ statement }) =>
      statement(/AssumeRoleWithWebIdentity/, (one) => {
        const condition = one.Condition as Record<string, Json>;
        condition.StringEquals = {
          ...condition.StringEquals,
          'aws:RequestedRegion': 'us-gov-west-1',
        };
      }),
  ],
  [
    'the account by its number in place of references to it',
    ({ stackWith }) => {
      for (const type of ['aws_vpc', 'aws_sns_topic', 'aws_rds_cluster']) {
        const json = stackWith(type);
        const text = JSON.stringify(json.resource);
        json.resource = JSON.parse(
          text.replaceAll('${data.aws_caller_identity.current.account_id}', '123456789012'),
        );
      }
    },
  ],
  [
    'an endpoint with the policy that it has without one, and a refusal of plain HTTP',
    ({ set }) =>
      set(
        'aws_vpc_endpoint',
        'policy',
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' },
            {
              ...{ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' },
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        }),
        /\.s3"/,
      ),
  ],
  [
    'a repository that nobody may delete',
    ({ add }) =>
      add(
        'aws_ecr_repository_policy',
        {
          repository: '${aws_ecr_repository.file_processing.name}',
          policy: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              { Sid: 'Keep', Effect: 'Deny', Principal: '*', Action: 'ecr:DeleteRepository' },
            ],
          }),
        },
        'aws_sns_topic',
      ),
  ],
  [
    'volumes in another order',
    ({ change }) =>
      change(
        'kubernetes_deployment_v1',
        'spec.template.spec.volume',
        (list) => (list as Json[]).toReversed(),
        /"serve"/,
      ),
  ],
  [
    'an account of the state',
    backends((s3) => Object.assign(s3, { allowed_account_ids: ['123456789012'] })),
  ],
  [
    'tokens of the region, and retries that adapt',
    providers((aws) =>
      Object.assign(aws, {
        ...{ sts_region: 'us-gov-west-1', retry_mode: 'adaptive' },
        token_bucket_rate_limiter_capacity: 1000,
      }),
    ),
  ],
  // Alarms.
  [
    'an alarm on requests that the bucket refuses',
    alarm({
      ...{ namespace: 'AWS/S3', metric_name: '4xxErrors', statistic: 'Sum', threshold: 10 },
      dimensions: { BucketName: 'etl-ba-research-client-etl-prod', FilterId: 'all' },
    }),
  ],
  [
    'an alarm on what is unusual',
    ({ add }) =>
      add(
        'aws_cloudwatch_metric_alarm',
        {
          ...{ alarm_name: 'unusual', alarm_description: 'Unusually many.', evaluation_periods: 3 },
          ...{ comparison_operator: 'GreaterThanUpperThreshold', threshold_metric_id: 'band' },
          alarm_actions: ['arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call'],
          treat_missing_data: 'notBreaching',
          metric_query: [
            { id: 'band', expression: 'ANOMALY_DETECTION_BAND(m1, 2)', return_data: true },
            {
              ...{ id: 'm1', return_data: true },
              metric: {
                ...{ namespace: 'AWS/SNS', period: 300, stat: 'Sum' },
                metric_name: 'NumberOfMessagesPublished',
                dimensions: { TopicName: '${aws_sns_topic.file_processing.name}' },
              },
            },
          ],
        },
        'aws_sns_topic',
      ),
  ],
  [
    'an alarm on the age of dead letters',
    alarm({
      metric_name: 'ApproximateAgeOfOldestMessage',
      statistic: 'Maximum',
      threshold: 86_400,
    }),
  ],
  [
    'an alarm on the size of messages',
    alarm({
      ...{ namespace: 'AWS/SNS', metric_name: 'PublishSize', statistic: 'Average' },
      ...{ threshold: 200_000, dimensions: { TopicName: '${aws_sns_topic.file_processing.name}' } },
    }),
  ],
  [
    'an alarm on the nodes',
    alarm({
      ...{ namespace: 'ContainerInsights', metric_name: 'node_cpu_utilization', threshold: 90 },
      ...{ statistic: 'Average', dimensions: { ClusterName: '${aws_eks_cluster.this.name}' } },
    }),
  ],
  [
    'an alarm on a quiet topic',
    alarm({
      ...{ namespace: 'AWS/SNS', metric_name: 'NumberOfMessagesPublished', statistic: 'Sum' },
      ...{
        comparison_operator: 'LessThanThreshold',
        threshold: 1,
        treat_missing_data: 'breaching',
      },
      ...{ period: 86_400, evaluation_periods: 1 },
      dimensions: { TopicName: '${aws_sns_topic.file_processing.name}' },
    }),
  ],
  [
    'an alarm by an expression',
    ({ add }) =>
      add(
        'aws_cloudwatch_metric_alarm',
        {
          ...{ alarm_name: 'ratio', alarm_description: 'One of ten fails.', threshold: 0.1 },
          ...{ ...ALARM, treat_missing_data: 'notBreaching' },
          alarm_actions: ['arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call'],
          metric_query: [
            { id: 'ratio', expression: 'failed / all', label: 'Failed', return_data: true },
            ...['failed', 'all'].map((id) => ({
              id,
              metric: {
                ...{ namespace: 'AWS/SNS', period: 300, stat: 'Sum' },
                metric_name:
                  id === 'all' ? 'NumberOfMessagesPublished' : 'NumberOfNotificationsFailed',
                dimensions: { TopicName: '${aws_sns_topic.file_processing.name}' },
              },
            })),
          ],
        },
        'aws_sns_topic',
      ),
  ],
  // Add-ons.
  ['the EBS CSI driver', addOn('aws-ebs-csi-driver')],
  ['the observability add-on', addOn('amazon-cloudwatch-observability')],
  ['the agent that watches nodes', addOn('eks-node-monitoring-agent')],
  [
    'an add-on with settings',
    addOn('snapshot-controller', { configuration_values: '{"replicaCount":2}' }),
  ],
  // People who look.
  ['a view of all namespaces', entry('AmazonEKSViewPolicy', { type: 'cluster' })],
  [
    'a view of one namespace',
    entry('AmazonEKSViewPolicy', { type: 'namespace', namespaces: ['file-processing'] }),
  ],
  // Nodes.
  [
    'Graviton nodes',
    spelled('aws_eks_node_group', {
      instance_types: ['m7g.large'],
      ami_type: 'AL2023_ARM_64_STANDARD',
    }),
  ],
  [
    'Graviton nodes of several types',
    spelled('aws_eks_node_group', {
      instance_types: ['m8g.xlarge', 'm7g.xlarge', 'c7gn.xlarge'],
      ami_type: 'AL2023_ARM_64_STANDARD',
    }),
  ],
  // Terraform.
  ['a move', block('moved', { from: 'aws_sns_topic.old', to: 'aws_sns_topic.file_processing' })],
  ['a removal', block('removed', { from: 'aws_cloudwatch_metric_alarm.old' })],
  [
    'a removal of what stays',
    block('removed', {
      from: 'aws_cloudwatch_log_group.old',
      lifecycle: [{ destroy: false }],
    }),
  ],
  [
    'an import',
    block('import', {
      to: 'aws_sns_topic.file_processing',
      id: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic-prod',
    }),
  ],
];

/** A stack's only AWS provider. */
const awsOf = (json: Json | undefined) => (Object(json).provider as { aws: [Json] }).aws[0];

/** What makes the providers stricter, where an environment leaves it out. */
const STRICTER: readonly (readonly [string, (stacks: Stacks) => void])[] = [
  [
    'FIPS endpoints of all stacks',
    (stacks) => {
      for (const json of Object.values(stacks)) awsOf(json).use_fips_endpoint = true;
    },
  ],
  [
    'FIPS endpoints of one stack',
    (stacks) => {
      awsOf(stacks['file-processing']).use_fips_endpoint = true;
    },
  ],
  [
    'the account, named',
    (stacks) => {
      for (const json of Object.values(stacks)) {
        awsOf(json).allowed_account_ids = ['123456789012'];
      }
    },
  ],
  [
    'the account, named by one stack',
    (stacks) => {
      awsOf(stacks['foundation-network']).allowed_account_ids = ['123456789012'];
    },
  ],
];

describe('no rule minds', () => {
  const before = findings(ALL_RULES, auditedOf(environmentStacks('complete')));

  it.each(HARMLESS)('%s', (_, change) => {
    const stacks = environmentStacks('complete');
    const text = JSON.stringify(stacks);
    change(planterFor(stacks));
    expect(JSON.stringify(stacks)).not.toBe(text);
    const after = findings(ALL_RULES, auditedOf(stacks));
    expect(after.filter((finding) => !before.includes(finding))).toEqual([]);
  });

  it.each(STRICTER)('%s', (_, change) => {
    const stacks = environmentStacks('etl-playground');
    // The settings of the environment ask for less.
    const settings = Object.fromEntries(
      Object.keys(stacks).map((name) => [
        name,
        { fips_endpoints: false, image: '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/etl' },
      ]),
    );
    const known = findings(ALL_RULES, { ...auditedOf(stacks), settings });
    change(stacks);
    const after = findings(ALL_RULES, { ...auditedOf(stacks), settings });
    expect(after.filter((finding) => !known.includes(finding))).toEqual([]);
  });

  it('defaults of a database on an instance, spelled out', () => {
    const stacks = instanceStacks();
    spelled('aws_db_instance', {
      ...{ publicly_accessible: false, network_type: 'IPV4', dedicated_log_volume: false },
      ...{ apply_immediately: false, customer_owned_ip_enabled: false },
    })(planterFor(stacks));
    expect(findings(ALL_RULES, auditedOf(stacks))).toEqual([]);
  });
});

/** Harmless changes of Kubernetes objects. */
const OBJECTS: readonly (readonly [string, Change])[] = [
  [
    'defaults of the Service, spelled out',
    all(
      set(SERVICE, 'spec.session_affinity', 'None'),
      set(SERVICE, 'spec.publish_not_ready_addresses', false),
      set(SERVICE, 'spec.internal_traffic_policy', 'Cluster'),
      set(SERVICE, 'spec.external_traffic_policy', 'Cluster'),
      set(SERVICE, 'spec.ip_families', ['IPv4']),
      set(SERVICE, 'spec.ip_family_policy', 'SingleStack'),
      set(SERVICE, 'spec.allocate_load_balancer_node_ports', true),
      set(SERVICE, 'wait_for_load_balancer', true),
    ),
  ],
  [
    'defaults of the Deployment, spelled out',
    all(
      set(DEPLOYMENT, 'spec.min_ready_seconds', 0),
      set(DEPLOYMENT, 'spec.paused', false),
      set(DEPLOYMENT, `${POD}.dns_policy`, 'ClusterFirst'),
      set(DEPLOYMENT, `${POD}.restart_policy`, 'Always'),
      set(DEPLOYMENT, `${POD}.scheduler_name`, 'default-scheduler'),
      set(DEPLOYMENT, `${POD}.host_network`, false),
      set(DEPLOYMENT, `${POD}.host_pid`, false),
      set(DEPLOYMENT, `${POD}.host_ipc`, false),
      set(DEPLOYMENT, `${POD}.share_process_namespace`, false),
      set(DEPLOYMENT, `${MAIN}.stdin`, false),
      set(DEPLOYMENT, `${MAIN}.tty`, false),
      set(DEPLOYMENT, `${MAIN}.termination_message_path`, '/dev/termination-log'),
      set(DEPLOYMENT, `${MAIN}.readiness_probe.success_threshold`, 1),
      set(DEPLOYMENT, `${MAIN}.readiness_probe.initial_delay_seconds`, 0),
      set(DEPLOYMENT, `${MAIN}.volume_mount.0.mount_propagation`, 'None'),
      set(DEPLOYMENT, `${POD}.volume.0.empty_dir.medium`, ''),
    ),
  ],
  ['a ConfigMap that may change, spelled out', set(CONFIG_MAP, 'immutable', false)],
  [
    'sick pods that may always be evicted',
    set(BUDGET, 'spec.unhealthy_pod_eviction_policy', 'AlwaysAllow'),
  ],
  [
    'sick pods that may be evicted by the budget',
    set(BUDGET, 'spec.unhealthy_pod_eviction_policy', 'IfHealthyBudget'),
  ],
  [
    'a load balancer that cannot be deleted',
    set(SERVICE, nlb('attributes'), 'deletion_protection.enabled=true'),
  ],
  [
    'a load balancer with several attributes',
    set(
      SERVICE,
      nlb('attributes'),
      'load_balancing.cross_zone.enabled=true,deletion_protection.enabled=true',
    ),
  ],
  [
    'targets that are drained before they go',
    set(SERVICE, nlb('target-group-attributes'), 'deregistration_delay.timeout_seconds=30'),
  ],
  [
    'variables of OpenTelemetry',
    all(
      set(CONFIG_MAP, 'data.OTEL_SERVICE_NAME', 'file-processing'),
      set(CONFIG_MAP, 'data.OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment=prod'),
      set(CONFIG_MAP, 'data.OTEL_TRACES_SAMPLER', 'parentbased_traceidratio'),
      set(CONFIG_MAP, 'data.OTEL_TRACES_SAMPLER_ARG', '0.1'),
      set(CONFIG_MAP, 'data.OTEL_PROPAGATORS', 'tracecontext,baggage'),
      set(CONFIG_MAP, 'data.OTEL_LOG_LEVEL', 'warn'),
    ),
  ],
  ['a longer grace', set(DEPLOYMENT, `${POD}.termination_grace_period_seconds`, 90)],
  ['more CPU', set(DEPLOYMENT, `${MAIN}.resources.requests.cpu`, '700m')],
  ['two pods more in a rollout', set(DEPLOYMENT, 'spec.strategy.rolling_update.max_surge', '2')],
  ['more old revisions', set(DEPLOYMENT, 'spec.revision_history_limit', 10)],
  [
    'another aim of the autoscaler',
    set(AUTOSCALER, 'spec.metric.0.resource.target.average_utilization', 75),
  ],
  [
    'an aim in CPUs for each pod',
    set(AUTOSCALER, 'spec.metric.0.resource.target', {
      ...{ type: 'AverageValue', average_value: '200m' },
    }),
  ],
  [
    'the internet in two halves',
    set(SERVICE, 'spec.load_balancer_source_ranges', ['0.0.0.0/1', '128.0.0.0/1']),
  ],
  ['more pods at most', set(AUTOSCALER, 'spec.max_replicas', 8)],
  [
    'a slower way down',
    set(AUTOSCALER, 'spec.behavior.scale_down.0.stabilization_window_seconds', 600),
  ],
  [
    'a quota with room',
    addObject('kubernetes_resource_quota_v1', 'all', { spec: { hard: { pods: '100' } } }),
  ],
  [
    'a namespace closed for what has no policy',
    addObject('kubernetes_network_policy_v1', 'closed', {
      spec: { pod_selector: {}, policy_types: ['Ingress', 'Egress'] },
    }),
  ],
  ['a probe less often', set(DEPLOYMENT, `${MAIN}.readiness_probe.period_seconds`, 10)],
  ['a time zone', set(CONFIG_MAP, 'data.TZ', 'America/Denver')],
  ['a host name', set(DEPLOYMENT, `${POD}.hostname`, 'listener')],
  [
    'a priority class that nobody uses',
    addObject('kubernetes_priority_class_v1', 'first', { value: 1000 }),
  ],
];

describe('no rule minds of objects', () => {
  it.each(OBJECTS)('%s', (_, change) => {
    const stacks = stacksOfBase('http');
    expect(findingsAfter(ALL_RULES, stacks, change)).toEqual([]);
  });
});

it('no rule minds stacks that a role of their own account deploys', () => {
  const deploy = {
    account_id: '123456789012',
    assume_role_arn: 'arn:aws-us-gov:iam::123456789012:role/etl-deploy',
  };
  const before = findings(ALL_RULES, auditedOf(stacksOf({})));
  const stacks = stacksOf({ network: deploy, processing: deploy });
  expect(findings(ALL_RULES, auditedOf(stacks))).toEqual(before);
});
