import { describe, expect, it } from 'vitest';
import { ALL_RULES, currentId } from '../../../audit/rules/all-rules.ts';
import { REGISTER } from '../../../audit/rules/rule.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { listedBucket } from '../../support/settings.ts';
import { findings } from '../support/findings.ts';
import {
  AUTOSCALER,
  BUDGET,
  DEPLOYMENT,
  MAIN,
  POD,
  POLICY,
  TEMPLATE,
} from '../support/kubernetes-paths.ts';
import {
  add,
  addObject,
  all,
  argumentOf,
  attributesOf,
  BASES,
  type Base,
  type Change,
  drop,
  findingsAfter,
  KUBERNETES_NAMINGS,
  remove,
  set,
  stacksOfBase,
} from '../support/kubernetes-plants.ts';
import type { Json } from '../support/renamed-stack.ts';
import {
  auditedOf,
  BRIDGE,
  BUCKETS,
  environmentStacks,
  OTHER_ACCOUNT,
  QUEUE,
  type Settings,
  stacksOf,
} from '../support/stacks.ts';

const DATABASE = { db_host: 'db.example.gov', db_name: 'etl_db', db_user: 'etl_user' };
const http = (processing: Partial<FileProcessingSettings> = {}): Settings => ({
  processing: {
    ...DATABASE,
    sns_endpoint_url: 'https://files.example.gov/',
    tls_certificate_arn: 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c',
    ...processing,
  },
});
const queue: Settings = { processing: { ...DATABASE, ...QUEUE.processing } };
const queueOf = (processing: Partial<FileProcessingSettings>): Settings => ({
  processing: { ...queue.processing, ...processing },
});
const bridgeOf = (processing: Partial<FileProcessingSettings> = {}): Settings => ({
  ...BRIDGE,
  ...queueOf({ ...processing, ...BRIDGE.processing }),
});
const PROVIDER =
  'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.eks.us-gov-west-1.amazonaws.com/id/0123456789ABCDEF';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:new-files';

const ASSUMED = {
  assume_role_arn: 'arn:aws-us-gov:iam::123456789012:role/etl-deploy',
  state_bucket: 'states',
  state_role_arn: 'arn:aws-us-gov:iam::123456789012:role/etl-state',
};

const SPOT: FileProcessingSettings['node_groups'][number] = {
  ...{ name: 'spot', instance_types: ['m6i.large'], ami_type: '', ami_id: '', taints: [] },
  ...{ capacity_type: 'SPOT', min_size: 1, desired_size: 1, max_size: 3, labels: { kind: 'spot' } },
};
const TAINTED = {
  ...SPOT,
  ...{ name: 'batch', ami_type: 'BOTTLEROCKET_ARM_64', instance_types: ['c7g.large', 'c6g.large'] },
  ...{ taints: ['batch=true:NoSchedule'] },
};

