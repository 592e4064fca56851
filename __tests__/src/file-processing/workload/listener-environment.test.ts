import { readDeliveryBuckets } from '@file-processing/contract/s3-event.ts';
import { describe, expect, it } from 'vitest';
import { listenerEnvironment } from '../../../../src/file-processing/workload/listener-environment.ts';
import { fileProcessingSettings, listedBucket } from '../../../support/settings.ts';
import {
  DATABASE,
  QUEUE_URL,
  synthesizeWorkload,
  TOPIC_ARN,
} from '../../../support/synthesized-workload.ts';

type Overrides = Parameters<typeof fileProcessingSettings>[0];
const environmentOf = (overrides: Overrides = {}, queueUrl?: string) =>
  listenerEnvironment(fileProcessingSettings(overrides), {
    topicArn: TOPIC_ARN,
    ...(queueUrl !== undefined && { queueUrl }),
  });

describe('listenerEnvironment', () => {
  it('holds exactly what a listener without database and queue needs', () => {
    expect(environmentOf({ s3_prefixes: ['a/', 'b/'] })).toStrictEqual({
      PORT: '8080',
      METRICS_PORT: '9090',
      KEEP_ALIVE_SECONDS: '5',
      LOG_LEVEL: 'info',
      SHUTDOWN_SECONDS: '25',
      WORKER_CONCURRENCY: '8',
      KEY_MEMORY_MIB: '32',
      SCRATCH_MIB: '1024',
      MAX_UNPACKED_MIB: '65536',
      MAX_COMPRESSION_RATIO: '250',
      AWS_REGION: 'us-gov-west-1',
      S3_BUCKET: 'drop-box',
      S3_PREFIXES: 'a/,b/',
      REPORT_PREFIX: 'data_quality_reports/',
      WRITE_REPORTS: 'true',
      FORGET_REPORTS: 'false',
      SNS_TOPIC_ARNS: TOPIC_ARN,
      SNS_MAX_AGE_SECONDS: '86400',
      UNMONITORED: 'warn',
      RETENTION_DAYS: '400',
      ROUTING_TAGS: 'false',
      DB_SCHEMA: 'file_processing',
    });
  });

  it('says nothing of traces where they have nowhere to go', () => {
    const names = Object.keys(environmentOf({ trace_percent: 5 }));
    expect(names.filter((name) => name.startsWith('OTEL_'))).toEqual([]);
  });

  it('tells of nothing where notices have no way out', () => {
    const secret = environmentOf({ notice_secret_name: 'notices', notice_states: ['failed'] });
    expect(Object.keys(secret).filter((name) => name.startsWith('NOTICE_'))).toEqual([]);
  });

  it('names the files of the secrets that a way needs, and no secret', () => {
    expect(
      environmentOf({
        ...{ notice_email: 'smtp', notice_email_from: 'data@example.gov' },
        ...{ notice_smtp_host: 'smtp.example.gov', notice_operators: ['a@example.gov'] },
        ...{ notice_webhook_urls: ['https://a.example.gov/x'], notice_secret_name: 'notices' },
        notice_webhook_private_hosts: ['a.example.gov'],
      }),
    ).toMatchObject({
      NOTICE_STATES: 'failed,recovered,corrected,late,missing',
      NOTICE_EMAIL: 'smtp',
      NOTICE_EMAIL_FROM: 'data@example.gov',
      NOTICE_OPERATORS: 'a@example.gov',
      NOTICE_SMTP_HOST: 'smtp.example.gov',
      NOTICE_SMTP_PORT: '587',
      NOTICE_SMTP_USER_FILE: '/etc/file-processing/notices/NOTICE_SMTP_USER',
      NOTICE_SMTP_PASSWORD_FILE: '/etc/file-processing/notices/NOTICE_SMTP_PASSWORD',
      NOTICE_WEBHOOK_URLS: 'https://a.example.gov/x',
      NOTICE_WEBHOOK_PRIVATE_HOSTS: 'a.example.gov',
      NOTICE_WEBHOOK_SECRETS_FILE: '/etc/file-processing/notices/NOTICE_WEBHOOK_SECRETS',
    });
  });

  it.each([
    ['NOTICE_EMAIL', { notice_email: 'ses', notice_email_from: 'a@example.gov' } as const, 'ses'],
    [
      'NOTICE_TOPIC_ARN',
      { notice_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:n' },
      'arn:aws-us-gov:sns:us-gov-west-1:123456789012:n',
    ],
    ['S3_SUFFIX', { s3_suffix: '.csv' }, '.csv'],
    ['REPORT_PREFIX', { report_prefix: 'reports/' }, 'reports/'],
    ['WORKER_CONCURRENCY', { worker_concurrency: 5 }, '5'],
    ['SCRATCH_MIB', { scratch_limit: '512Mi' }, '512'],
    ['MAX_UNPACKED_MIB', { max_unpacked: '4Gi' }, '4096'],
    ['MAX_COMPRESSION_RATIO', { max_compression_ratio: 1000 }, '1000'],
    ['KEY_MEMORY_MIB', { memory_limit: '8Gi' }, '128'],
    ['KEY_MEMORY_MIB', { memory_limit: '1Gi', worker_concurrency: 12 }, '64'],
    ['KEY_MEMORY_MIB', { memory_limit: '128Mi' }, '8'],
    ['DB_SCHEMA', { db_schema: 'etl_quality' }, 'etl_quality'],
    ['LOG_LEVEL', { log_level: 'debug' as const }, 'debug'],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      { otlp_endpoint: 'https://otlp.example.gov' },
      'https://otlp.example.gov',
    ],
    [
      'OTEL_TRACES_SAMPLER_ARG',
      { otlp_endpoint: 'https://otlp.example.gov', trace_percent: 5 },
      '0.05',
    ],
    [
      'OTEL_EXPORTER_OTLP_HEADERS_FILE',
      { otlp_endpoint: 'https://otlp.example.gov', otlp_headers_revision: 1 },
      '/etc/file-processing/collector/OTEL_EXPORTER_OTLP_HEADERS',
    ],
    ['SNS_MAX_AGE_SECONDS', { sns_max_age_seconds: 600 }, '600'],
    [
      'CLIENT_WEIGHTS',
      { client_weights: { nm_taos: '2', nm_albuquerque: '100' } },
      '{"nm_albuquerque":100,"nm_taos":2}',
    ],
    ['RULES_LOCATION', { rules_location: 's3://rules/a/' }, 's3://rules/a/'],
    ['ROUTING_TAGS', { routing_tags: true }, 'true'],
    [
      'ROUTING_TARGETS',
      {
        routing_targets: [
          { bucket: 'checked', prefix: 'nm/', kms_key_arn: '', account_id: '210987654321' },
        ],
      },
      '[{"bucket":"checked","prefix":"nm/","account":"210987654321"}]',
    ],
    ['UNMONITORED', { unmonitored: 'fail' as const }, 'fail'],
    ['RETENTION_DAYS', { retention_days: 42 }, '42'],
    ['AWS_USE_FIPS_ENDPOINT', { fips_endpoints: true }, 'true'],
    ['AWS_REGION', { aws_region: 'us-east-1' }, 'us-east-1'],
  ] as const)('follows the setting of %s', (name, overrides, value) => {
    expect(environmentOf(overrides)[name]).toBe(value);
  });

  it.each([
    ['a few seconds behind a load balancer that passes connections on', {}, '5'],
    [
      'longer than an Ingress',
      { ingress_class_name: 'alb', ingress_host: 'sns.example.gov' },
      '65',
    ],
    ['as by default where nobody connects', { delivery: 'sqs' as const }, undefined],
  ])('keeps idle connections %s', (_, overrides, value) => {
    expect(environmentOf(overrides).KEEP_ALIVE_SECONDS).toBe(value);
  });

  it('lists several buckets, each with its own prefixes, suffix and account', () => {
    const buckets = [
      listedBucket('one', { prefixes: ['a/', 'b c/'] }),
      listedBucket('two', { suffix: '.csv', account_id: '210987654321' }),
    ];
    const environment = environmentOf({ buckets });
    for (const name of ['S3_BUCKET', 'S3_PREFIXES', 'S3_SUFFIX']) {
      expect(environment).not.toHaveProperty(name);
    }
    expect(readDeliveryBuckets(environment.S3_BUCKETS ?? '')).toEqual([
      { name: 'one', prefixes: ['a/', 'b c/'] },
      { name: 'two', prefixes: ['from_client/'], suffix: '.csv', account: '210987654321' },
    ]);
  });

  it('is the same for a list of one bucket as for the variables for one', () => {
    const one = { s3_prefixes: ['a/'], s3_suffix: '.csv' };
    expect(
      environmentOf({ buckets: [listedBucket('drop-box', { prefixes: ['a/'], suffix: '.csv' })] }),
    ).toEqual(environmentOf(one));
  });

  it('names the owner of one bucket of another account', () => {
    const buckets = [listedBucket('one', { account_id: '210987654321' })];
    expect(environmentOf({ buckets }).S3_BUCKETS).toContain('"account":"210987654321"');
  });

  it('goes through the proxy, but for this machine, the cluster, credentials and what is named', () => {
    const http_proxy = 'http://proxy.example.gov:3128';
    const environment = environmentOf({ http_proxy, no_proxy: ['.example.gov'] });
    expect(environment).toMatchObject({
      HTTP_PROXY: http_proxy,
      HTTPS_PROXY: http_proxy,
      NO_PROXY:
        'localhost,127.0.0.1,169.254.169.254,169.254.170.23,.svc,.cluster.local,.example.gov',
      NODE_USE_ENV_PROXY: '1',
    });
    expect(environmentOf()).not.toHaveProperty('NODE_USE_ENV_PROXY');
  });

  it('stands beside more variables in the ConfigMap', () => {
    const { resources } = synthesizeWorkload({ extra_environment: { TZ: 'America/Denver' } });
    expect(resources['kubernetes_config_map_v1.config']).toMatchObject({
      data: { TZ: 'America/Denver', AWS_REGION: 'us-gov-west-1' },
    });
  });

  it('holds nothing that the listener would refuse', () => {
    const settings = { ...fileProcessingSettings(), worker_concurrency: 65, bucket_name: 'a..b' };
    expect(() => listenerEnvironment(settings, { topicArn: TOPIC_ARN })).toThrow(
      /refuse WORKER_CONCURRENCY="65": .*; S3_BUCKET="a\.\.b": /,
    );
  });

  it('leaves out what is empty', () => {
    const settings = { ...fileProcessingSettings(), report_prefix: '', s3_suffix: '' };
    const environment = listenerEnvironment(settings, { topicArn: TOPIC_ARN });
    expect(environment).not.toHaveProperty('REPORT_PREFIX');
    expect(environment).not.toHaveProperty('S3_SUFFIX');
  });

  it.each([
    ['below a prefix', 'reports/', 'true'],
    ['nowhere without one', '', 'false'],
  ])('writes reports %s', (_, report_prefix, written) => {
    expect(environmentOf({ report_prefix })).toHaveProperty('WRITE_REPORTS', written);
  });

  it('names the queue when there is one', () => {
    expect(environmentOf({ delivery: 'sqs' }, QUEUE_URL)).toHaveProperty(
      'SQS_QUEUE_URL',
      QUEUE_URL,
    );
  });

  it('trusts the buckets whose events come by EventBridge, with their accounts', () => {
    const bridge = { notification: 'eventbridge', delivery: 'sqs', account_id: '123456789012' };
    const buckets = [listedBucket('ours'), listedBucket('theirs', { account_id: '210987654321' })];
    expect(environmentOf({ ...bridge, buckets } as Overrides, QUEUE_URL)).toHaveProperty(
      'SQS_TRUSTED_SOURCES',
      'ours@123456789012,theirs@210987654321',
    );
    expect(environmentOf({ delivery: 'sqs' }, QUEUE_URL)).not.toHaveProperty('SQS_TRUSTED_SOURCES');
  });

  const database = (overrides: Overrides): Record<string, string> =>
    Object.fromEntries(
      Object.entries(environmentOf(overrides)).filter(
        ([name]) => /^(DB|DATABASE)_/.test(name) && name !== 'DB_SCHEMA',
      ),
    );
  const HOST = {
    DB_HOST: 'db.example.gov',
    DB_PORT: '5432',
    DB_NAME: 'etl_db',
    DB_USER: 'etl_user',
    DB_SSL: 'verify-full',
  };
  const PASSWORD_FILE = '/etc/file-processing/secrets/DB_PASSWORD';

  it.each([
    ['a password of our own', DATABASE, { ...HOST, DB_PASSWORD_FILE: PASSWORD_FILE }],
    [
      'a password of others',
      { ...DATABASE, existing_secret_name: 'theirs' },
      { ...HOST, DB_PASSWORD_FILE: PASSWORD_FILE },
    ],
    [
      'IAM authentication',
      { ...DATABASE, db_iam_auth: true, db_resource_id: 'db-ABC123' },
      { ...HOST, DB_IAM_AUTH: 'true' },
    ],
    [
      'a URL of others',
      { existing_secret_name: 'theirs' },
      { DATABASE_URL_FILE: '/etc/file-processing/secrets/DATABASE_URL' },
    ],
    ['no database', {}, {}],
  ])('describes the database with %s', (_, overrides, expected) => {
    expect(database(overrides)).toEqual(expected);
  });
});

describe('createConfigMap', () => {
  it("holds the listener's environment under the name that the pods refer to", () => {
    const { resources } = synthesizeWorkload();
    expect(resources['kubernetes_config_map_v1.config']).toMatchObject({
      metadata: { name: 'file-processing-config' },
      data: { S3_BUCKET: 'drop-box', SNS_TOPIC_ARNS: TOPIC_ARN },
    });
  });
});
