import { describe, expect, it } from 'vitest';
import { fileProcessingVariables } from '../../../src/settings/file-processing-variables.ts';
import { foundationNetworkVariables } from '../../../src/settings/foundation-network-variables.ts';
import { resolveVariables } from '../../../src/settings/resolve-variables.ts';
import type { TfvarsValue } from '../../../src/settings/tfvars/tfvars-value.ts';
import type { VariableTable } from '../../../src/settings/variable.ts';

const resolve = (table: VariableTable, name: string, value: TfvarsValue) =>
  resolveVariables('x.tfvars', [{ file: 'x.tfvars', line: 1, name, value }], table);
const isFault = (table: VariableTable, name: string, value: TfvarsValue) =>
  resolve(table, name, value).faults.some(({ variable }) => variable?.startsWith(name));

describe.each([
  ['foundation_network', foundationNetworkVariables],
  ['file_processing', fileProcessingVariables],
])('every variable of %s', (_, table: VariableTable) => {
  it.each(Object.keys(table))('%s accepts its own example', (name) => {
    const variable = table[name];
    expect(
      resolve(table, name, variable?.example).faults.filter((f) => f.variable === name),
    ).toEqual([]);
  });

  it.each(Object.keys(table))(
    '%s says in a sentence what it does, and in words what is allowed',
    (name) => {
      expect(table[name]?.description).toMatch(/^[A-Z].*\.$/s);
      expect(table[name]?.allowed).not.toMatch(/\.$/);
    },
  );
});

const GROUP = { name: 'batch', instance_types: ['m6i.large'] };

describe('bad values', () => {
  it.each<[string, TfvarsValue]>([
    ['aws_region', 'us-iso-east-1'],
    ['aws_profile', 'two words'],
    ['tags', { 'aws:owner': 'x' }],
    ['log_retention_days', 100],
    ['state_bucket', 'Upper'],
    ['state_key_prefix', '/lead'],
    ['state_kms_key_arn', 'alias/x'],
    ['vpc_id', 'vpc-xyz'],
    ['cluster_name', '9lives'],
    ['cluster_name', 'x'.repeat(39)],
    ['kubernetes_version', '1.34.2'],
    ['cluster_support_type', 'standard'],
    ['addon_versions', { 'aws-ebs-csi-driver': 'v1.40.0-eksbuild.1' }],
    ['addon_versions', { coredns: '1.12.4' }],
    ['cluster_endpoint_public_access_cidrs', ['0.0.0.0/0']],
    ['cluster_endpoint_public_access_cidrs', ['203.0.113.7']],
    ['cluster_admin_arns', ['arn:aws-us-gov:sts::123456789012:assumed-role/admin/me']],
    ['cluster_admin_arns', ['arn:aws-us-gov:iam::123456789012:user/me']],
    ['node_instance_types', []],
    ['node_instance_types', ['t3']],
    ['node_max_size', 0],
    ['node_disk_size_gib', 8],
    ['oidc_thumbprint', '02:01:A9'],
    ['existing_oidc_provider_arn', 'arn:aws-us-gov:iam::123456789012:role/x'],
    ['bucket_name', 'a'],
    ['bucket_name', 'a..b'],
    ['bucket_name', '192.168.0.1'],
    ['bucket_name', 'xn--abc'],
    ['bucket_name', 'etl_files'],
    ['s3_prefixes', []],
    ['s3_prefixes', ['/abs/']],
    ['s3_prefixes', ['${aws:username}/']],
    ['s3_prefixes', ['no-slash']],
    ['s3_prefixes', ['a/', 'a/b/']],
    ['s3_suffix', '*.csv'],
    ['report_prefix', 'reports'],
    ['sns_topic_name', 'topic.fifo'],
    ['delivery', 'https'],
    ['notification', 'sqs'],
    ['sns_endpoint_url', 'files.example.gov'],
    ['sns_endpoint_url', 'https://user:password@files.example.gov/'],
    ['sns_endpoint_url', 'ftp://files.example.gov/'],
    ['alarm_topic_arn', 'on-call'],
    ['repository_name', 'Upper/Case'],
    ['image', 'two words'],
    ['image', 'repo@sha256:123'],
    ['namespace', 'kube-system'],
    ['namespace', 'default'],
    ['annotations', { 'eks.amazonaws.com/role-arn': 'x' }],
    ['annotations', { 'two words': 'x' }],
    ['annotations', { 'a/b/c': 'x' }],
    ['pod_monitor_labels', { 'a..b/c': 'x' }],
    ['node_groups', [{ ...GROUP, labels: { 'a..b/c': 'x' } }]],
    ['node_groups', [{ ...GROUP, taints: ['a//b=c:NoSchedule'] }]],
    ['replicas', 0],
    ['cpu_request', '0'],
    ['memory_limit', '512'],
    ['reconciliation_schedule', 'daily'],
    ['reconciliation_schedule', '@daily'],
    ['reconciliation_schedule', '17 4 * *'],
    ['reconciliation_schedule', '17 4 * * * *'],
    ['reconciliation_schedule', '60 4 * * *'],
    ['reconciliation_schedule', '17 4 * * 7'],
    ['reconciliation_schedule', '17 5-4 * * *'],
    ['reconciliation_schedule', '*/0 4 * * *'],
    ['reconciliation_schedule', '17 4,, * * *'],
    ['tls_certificate_arn', 'abc'],
    ['load_balancer_class', 'service.k8s.aws/nlb/x'],
    ['load_balancer_class', '-nlb'],
    ['load_balancer_class', 'Service.k8s.aws/nlb'],
    ['http_proxy', 'proxy.example.gov:3128'],
    ['http_proxy', 'http://proxy.example.gov'],
    ['http_proxy', 'http://user:secret@proxy.example.gov:3128'],
    ['http_proxy', 'http://proxy.example.gov:70000'],
    ['http_proxy', 'http://proxy.example.gov:3128/path'],
    ['no_proxy', ['10.0.0.0/8']],
    ['no_proxy', ['*']],
    ['no_proxy', ['a,b']],
    ['image_pull_secrets', ['Registry']],
    ['image_pull_secrets', ['a', 'a']],
    ['client_weights', { nm_taos: '0' }],
    ['client_weights', { nm_taos: '101' }],
    ['client_weights', { nm_taos: '1.5' }],
    ['extra_environment', { 'A-B': 'x' }],
    ['extra_environment', { AWS_SECRET_ACCESS_KEY: 'x' }],
    ['extra_environment', { NODE_OPTIONS: '--inspect' }],
    ['ingress_host', 'a b'],
    ['db_host', 'http://db'],
    ['db_port', 70_000],
    ['db_schema', 'public'],
    ['db_security_group_id', 'default'],
    ['db_resource_id', 'etl-db'],
  ])('%s refuses %j', (name, value) => {
    expect(isFault(fileProcessingVariables, name, value)).toBe(true);
  });

  it.each<[string, TfvarsValue]>([
    ['name_prefix', '1st'],
    ['vpc_cidr', '10.0.0.0/8'],
    ['vpc_cidr', '10.0.0.1/16'],
    ['availability_zones', ['us-gov-west-1a']],
    ['availability_zones', ['us-gov-west-1a', 'us-gov-west-1a']],
    ['public_subnet_cidrs', ['10.0.0.0/24']],
    ['public_subnet_cidrs', ['10.0.0.0/24', '10.0.1.0/29']],
    ['nat_gateways', 'none'],
    ['interface_endpoints', ['sns']],
    ['interface_endpoints', ['sts', 'sts']],
  ])('%s refuses %j', (name, value) => {
    expect(isFault(foundationNetworkVariables, name, value)).toBe(true);
  });
});

