import { describe, expect, it } from 'vitest';
import {
  checkFileProcessing,
  warnFileProcessing,
} from '../../../src/settings/check-file-processing.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { fileProcessingSettings, listedBucket } from '../../support/settings.ts';

type Overrides = Partial<FileProcessingSettings>;

const KEY = 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/abc';
const ROLE = 'arn:aws-us-gov:iam::123456789012:role/etl-deploy';
const CERTIFICATE = 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/abc';
const DATABASE: Overrides = { db_host: 'db.example.gov', db_name: 'etl', db_user: 'etl' };

const check = (overrides: Overrides) =>
  checkFileProcessing(
    { ...fileProcessingSettings(), ...overrides },
    new Set(Object.keys(overrides)),
  );

/** A place of copies, in the bucket of the deliveries. */
const place = (more: object) => ({
  ...{ bucket: 'drop-box', prefix: 'checked/', kms_key_arn: '', account_id: '' },
  ...more,
});

describe('a variable that is at fault by itself', () => {
  const elsewhere = (arn: string) => arn.replace('aws-us-gov', 'aws');
  const settings: Overrides = {
    ...{ alarm_topic_arn: elsewhere('arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call') },
    ...{ tls_certificate_arn: elsewhere(CERTIFICATE), volume_kms_key_arn: elsewhere(KEY) },
    ...{ cluster_admin_arns: [elsewhere(ROLE)], permissions_boundary_arn: elsewhere(ROLE) },
    ...{ state_role_arn: ROLE, no_proxy: ['example.gov'] },
    routing_targets: [place({ kms_key_arn: elsewhere(KEY) })],
  };

  it.each([
    ['existing_topic_arn'],
    ['assume_role_arn'],
    ['extra_environment'],
    ['bucket_kms_key_arn'],
  ])('%s hides no fault of another', (name) => {
    const faults = checkFileProcessing(
      { ...fileProcessingSettings(), ...settings },
      new Set(Object.keys(settings)),
      new Set([name]),
    );
    expect(faults.map(({ variable }) => variable)).toEqual(
      expect.arrayContaining([
        ...['alarm_topic_arn', 'tls_certificate_arn', 'volume_kms_key_arn'],
        ...['cluster_admin_arns', 'permissions_boundary_arn', 'state_role_arn', 'no_proxy'],
        'routing_targets[0].kms_key_arn',
      ]),
    );
  });
});

describe('autoscaling by backlog', () => {
  it('needs a database that KEDA can find', () => {
    expect(check({ ...DATABASE, autoscaling: 'backlog' })).toEqual([]);
    expect(check({ autoscaling: 'backlog' })).toEqual([
      { variable: 'db_host', message: expect.stringContaining('KEDA counts') },
    ]);
  });

  it.each(['etl', 'file_processing_migrator', 'postgres_admin'])(
    'does not sign in as %s',
    (scaler_user) => {
      expect(check({ ...DATABASE, autoscaling: 'backlog', scaler_user })).toEqual([
        { variable: 'scaler_user', message: expect.stringContaining('name a role of its own') },
      ]);
    },
  );

  it('has room to scale, and no target of CPU', () => {
    const faults = check({
      ...{ ...DATABASE, autoscaling: 'backlog' },
      ...{ replicas: 3, max_replicas: 3, target_cpu_percent: 50 },
    });
    expect(faults.map(({ variable }) => variable)).toEqual(['max_replicas', 'target_cpu_percent']);
  });

  it('has settings of its own, which mean nothing without it', () => {
    const own: Overrides = {
      ...{ backlog_per_pod: 9, scaler_user: 'etl_scaler', scaler_ssl_mode: 'require' },
      ...{ scaler_password: 'x', scaler_password_revision: 2 },
    };
    expect(check({ ...DATABASE, ...own, autoscaling: 'backlog' })).toEqual([]);
    expect(
      check({ ...DATABASE, ...own })
        .map(({ variable }) => variable)
        .sort(),
    ).toEqual(Object.keys(own).sort());
  });
});