/** Settings that are as they should be. */
const GOOD: readonly (readonly [string, Settings])[] = [
  ['delivery over https', http()],
  ['delivery over https and by a queue', http({ both_deliveries: true })],
  ['events by EventBridge', bridgeOf()],
  ['events by EventBridge and by the topic', bridgeOf({ both_notifications: true })],
  ['events by EventBridge of several buckets', bridgeOf(BUCKETS.processing)],
  ['a NAT gateway in each zone', { ...http(), network: { nat_gateways: 'per_zone' } }],
  [
    'four zones',
    {
      ...http(),
      network: { availability_zones: ['a', 'b', 'c', 'd'].map((zone) => `us-gov-west-1${zone}`) },
    },
  ],
  [
    'interface endpoints',
    {
      ...http(),
      network: { interface_endpoints: ['ecr.api', 'ecr.dkr', 'sts'], sns_interface_endpoint: true },
    },
  ],
  ['an OIDC provider of others', http({ existing_oidc_provider_arn: PROVIDER })],
  ['no repository', http({ create_repository: false })],
  ['no right to write', http({ report_prefix: '' })],
  ['a suffix', http({ s3_suffix: '.csv' })],
  ['several prefixes', http({ s3_prefixes: ['from_client/a/', 'from_client/b/', 'other/'] })],
  ['three buckets, one of another account', http(BUCKETS.processing)],
  ['three buckets behind a queue', { processing: { ...queue.processing, ...BUCKETS.processing } }],
  ['three buckets that are only read', http({ ...BUCKETS.processing, report_prefix: '' })],
  [
    'a bucket of another account alone',
    http({ buckets: [listedBucket('their-box', { account_id: OTHER_ACCOUNT })] }),
  ],
  [
    'three buckets of a stack that names its account',
    {
      processing: { ...http(BUCKETS.processing).processing, account_id: '123456789012' },
      network: { account_id: '123456789012' },
    },
  ],
  [
    'three buckets without Kubernetes objects',
    http({ ...BUCKETS.processing, manage_kubernetes: false, image: '' }),
  ],
  [
    'a key of the bucket',
    http({
      bucket_kms_key_arn:
        'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    }),
  ],
  [
    'a key of the bucket that is only read',
    http({
      report_prefix: '',
      bucket_kms_key_arn:
        'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    }),
  ],
  ['a database with IAM', http({ db_iam_auth: true, db_resource_id: 'db-ABCDEFGHIJ' })],
  ['a database whose group lets the nodes in', http({ db_security_group_id: 'sg-0a1b2c3d' })],
  [
    'named administrators',
    http({ cluster_admin_arns: ['arn:aws-us-gov:iam::123456789012:role/etl-admin'] }),
  ],
  ['a queue', queue],
  [
    'an Ingress',
    http({
      ingress_class_name: 'nginx',
      ingress_host: 'files.example.gov',
      tls_certificate_arn: '',
    }),
  ],
  ['the AWS half alone', http({ manage_kubernetes: false })],
  [
    'a key and an image of a trusted account',
    {
      processing: {
        ...http().processing,
        account_id: '123456789012',
        trusted_accounts: ['210987654321'],
        create_repository: false,
        image: `210987654321.dkr.ecr.us-gov-west-1.amazonaws.com/etl@sha256:${'ab'.repeat(32)}`,
        bucket_kms_key_arn:
          'arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
      },
      network: { account_id: '123456789012' },
    },
  ],
  [
    'subnets of others by their ids',
    http({
      vpc_id: 'vpc-0a1b2c3d4e5f67890',
      private_subnet_ids: ['subnet-0a1b2c3d4e5f67890', 'subnet-0b1c2d3e4f5a67891'],
    }),
  ],
  [
    'subnets of others by their tags',
    http({ vpc_id: 'vpc-0a1b2c3d4e5f67890', private_subnet_tags: { tier: 'private' } }),
  ],
  [
    'a role that deploys, and one of the state',
    {
      processing: { ...http().processing, ...ASSUMED },
      network: ASSUMED,
    },
  ],
  [
    'a cluster, topic and network of others, with EKS Pod Identity',
    queueOf({
      create_cluster: false,
      cluster_name: 'shared-cluster',
      cluster_endpoint_private_access_cidrs: [],
      existing_topic_arn: TOPIC,
      identity: 'pod_identity',
    }),
  ],
  ['EKS Pod Identity', http({ identity: 'pod_identity' })],
  ['both identities, to pods', http({ identity: 'pod_identity', both_identities: true })],
  ['both identities, to tokens', http({ both_identities: true })],
  [
    'both identities without Kubernetes objects, and with an autoscaler',
    http({
      both_identities: true,
      manage_kubernetes: false,
      node_autoscaler: 'cluster-autoscaler',
      sns_endpoint_url: '',
      existing_topic_arn: TOPIC,
    }),
  ],
  ['a topic of others in this account', http({ existing_topic_arn: TOPIC })],
  [
    'a topic of others before there is an endpoint, without Kubernetes objects',
    http({ existing_topic_arn: TOPIC, sns_endpoint_url: '', manage_kubernetes: false }),
  ],
  [
    'a queue for a topic of a trusted account',
    {
      processing: {
        ...queue.processing,
        account_id: '123456789012',
        trusted_accounts: ['210987654321'],
        existing_topic_arn: TOPIC.replace('123456789012', '210987654321'),
      },
      network: { account_id: '123456789012' },
    },
  ],
  [
    'several buckets that tell a topic of others, without Kubernetes objects',
    {
      processing: {
        ...{ sns_endpoint_url: '', manage_kubernetes: false, existing_topic_arn: TOPIC },
        buckets: [listedBucket('one', { create_notifications: true }), listedBucket('two')],
      },
    },
  ],
  ['a password that was changed a million times', http({ db_password_revision: 1_000_000 })],
  [
    'Graviton nodes',
    http({ ami_type: 'AL2023_ARM_64_STANDARD', node_instance_types: ['m7g.large'] }),
  ],
  [
    'Bottlerocket with FIPS and settings of its own',
    http({
      ami_type: 'BOTTLEROCKET_x86_64_FIPS',
      node_user_data: '[settings.kernel]\nlockdown = "integrity"\n',
    }),
  ],
  [
    'an image of your own with a NodeConfig',
    http({
      ami_id: 'ami-0a1b2c3d4e5f67890',
      node_user_data: 'apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n',
    }),
  ],
  [
    'an image of your own of Bottlerocket',
    http({ ami_type: 'BOTTLEROCKET_x86_64', ami_id: 'ami-0a1b2c3d4e5f67890' }),
  ],
  ['a group of Spot nodes and one with a taint', http({ node_groups: [SPOT, TAINTED] })],
  [
    'Spot nodes beside a group on demand',
    http({
      node_capacity_type: 'SPOT',
      node_groups: [{ ...SPOT, capacity_type: 'ON_DEMAND', desired_size: 2 }],
    }),
  ],
  [
    'volumes with a key of their own',
    http({
      volume_kms_key_arn:
        'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    }),
  ],
  ['the Cluster Autoscaler', http({ node_autoscaler: 'cluster-autoscaler' })],
  [
    'the Cluster Autoscaler by EKS Pod Identity',
    http({ node_autoscaler: 'cluster-autoscaler', identity: 'pod_identity' }),
  ],
  [
    'the Cluster Autoscaler without Kubernetes objects',
    http({ node_autoscaler: 'cluster-autoscaler', manage_kubernetes: false }),
  ],
  ['a network that is named', http({ vpc_id: 'vpc-0a1b2c3d4e5f67890' })],
  [
    'a state in S3',
    {
      processing: { ...http().processing, state_bucket: 'states' },
      network: { state_bucket: 'states' },
    },
  ],
];

/** Settings that are allowed but unwise, with the rules that say so. */
const UNWISE: readonly (readonly [string, Settings, readonly string[]])[] = [
  ['one pod', http({ replicas: 1, max_replicas: 1 }), ['workload-has-two-pods']],
  [
    'delivery over http',
    http({ sns_endpoint_url: 'http://files.example.gov/', tls_certificate_arn: '' }),
    ['delivery-is-encrypted', 'load-balancer-terminates-tls'],
  ],
  ['no endpoint yet', http({ sns_endpoint_url: '' }), ['topic-has-subscription']],
  ['nobody to call', http({ alarm_topic_arn: '' }), ['alarms-have-actions']],
  [
    'no event notification',
    http({ create_s3_notifications: false }),
    ['bucket-has-event-notification'],
  ],
  [
    'no event notification of one of several buckets',
    http({
      buckets: [
        listedBucket('drop-box', { create_notifications: true }),
        listedBucket('letter-box'),
      ],
    }),
    ['bucket-has-event-notification'],
  ],
  ['no flow logs', { ...http(), network: { flow_logs: false } }, ['vpc-has-flow-log']],
  [
    'nodes with S3',
    http({ node_s3_access: true }),
    ['aws-policies-of-role', 'node-metadata-protected', 'network-policy-blocks-instance-metadata'],
  ],
  [
    'a public API',
    http({ cluster_endpoint_public_access_cidrs: ['203.0.113.0/24'] }),
    ['cluster-api-private'],
  ],
  [
    'an API that nobody reaches',
    http({ cluster_endpoint_private_access_cidrs: [] }),
    ['cluster-api-reachable'],
  ],
  ['one retry', http({ sns_retries: 1 }), ['delivery-is-retried']],
  [
    'a queue that gives up at once',
    { processing: { ...queue.processing, queue_max_receive_count: 1 } },
    ['queue-has-redrive'],
  ],
  [
    'a script on the nodes',
    http({ node_user_data: '#!/bin/sh\ncurl https://example.gov/ | sh\n' }),
    ['nodes-are-private'],
  ],
  [
    'privileged containers on the nodes',
    http({
      ami_type: 'BOTTLEROCKET_x86_64',
      node_user_data: '[settings.host-containers.admin]\nenabled = true\n',
    }),
    ['nodes-are-private'],
  ],
  ['Spot nodes alone', http({ node_capacity_type: 'SPOT' }), ['nodes-survive-updates']],
  [
    'nodes that may all go',
    http({ node_min_size: 0, node_autoscaler: 'cluster-autoscaler' }),
    ['nodes-survive-updates'],
  ],
  ['one image', http({ repository_keep_images: 1 }), ['images-are-kept']],
  ['logs of a month', { ...http(), network: { log_retention_days: 30 } }, ['logs-are-kept']],
];

/** What is left to say of the repository's environments, for the reasons that their waivers give. */
const ENVIRONMENTS = [
  [
    'etl-playground',
    ['alarms-have-actions', 'load-balancer-terminates-tls', 'topic-has-subscription'],
  ],
  [
    'complete',
    [
      ...['aws-policies-of-role', 'cluster-api-private', 'node-metadata-protected'],
      'network-policy-blocks-instance-metadata',
    ],
  ],
] as const;

/** Good changes, which no rule may mind. */
const GOOD_CHANGES: readonly (readonly [string, Change])[] = [
  ['a Job that checks one file', addJob],
  [
    'a quota with room',
    addObject('kubernetes_resource_quota_v1', 'room', {
      spec: { hard: { pods: '50', 'requests.cpu': '50', 'limits.memory': '100Gi' } },
    }),
  ],
  [
    'a policy that closes the namespace',
    addObject('kubernetes_network_policy_v1', 'closed', {
      spec: { pod_selector: {}, policy_types: ['Ingress', 'Egress'] },
    }),
  ],
  [
    'a budget by minAvailable',
    all(drop(BUDGET, 'spec.max_unavailable'), set(BUDGET, 'spec.min_available', '50%')),
  ],
  [
    'a fixed number of pods',
    all(remove(AUTOSCALER), drop(DEPLOYMENT, 'lifecycle'), set(DEPLOYMENT, 'spec.replicas', '3')),
  ],
  [
    'a preStop by sleep',
    set(DEPLOYMENT, `${MAIN}.lifecycle.pre_stop.0.exec.command`, ['sleep', '8']),
  ],
  [
    'pods kept apart by affinity in place of the spread over nodes',
    all(drop(DEPLOYMENT, `${POD}.topology_spread_constraint.1`), keepApart),
  ],
  [
    'nodes by architecture',
    set(DEPLOYMENT, `${POD}.node_selector`, { 'kubernetes.io/arch': 'amd64' }),
  ],
  ['a numbered target port', numberTheTargetPort],
];

/** Rules on what good stacks have none of. */
const UNSEEN = [...['job-is-cleaned-up', 'quota-leaves-room'], 'storage-is-encrypted'];

/** The rules that say something, each once. */
const rulesOf = (lines: readonly string[]) =>
  [...new Set(lines.map((line) => line.split(' ')[0]))].sort();

describe.each(KUBERNETES_NAMINGS)('all rules on a stack %s', (_, rename) => {
  it.each(GOOD)('say nothing of %s', (_name, settings) => {
    expect(findings(ALL_RULES, auditedOf(rename(stacksOf(settings))))).toEqual([]);
  });

  it.each(UNWISE)('say what is wrong with %s', (_name, settings, rules) => {
    expect(rulesOf(findings(ALL_RULES, auditedOf(rename(stacksOf(settings)))))).toEqual(
      [...rules].sort(),
    );
  });

  it.each(ENVIRONMENTS)('say of %s what is waived', (environment, rules) => {
    const stacks = rename(environmentStacks(environment));
    expect(rulesOf(findings(ALL_RULES, auditedOf(stacks)))).toEqual([...rules].sort());
  });
});

describe.each(KUBERNETES_NAMINGS)('all rules on objects of a stack %s', (_, naming) => {
  it.each(Object.keys(BASES) as Base[])('say nothing of the base %s', (base) => {
    expect(findingsAfter(ALL_RULES, naming(stacksOfBase(base)))).toEqual([]);
  });

  it.each(GOOD_CHANGES)('do not mind %s', (_name, change) => {
    expect(findingsAfter(ALL_RULES, naming(stacksOfBase('http')), change)).toEqual([]);
  });
});

describe('all rules', () => {
  it('have an id each', () => {
    expect(new Set(ALL_RULES.map(({ id }) => id)).size).toBe(ALL_RULES.length);
  });

  it.each(ALL_RULES.map((rule) => [rule.id, rule] as const))('describe %s', (id, rule) => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
    expect(rule.title).not.toBe('');
    expect(rule.control).toMatch(/^[A-Z]{2}-\d+(\(\d+\))?$/);
    expect(rule.reason.length).toBeGreaterThan(40);
  });

  it('are those of the register, each once', () => {
    expect(ALL_RULES.map(({ id }) => id).sort()).toEqual(Object.keys(REGISTER).sort());
  });

  it('are found by each former id, and by no present one', () => {
    const former = Object.entries(REGISTER).flatMap(([id, { formerly = [] }]) =>
      formerly.map((old) => [old, id]),
    );
    expect(former.map(([old = '']) => [old, currentId(old)])).toEqual(former);
    expect(former.filter(([old = '']) => Object.hasOwn(REGISTER, old))).toEqual([]);
  });

  it.each(['constructor', '__proto__'])('are none for %s, which stays itself', (id) => {
    expect(currentId(id)).toBe(id);
  });

  it('have something to look at, each', () => {
    const looked = [
      environmentStacks('complete'),
      stacksOf(QUEUE),
      stacksOf(BRIDGE),
      stacksOf({ processing: { job_runner: 'auto' } }),
      ...(['alb', 'http', 'existingSecret', 'backlog'] as const).map(stacksOfBase),
    ].map((stacks) => auditedOf(stacks));
    const unseen = ALL_RULES.filter(({ judge }) => !looked.some((one) => judge(one).length > 0));
    expect(unseen.map(({ id }) => id).sort()).toEqual(UNSEEN);
  });
});

/** A Job with a policy of its own, since no selector of the listener's may take its pods. */
function addJob(json: Json): void {
  const labels = argumentOf(json, DEPLOYMENT, `${TEMPLATE}.metadata.labels`) as Record<
    string,
    string
  >;
  const [selected = ''] = Object.keys(
    argumentOf(json, DEPLOYMENT, 'spec.selector.match_labels') as Json,
  );
  const own = { [selected]: 'one-file' };
  const pod = structuredClone(argumentOf(json, DEPLOYMENT, POD)) as Json;
  const [container] = pod.container as [Json];
  const { port, startup_probe, liveness_probe, readiness_probe, lifecycle, ...rest } = container;
  const { egress } = argumentOf(json, POLICY, 'spec') as Json;
  add(POLICY, 'one', {
    ...attributesOf(json, POLICY),
    metadata: { ...(argumentOf(json, POLICY, 'metadata') as Json), name: 'one-file' },
    spec: { egress, policy_types: ['Ingress', 'Egress'], pod_selector: { match_labels: own } },
  })(json);
  add('kubernetes_job_v1', 'one', {
    metadata: { ...(argumentOf(json, DEPLOYMENT, 'metadata') as Json), name: 'one-file' },
    depends_on: [...(attributesOf(json, DEPLOYMENT).depends_on as string[]), `${POLICY}.one`],
    spec: {
      backoff_limit: 2,
      active_deadline_seconds: 3600,
      ttl_seconds_after_finished: '86400',
      template: {
        metadata: { labels: { ...labels, ...own } },
        spec: {
          ...pod,
          restart_policy: 'Never',
          init_container: [],
          topology_spread_constraint: [],
          container: [{ ...rest, args: ['run', 's3_data_quality_job', '--event-json', '{}'] }],
        },
      },
    },
  })(json);
}

function keepApart(json: Json): void {
  set(DEPLOYMENT, `${POD}.affinity`, {
    pod_anti_affinity: {
      preferred_during_scheduling_ignored_during_execution: [
        {
          weight: 100,
          pod_affinity_term: {
            topology_key: 'kubernetes.io/hostname',
            label_selector: argumentOf(json, DEPLOYMENT, 'spec.selector'),
          },
        },
      ],
    },
  })(json);
}

function numberTheTargetPort(json: Json): void {
  const port = argumentOf(json, DEPLOYMENT, `${MAIN}.port.0.container_port`);
  set('kubernetes_service_v1', 'spec.port.0.target_port', port)(json);
}