it.each(['', '0 0 1 1 0', '*/15 0-6/2 1,15 * 1-5', '59 23 31 12 6'])(
  'reconciliation_schedule takes %j',
  (schedule) => {
    expect(isFault(fileProcessingVariables, 'reconciliation_schedule', schedule)).toBe(false);
  },
);

describe('the permissions boundary', () => {
  it.each([
    ['arn:aws-us-gov:iam::aws:policy/PowerUserAccess', false],
    ['arn:aws-us-gov:iam::123456789012:policy/etl/boundary', false],
    ['arn:aws-us-gov:iam:::policy/boundary', true],
    ['arn:aws-us-gov:iam::123456789012:role/boundary', true],
  ])('%s is a fault: %s', (arn, expected) => {
    expect(isFault(fileProcessingVariables, 'permissions_boundary_arn', arn)).toBe(expected);
  });
});

describe('unwise values', () => {
  it.each<[string, TfvarsValue, RegExp]>([
    ['kubernetes_version', '1.29', /GovCloud lags behind/],
    [
      'cluster_endpoint_public_access_cidrs',
      ['203.0.113.0/24'],
      /from the internet by 203\.0\.113\.0\/24/,
    ],
    ['node_s3_access', true, /every bucket of the account/],
    ['sns_endpoint_url', 'http://files.example.gov/', /unencrypted/],
    ['image', 'example.com/etl-file-processing:latest', /by its digest/],
    ['replicas', 1, /without a gap/],
    ['log_retention_days', 7, /at least 90 days/],
    ['tags', { owner: 'A "B"' }, /^owner has characters that most services refuse in a tag/],
    ['tags', { 'a,b': 'c' }, /^a,b has characters/],
  ])('%s = %j works, with a warning', (name, value, message) => {
    const { warnings } = resolve(fileProcessingVariables, name, value);
    expect(isFault(fileProcessingVariables, name, value)).toBe(false);
    expect(warnings.find(({ variable }) => variable === name)?.message).toMatch(message);
  });
});