it('headers of a collector mean nothing without one', () => {
  const headers = { otlp_headers_revision: 1 };
  expect(check({ ...headers, otlp_endpoint: 'https://otlp.example.gov' })).toEqual([]);
  expect(check(headers)).toMatchObject([{ variable: 'otlp_headers_revision' }]);
});

describe('the console', () => {
  const ORIGIN = { CONSOLE_ORIGIN: 'https://deliveries.example.gov' };
  const GRANTS = { CONSOLE_GRANTS: '[{"group":"data-team","rights":["look"]}]' };
  const OIDC = {
    CONSOLE_OIDC_ISSUER: 'https://login.example.gov',
    CONSOLE_OIDC_CLIENT_ID: 'file-processing',
  };
  const named = (console_variables: Record<string, string>) =>
    check({ console: true, console_variables }).map(({ message }) => message);

  it.each([{}, { ...ORIGIN, ...GRANTS }, { ...ORIGIN, ...GRANTS, ...OIDC }])(
    'may have %j',
    (variables) => {
      expect(named(variables)).toEqual([]);
    },
  );

  it('is not set up where it is not served', () => {
    const faults = check({ console_clients: ['ingress-nginx'], console_variables: ORIGIN });
    expect(faults.map(({ variable }) => variable)).toEqual([
      'console_clients',
      'console_variables',
    ]);
  });

  it('is refused with what the listener would refuse', () => {
    expect(named({ CONSOLE_IDLE_MINUTES: '0' })).toEqual([
      expect.stringContaining('CONSOLE_IDLE_MINUTES="0"'),
    ]);
  });

  it.each([
    [GRANTS, 'CONSOLE_ORIGIN'],
    [OIDC, 'CONSOLE_ORIGIN, CONSOLE_GRANTS'],
    [{ ...ORIGIN, CONSOLE_OIDC_CLIENT_ID: 'x' }, 'CONSOLE_OIDC_ISSUER'],
  ])('is refused with %j alone', (variables, missing) => {
    expect(named(variables)).toEqual([`must have ${missing} too, so that people can sign in`]);
  });
});

describe('a cluster of others', () => {
  const EXISTING: Overrides = { create_cluster: false, cluster_name: 'shared' };

  it('needs no more than its name', () => {
    expect(check(EXISTING)).toEqual([]);
  });

  it('must be named', () => {
    expect(check({ create_cluster: false })).toEqual([
      { variable: 'cluster_name', message: 'must be given with create_cluster = false' },
    ]);
  });

  it('brings a fault for each setting that would be of it, all at once', () => {
    const settings: Overrides = {
      vpc_id: 'vpc-0a1b2c3d4e5f67890',
      kubernetes_version: '1.35',
      cluster_support_type: 'STANDARD',
      addon_versions: { coredns: 'v1.12.4-eksbuild.1' },
      cluster_endpoint_private_access_cidrs: ['10.0.0.0/16'],
      cluster_admin_arns: ['arn:aws-us-gov:iam::123456789012:role/admin'],
      node_group_name: 'nodes',
      node_min_size: 1,
      node_s3_access: false,
    };
    const faults = check({ ...EXISTING, ...settings });
    expect(faults.map(({ variable }) => variable).sort()).toEqual(Object.keys(settings).sort());
    expect(new Set(faults.map(({ message }) => message))).toEqual(
      new Set(['must be left out with create_cluster = false: the cluster belongs to others']),
    );
  });

  it('takes settings that are empty for left out', () => {
    const empty = { kubernetes_version: '', addon_versions: {}, cluster_admin_arns: [] };
    expect(check({ ...EXISTING, ...empty })).toEqual([]);
  });

  it('brings the fault of a setting also where another one is wrong by itself', () => {
    const overrides = { ...EXISTING, node_min_size: 1, kubernetes_version: '1.35' };
    const faults = checkFileProcessing(
      { ...fileProcessingSettings(), ...overrides },
      new Set(Object.keys(overrides)),
      new Set(['kubernetes_version']),
    );
    expect(faults.map(({ variable }) => variable)).toEqual(['node_min_size']);
  });

  it('alone has a security group of nodes to be told', () => {
    const group = { node_security_group_id: 'sg-0123456789abcdef0' };
    expect(check({ ...EXISTING, ...group })).toEqual([]);
    expect(check(group).map(({ variable }) => variable)).toEqual(['node_security_group_id']);
  });
});

