import { describe, expect, it } from 'vitest';
import { AWS_RULES } from '../../../../audit/rules/aws/aws-rules.ts';
import type { FileProcessingSettings } from '../../../../src/settings/file-processing-variables.ts';
import { findings } from '../../support/findings.ts';
import {
  auditedOf,
  environmentStacks,
  NAMINGS,
  QUEUE,
  type Settings,
  stacksOf,
} from '../../support/stacks.ts';

const http = (processing: Partial<FileProcessingSettings> = {}): Settings => ({
  processing: { sns_endpoint_url: 'https://files.example.gov/', ...processing },
});
const PROVIDER =
  'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.eks.us-gov-west-1.amazonaws.com/id/0123456789ABCDEF';
const DATABASE = { db_host: 'db.example.gov', db_name: 'etl_db', db_user: 'etl_user' };

/** Settings that are as they should be. */
const GOOD: readonly (readonly [string, Settings])[] = [
  ['delivery over https', http()],
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
  ['a database with a password', http(DATABASE)],
  [
    'a database with IAM',
    http({ ...DATABASE, db_iam_auth: true, db_resource_id: 'db-ABCDEFGHIJ' }),
  ],
  [
    'a database whose group lets the nodes in',
    http({ ...DATABASE, db_security_group_id: 'sg-0a1b2c3d' }),
  ],
  [
    'named administrators',
    http({ cluster_admin_arns: ['arn:aws-us-gov:iam::123456789012:role/etl-admin'] }),
  ],
  ['a queue', QUEUE],
  ['an Ingress', http({ ingress_class_name: 'nginx', ingress_host: 'files.example.gov' })],
  ['the AWS half alone', http({ manage_kubernetes: false })],
  ['a network that is named', http({ vpc_id: 'vpc-0a1b2c3d4e5f67890' })],
  [
    'a state in S3',
    {
      processing: { ...http().processing, state_bucket: 'states' },
      network: { state_bucket: 'states' },
    },
  ],
  ['one pod', http({ replicas: 1, max_replicas: 1 })],
];

/** Settings that are allowed but unwise, with the rules that say so. */
const UNWISE: readonly (readonly [string, Settings, readonly string[]])[] = [
  [
    'delivery over http',
    http({ sns_endpoint_url: 'http://files.example.gov/' }),
    ['delivery-is-encrypted'],
  ],
  ['no endpoint yet', {}, ['topic-has-subscription']],
  ['nobody to call', http({ alarm_topic_arn: '' }), ['alarms-call-somebody']],
  ['no announcements', http({ create_s3_notifications: false }), ['bucket-is-connected']],
  ['no flow logs', { ...http(), network: { flow_logs: false } }, ['vpc-has-flow-log']],
  [
    'nodes with S3',
    http({ node_s3_access: true }),
    ['aws-policies-of-role', 'node-metadata-protected'],
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
    { processing: { ...QUEUE.processing, queue_max_receive_count: 1 } },
    ['queue-has-redrive'],
  ],
  ['one image', http({ repository_keep_images: 1 }), ['images-are-kept']],
  ['logs of a month', { ...http(), network: { log_retention_days: 30 } }, ['logs-are-kept']],
];

/** What is left to say of the repository's environments, for the reasons that their waivers give. */
const ENVIRONMENTS = [
  ['etl-playground', ['alarms-call-somebody', 'topic-has-subscription']],
  ['complete', ['aws-policies-of-role', 'cluster-api-private', 'node-metadata-protected']],
] as const;

/** The rules that say something, whatever the number of resources that they say it of. */
const rulesOf = (lines: readonly string[]) =>
  [...new Set(lines.map((line) => line.split(' ')[0]))].sort();

describe.each(NAMINGS)('AWS_RULES on a stack %s', (_, rename) => {
  it.each(GOOD)('say nothing of %s', (_name, settings) => {
    expect(findings(AWS_RULES, auditedOf(rename(stacksOf(settings))))).toEqual([]);
  });

  it.each(UNWISE)('say what is wrong with %s', (_name, settings, rules) => {
    expect(rulesOf(findings(AWS_RULES, auditedOf(rename(stacksOf(settings)))))).toEqual(rules);
  });

  it.each(ENVIRONMENTS)('say of %s what is waived', (environment, rules) => {
    const stacks = rename(environmentStacks(environment));
    expect(rulesOf(findings(AWS_RULES, auditedOf(stacks)))).toEqual(rules);
  });
});

describe('AWS_RULES', () => {
  it('have an id each', () => {
    expect(new Set(AWS_RULES.map(({ id }) => id)).size).toBe(AWS_RULES.length);
  });

  it.each(AWS_RULES.map((rule) => [rule.id, rule] as const))('describe %s', (id, rule) => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
    expect(rule.control).toMatch(/^[A-Z]{2}-\d+(\(\d+\))?$/);
    expect(rule.reason.length).toBeGreaterThan(40);
  });

  it.each(AWS_RULES.map((rule) => [rule.id, rule] as const))(
    'have something to look at for %s',
    (_id, { judge }) => {
      const looked = [environmentStacks('complete'), stacksOf(QUEUE)].flatMap((stacks) =>
        judge(auditedOf(stacks)),
      );
      expect(looked).not.toEqual([]);
    },
  );
});