describe('faults between variables', () => {
  it.each<[string, Overrides, string, RegExp]>([
    [
      'fewer nodes wanted than the fewest',
      { node_min_size: 3 },
      'node_min_size',
      /3 must not be more than node_desired_size 2/,
    ],
    [
      'more nodes wanted than the most',
      { node_desired_size: 5 },
      'node_max_size',
      /3 must not be less than node_desired_size 5/,
    ],
    [
      'an autoscaler that may not reach the replicas',
      { replicas: 4, max_replicas: 2 },
      'max_replicas',
      /2 must not be less than replicas 4/,
    ],
    [
      'FIPS endpoints where AWS has none',
      { aws_region: 'eu-central-1', fips_endpoints: true },
      'fips_endpoints',
      /must be false in aws_region eu-central-1/,
    ],
    [
      'FIPS endpoints for a state where AWS has none',
      {
        ...{ aws_region: 'us-east-1', fips_endpoints: true },
        ...{ state_bucket: 'etl-state', state_region: 'eu-west-1' },
      },
      'fips_endpoints',
      /must be false in state_region eu-west-1/,
    ],
    [
      'a variable of the listener among those of others',
      { extra_environment: { TZ: 'UTC', LOG_LEVEL: 'debug', DB_PASSWORD_FILE: '/x' } },
      'extra_environment',
      /^LOG_LEVEL, DB_PASSWORD_FILE must be left out: .* Its own are PORT, .*MAX_FAULTS, .*HTTPS_PROXY/,
    ],
    [
      'a variable of the proxy among those of others',
      { extra_environment: { HTTPS_PROXY: 'http://proxy.example.gov:3128' } },
      'extra_environment',
      /^HTTPS_PROXY must be left out/,
    ],
    [
      'hosts without a proxy to go around',
      { no_proxy: ['.example.gov'] },
      'no_proxy',
      /must be empty without http_proxy/,
    ],
    [
      'FIPS endpoints in China',
      { aws_region: 'cn-north-1', fips_endpoints: true },
      'fips_endpoints',
      /must be false in aws_region cn-north-1/,
    ],
    [
      'a class of a load balancer with a queue',
      { delivery: 'sqs', load_balancer_class: 'service.k8s.aws/nlb' },
      'load_balancer_class',
      /must be empty with delivery = "sqs"/,
    ],
    [
      'a class of a load balancer with an Ingress',
      { ingress_class_name: 'alb', ingress_host: 'a.gov', load_balancer_class: 'a/b' },
      'load_balancer_class',
      /must be empty with ingress_class_name/,
    ],
    [
      'a prefix that makes a role name too long for IAM',
      { iam_role_name_prefix: 'p'.repeat(23), cluster_name: 'c'.repeat(23) },
      'iam_role_name_prefix',
      /a role's name of 65 characters; must be at most 64/,
    ],
    [
      'a permissions boundary of another partition',
      { permissions_boundary_arn: 'arn:aws:iam::123456789012:policy/boundary' },
      'permissions_boundary_arn',
      /is in partition aws; aws_region us-gov-west-1 is in aws-us-gov/,
    ],
    [
      'a permissions boundary of another account',
      {
        account_id: '210987654321',
        permissions_boundary_arn: 'arn:aws-us-gov:iam::123456789012:policy/boundary',
      },
      'permissions_boundary_arn',
      /is in account 123456789012, account_id is 210987654321/,
    ],
    [
      'reports inside a notified prefix',
      { report_prefix: 'from_client/reports/' },
      'report_prefix',
      /outside s3_prefixes \(from_client\/\)/,
    ],
    [
      'a notified prefix inside the reports',
      { s3_prefixes: ['data_quality_reports/in/'] },
      'report_prefix',
      /outside s3_prefixes/,
    ],
    [
      'reports inside a prefix of one of several buckets',
      {
        bucket_name: '',
        buckets: [listedBucket('one'), listedBucket('two', { prefixes: ['in/'] })],
        report_prefix: 'in/reports/',
      },
      'report_prefix',
      /^in\/reports\/ must lie outside buckets\[1\]\.prefixes \(in\/\)/,
    ],
    [
      'copies where clients deliver',
      { routing_targets: [place({ prefix: 'from_client/checked/' })] },
      'routing_targets[0].prefix',
      /^from_client\/checked\/ must lie outside s3_prefixes \(from_client\/\), where clients deliver/,
    ],
    [
      'deliveries where files are copied to',
      { s3_prefixes: ['checked/in/'], routing_targets: [place({})] },
      'routing_targets[0].prefix',
      /^checked\/ must lie outside s3_prefixes/,
    ],
    [
      'copies among reports',
      { routing_targets: [place({ prefix: 'data_quality_reports/checked/' })] },
      'routing_targets[0].prefix',
      /must lie outside report_prefix/,
    ],
    [
      'copies where rules are read',
      { rules_location: 's3://drop-box/checked/rules/', routing_targets: [place({})] },
      'routing_targets[0].prefix',
      /must lie outside rules_location/,
    ],
    [
      'copies into a bucket that is said to be of two accounts',
      {
        trusted_accounts: ['210987654321'],
        routing_targets: [
          place({ bucket: 'theirs', account_id: '210987654321' }),
          place({ bucket: 'theirs', prefix: 'more/' }),
        ],
      },
      'routing_targets[1].account_id',
      /^must be 210987654321, as the bucket theirs has it elsewhere/,
    ],
    [
      'a key of copies in another partition',
      {
        routing_targets: [
          place({
            bucket: 'other',
            kms_key_arn: 'arn:aws:kms:us-east-1:123456789012:key/0b1e6f4c',
          }),
        ],
      },
      'routing_targets[0].kms_key_arn',
      /is in partition aws/,
    ],
    [
      'a key of rules that are not in S3',
      { rules_kms_key_arn: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c' },
      'rules_kms_key_arn',
      /needs rules_location/,
    ],
    [
      'rules where clients deliver',
      { s3_prefixes: ['in/'], rules_location: 's3://drop-box/in/rules/' },
      'rules_location',
      /^in\/rules\/ must lie outside s3_prefixes \(in\/\), where clients deliver/,
    ],
    [
      'rules where reports are written',
      { s3_prefixes: ['in/'], rules_location: 's3://drop-box/data_quality_reports/rules/' },
      'rules_location',
      /must lie outside report_prefix/,
    ],
    [
      'no bucket at all',
      { bucket_name: '' },
      'bucket_name',
      /^is required; must be a bucket name: 3 to 63 lower-case letters/,
    ],
    [
      'one bucket beside several',
      { bucket_name: 'one', buckets: [listedBucket('one')] },
      'bucket_name',
      /^must not be given with buckets, each of which has its own name$/,
    ],
    [
      'a suffix beside several buckets',
      { s3_suffix: '.csv', buckets: [listedBucket('one')] },
      's3_suffix',
      /^must not be given with buckets, each of which has its own suffix$/,
    ],
    [
      'a bucket that is named twice',
      { buckets: [listedBucket('one'), listedBucket('two'), listedBucket('one')] },
      'buckets[2].name',
      /^one is that of buckets\[0\] too/,
    ],
    [
      'notifications of the bucket of another account',
      {
        buckets: [listedBucket('one', { account_id: '210987654321', create_notifications: true })],
      },
      'buckets[0].create_notifications',
      /^must be false: the bucket is of account 210987654321/,
    ],
    [
      'a key of another partition of one of several buckets',
      { buckets: [listedBucket('one', { kms_key_arn: KEY.replace('aws-us-gov', 'aws') })] },
      'buckets[0].kms_key_arn',
      /is in partition aws; aws_region us-gov-west-1 is in aws-us-gov/,
    ],
    [
      'retry waits the wrong way round',
      { sns_retry_min_delay_seconds: 90 },
      'sns_retry_min_delay_seconds',
      /90 must not be more than sns_retry_max_delay_seconds 60/,
    ],
    [
      'retries that take longer than SNS does',
      { sns_retries: 100 },
      'sns_retries',
      /take 5450 seconds; must be at most 3600/,
    ],
    [
      'a retention that ends while a message can still come',
      { retention_days: 41 },
      'retention_days',
      /^41 must not be less than 42: a message could be forgotten and then be taken a second time$/,
    ],
    [
      'an endpoint in queue mode',
      { delivery: 'sqs', sns_endpoint_url: 'https://a.example/' },
      'sns_endpoint_url',
      /must be empty with delivery = "sqs", .* both_deliveries = true keeps it/,
    ],
    [
      'an Ingress in queue mode',
      { delivery: 'sqs', ingress_class_name: 'alb' },
      'ingress_class_name',
      /must be empty with delivery = "sqs"/,
    ],
    [
      'a certificate of a load balancer that an Ingress replaces',
      { ingress_class_name: 'alb', ingress_host: 'a.example', tls_certificate_arn: CERTIFICATE },
      'tls_certificate_arn',
      /must be empty with ingress_class_name/,
    ],
    [
      'an Ingress without a host',
      { ingress_class_name: 'alb' },
      'ingress_host',
      /must be given with ingress_class_name/,
    ],
    [
      'a host without an Ingress',
      { ingress_host: 'a.example' },
      'ingress_host',
      /must be empty without ingress_class_name/,
    ],
    [
      'http to a load balancer that only speaks TLS',
      { tls_certificate_arn: CERTIFICATE, sns_endpoint_url: 'http://a.example/' },
      'sns_endpoint_url',
      /must be https with tls_certificate_arn/,
    ],
    [
      'a database without a name',
      { ...DATABASE, db_name: '' },
      'db_name',
      /must be given with db_host/,
    ],
    [
      'a database without a user',
      { ...DATABASE, db_user: '' },
      'db_user',
      /must be given with db_host/,
    ],
    [
      'IAM authentication of an unknown database',
      { ...DATABASE, db_iam_auth: true },
      'db_resource_id',
      /must be given with db_iam_auth/,
    ],
    [
      'a migrator of others',
      { ...DATABASE, db_migrator_user: 'm' },
      'db_migrator_user',
      /is for database = "on_demand" alone/,
    ],
    [
      'a listener that migrates',
      { database: 'on_demand', db_user: 'one', db_migrator_user: 'one' },
      'db_migrator_user',
      /one is db_user too: name another user/,
    ],
    [
      'a migrator that is the listener by default',
      { database: 'on_demand', db_migrator_user: 'file_processing' },
      'db_migrator_user',
      /file_processing is db_user too/,
    ],
    [
      'a migrator that is the master user',
      { database: 'on_demand', db_migrator_user: 'postgres_admin' },
      'db_migrator_user',
      /postgres_admin administers the database: name another user/,
    ],
    [
      'a listener that is the master user',
      { database: 'on_demand', db_user: 'postgres_admin' },
      'db_user',
      /postgres_admin administers the database: name another user/,
    ],
    [
      "a ServiceAccount that is a Job's",
      { database: 'on_demand', service_account_name: 'file-processing-database-migrate' },
      'service_account_name',
      /is the ServiceAccount of a Job/,
    ],
    [
      'a way in to a database that is not named',
      { db_security_group_id: 'sg-12345678' },
      'db_host',
      /must be given with db_security_group_id/,
    ],
    [
      'an ARN of another partition',
      { bucket_kms_key_arn: KEY.replace('aws-us-gov', 'aws') },
      'bucket_kms_key_arn',
      /is in partition aws; aws_region us-gov-west-1 is in aws-us-gov/,
    ],
    [
      'an administrator of another partition',
      { cluster_admin_arns: ['arn:aws:iam::123456789012:role/a'] },
      'cluster_admin_arns',
      /is in partition aws;/,
    ],
    [
      'a role to assume in another account than the one to deploy to',
      { account_id: '210987654321', assume_role_arn: ROLE },
      'assume_role_arn',
      /is in account 123456789012; the provider takes credentials of account_id 210987654321 alone/,
    ],
    [
      'a role to assume in another partition',
      { assume_role_arn: ROLE.replace('aws-us-gov', 'aws') },
      'assume_role_arn',
      /is in partition aws;/,
    ],
    [
      'a role of a state that is a local file',
      { state_role_arn: ROLE },
      'state_role_arn',
      /must be empty without state_bucket/,
    ],
    [
      'an external id of no role',
      { assume_role_external_id: 'etl' },
      'assume_role_external_id',
      /must be empty without assume_role_arn and state_role_arn/,
    ],
    [
      'an external id that kubectl cannot give',
      { assume_role_arn: ROLE, assume_role_external_id: 'etl' },
      'assume_role_external_id',
      /must be empty with manage_kubernetes = true.*make a profile/,
    ],
    [
      'an OIDC provider beside EKS Pod Identity',
      {
        identity: 'pod_identity',
        existing_oidc_provider_arn: 'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.eks/id/A',
      },
      'existing_oidc_provider_arn',
      /must be empty with identity = "pod_identity".*both_identities = true keeps it/,
    ],
    [
      'a topic of another region',
      { existing_topic_arn: 'arn:aws-us-gov:sns:us-gov-east-1:123456789012:new-files' },
      'existing_topic_arn',
      /must be in aws_region us-gov-west-1/,
    ],
    [
      "the stack's own topic as one of others",
      {
        account_id: '123456789012',
        existing_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic',
      },
      'existing_topic_arn',
      /is the topic that the stack makes without it; leave it out, or give sns_topic_name another/,
    ],
    ...(['volume_kms_key_arn', 'rules_kms_key_arn', 'bucket_kms_key_arn'] as const).map(
      (variable): [string, Overrides, string, RegExp] => [
        `a key of another region as ${variable}`,
        { rules_location: 's3://agency-rules/rules/', [variable]: KEY.replace('west', 'east') },
        variable,
        /^arn:\S+ must be in aws_region us-gov-west-1$/,
      ],
    ),
    [
      'tags that IAM takes for the same',
      { tags: { owner: 'a', Owner: 'b' } },
      'tags',
      /^must not have Owner beside owner: IAM does not tell upper from lower case in keys$/,
    ],
    [
      'a tag that IAM takes for one of ours',
      { tags: { environment: 'prod' } },
      'tags',
      /^must not have environment beside Environment, which every resource has: IAM/,
    ],
    [
      'a key of a state that is a local file',
      { state_kms_key_arn: KEY },
      'state_kms_key_arn',
      /must be empty without state_bucket: a local file is not encrypted/,
    ],
    [
      'a key of another partition for the state',
      { state_bucket: 'etl-state', state_kms_key_arn: KEY.replace('aws-us-gov', 'aws') },
      'state_kms_key_arn',
      /is in partition aws; aws_region us-gov-west-1 is in aws-us-gov/,
    ],
    [
      'a key of another region than the state',
      { state_bucket: 'etl-state', state_region: 'us-gov-east-1', state_kms_key_arn: KEY },
      'state_kms_key_arn',
      /must be in state_region us-gov-east-1/,
    ],
    [
      'a certificate of another region',
      { tls_certificate_arn: CERTIFICATE.replace('west', 'east') },
      'tls_certificate_arn',
      /must be in aws_region us-gov-west-1/,
    ],
  ])('name %s', (_, overrides, variable, message) => {
    expect(check(overrides)).toContainEqual({ variable, message: expect.stringMatching(message) });
  });

  it('name no tag that takes the place of ours', () => {
    expect(check({ tags: { Environment: 'prod', Owner: 'etl' } })).toEqual([]);
  });

  it('name an endpoint that no listener could confirm', () => {
    const message = 'must be empty as long as image is: nothing could confirm it';
    const endpoint = { sns_endpoint_url: 'https://a.example/' };
    expect(check(endpoint)).toContainEqual({ variable: 'sns_endpoint_url', message });
    expect(check({ ...endpoint, image: 'a@sha256:0' })).toEqual([]);
    expect(check({ ...endpoint, manage_kubernetes: false })).toEqual([]);
  });

  it('are none where the account of a bucket is the own one', () => {
    const own = { account_id: '210987654321', create_notifications: true };
    const buckets = [listedBucket('one', own)];
    expect(check({ account_id: '210987654321', buckets })).toEqual([]);
  });

  it('are none in the defaults', () => {
    expect(check({})).toEqual([]);
  });

  it('leave an old file alone that asks for more replicas than the default autoscaler has', () => {
    expect(check({ replicas: 8 })).toEqual([]);
  });

  it('accept an Ingress that takes its host from the endpoint', () => {
    const endpoint = { sns_endpoint_url: 'https://a.example/', image: 'a@sha256:0' };
    expect(check({ ingress_class_name: 'alb', ...endpoint })).toEqual([]);
  });
});

describe('warnings between variables', () => {
  const NOTIFIED = { create_s3_notifications: true };
  const warn = (
    overrides: Overrides,
    secrets: readonly string[] = [],
    now = new Date('2026-11-28T12:00:00Z'),
  ) =>
    warnFileProcessing(
      { ...fileProcessingSettings(NOTIFIED), ...overrides },
      new Set(secrets),
      now,
    );
  const reachable = { cluster_endpoint_private_access_cidrs: ['10.0.0.0/24'] };

  it.each<[string, Overrides, string, RegExp]>([
    [
      'https to a load balancer without a certificate',
      { sns_endpoint_url: 'https://a.example/' },
      'sns_endpoint_url',
      /listens on port 80 only/,
    ],
    [
      'access logs that stay empty',
      { access_logs_bucket: 'logs' },
      'access_logs_bucket',
      /stays empty/,
    ],
    [
      'a thumbprint for the provider of others',
      { existing_oidc_provider_arn: 'arn', oidc_thumbprint: 'a' },
      'oidc_thumbprint',
      /is not used/,
    ],
    [
      'a thumbprint without a provider',
      { identity: 'pod_identity', oidc_thumbprint: 'a' },
      'oidc_thumbprint',
      /is not used: identity = "pod_identity"/,
    ],
    [
      'a cluster that nobody can deploy to',
      {},
      'cluster_endpoint_public_access_cidrs',
      /nobody can deploy the Kubernetes objects/,
    ],
    [
      'a Secret that nobody needs',
      { db_iam_auth: true, existing_secret_name: 'a' },
      'existing_secret_name',
      /is not used/,
    ],
    [
      'an age that late deliveries have',
      { sns_max_age_seconds: 3599 },
      'sns_max_age_seconds',
      /at a late try is refused/,
    ],
    [
      'an age that leaves time for a replay',
      { sns_max_age_seconds: 86_401 },
      'sns_max_age_seconds',
      /replayed/,
    ],
    [
      'a key of an account that nobody trusts',
      { account_id: '210987654321', bucket_kms_key_arn: KEY },
      'bucket_kms_key_arn',
      /^is of account 123456789012, which is neither account_id 210987654321 nor in trusted_accounts$/,
    ],
    [
      'a registry of an account that nobody trusts',
      {
        account_id: '210987654321',
        trusted_accounts: ['111111111111'],
        image: '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/a@sha256:0',
      },
      'image',
      /^is of account 123456789012/,
    ],
    [
      'a bucket that nobody notifies of',
      { create_s3_notifications: false },
      'create_s3_notifications',
      /^is false: nothing tells the topic about new objects until the bucket is configured/,
    ],
    [
      'one of several buckets that nobody notifies of',
      { buckets: [listedBucket('one', { create_notifications: true }), listedBucket('two')] },
      'buckets[1].create_notifications',
      /^is false: nothing tells the topic about new objects until the bucket is configured/,
    ],
    [
      'what the owner of a bucket has to do',
      { buckets: [listedBucket('one', { account_id: '210987654321' })] },
      'buckets[0].create_notifications',
      /until account 210987654321 sends them.*s3-configure-notifications --print/,
    ],
    ['a database by its address', { db_host: '10.0.0.5' }, 'db_host', /name the host/],
    ['a listener without a database', { image: 'a@sha256:0' }, 'db_host', /has no database/],
  ])('name %s', (_, overrides, variable, message) => {
    expect(warn(overrides)).toContainEqual({ variable, message: expect.stringMatching(message) });
  });

  it.each([3600, 86_400])('are none about an age of %i seconds', (age) => {
    expect(warn({ ...reachable, sns_max_age_seconds: age })).toEqual([]);
  });

  it.each<[string, Overrides]>([
    ['a trusted account', { account_id: '210987654321', trusted_accounts: ['123456789012'] }],
    ['the own account', { account_id: '123456789012' }],
    ['any account where the own one is not named', {}],
  ])('are none about an ARN of %s', (_, accounts) => {
    expect(warn({ ...reachable, ...accounts, bucket_kms_key_arn: KEY })).toEqual([]);
  });

  it('are none about a key of the account that owns its bucket', () => {
    const buckets = [listedBucket('one', { account_id: '123456789012', kms_key_arn: KEY })];
    expect(warn({ ...reachable, account_id: '210987654321', buckets })).not.toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('trusted_accounts') }),
    );
  });

  it('say where a password in the file has to go', () => {
    expect(warn(reachable, ['db_password'])).toStrictEqual([
      { variable: 'db_password', message: expect.stringMatching(/TF_VAR_db_password/) },
    ]);
  });

  it('are none about a listener that has its database', () => {
    expect(warn({ image: 'a@sha256:0', ...DATABASE, ...reachable })).toEqual([]);
  });
});

describe('events by EventBridge', () => {
  const BRIDGE: Overrides = {
    notification: 'eventbridge',
    delivery: 'sqs',
    account_id: '123456789012',
  };
  const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:new-files';

  it('are allowed with a queue and an account, also while the endpoint stays', () => {
    expect(check(BRIDGE)).toEqual([]);
    expect(check({ ...BRIDGE, both_deliveries: true })).toEqual([]);
    expect(check({ ...BRIDGE, notification: 'sns', both_notifications: true })).toEqual([]);
  });

  it('need a queue that stays, an account, and no topic of others, all said at once', () => {
    const faults = check({
      notification: 'eventbridge',
      both_deliveries: true,
      existing_topic_arn: TOPIC,
      sns_topic_name: 't'.repeat(53),
    });
    expect(faults.map(({ variable }) => variable)).toEqual([
      'delivery',
      'account_id',
      'existing_topic_arn',
      'sns_topic_name',
    ]);
    expect(faults[0]?.message).toContain('must be "sqs" with notification = "eventbridge"');
  });

  it('come beside a topic of others during a switch', () => {
    const both = { ...BRIDGE, existing_topic_arn: TOPIC, both_notifications: true };
    expect(check(both)).toEqual([]);
  });

  it('are refused where the pattern grows too long for EventBridge', () => {
    const prefixes = Array.from({ length: 30 }, (_, index) => `${'p'.repeat(90)}${index}/`);
    expect(check({ ...BRIDGE, s3_prefixes: prefixes })).toContainEqual({
      variable: 's3_prefixes',
      message: expect.stringMatching(/event pattern of \d+ characters, EventBridge takes 2048/),
    });
  });
});
