import { expect, test } from 'vitest';
import { ConfigError } from '../../../listener/src/config/read-variables.ts';
import { type ConfigNeeds, readConfig } from '../../../listener/src/config.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic';
const INTAKE: ConfigNeeds = { database: false, httpIntake: true };
const NOTHING: ConfigNeeds = { database: false, httpIntake: false };

function faultsOf(environment: Record<string, string>, needs: ConfigNeeds) {
  try {
    readConfig(environment, needs);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('an empty environment gives the defaults where nothing is required', () => {
  expect(readConfig({}, NOTHING)).toMatchObject({
    port: 8080,
    metricsPort: 9090,
    keepAliveSeconds: 65,
    maxConnectionsPerAddress: 0,
    sns: { topics: [], signatureVersions: ['2'], maxAgeSeconds: 86_400 },
    s3: { reportPrefix: 'data_quality_reports/', writeReports: false },
    workerConcurrency: 8,
    shutdownSeconds: 25,
    logLevel: 'info',
    maxFaults: 1000,
    keys: { memoryBytes: 128 * 2 ** 20, scratchBytes: 2 ** 30 },
    unpack: { maxBytes: 64 * 2 ** 30, maxRatio: 250 },
    retentionDays: 400,
    database: undefined,
  });
});

test('what is set takes precedence over the defaults', () => {
  const config = readConfig(
    {
      PORT: '18080',
      SNS_TOPIC_ARNS: TOPIC,
      SNS_SIGNATURE_VERSIONS: '1,2',
      REPORT_PREFIX: 'verdicts/',
      WRITE_REPORTS: 'true',
      WORKER_CONCURRENCY: '4',
      KEY_MEMORY_MIB: '0',
      SCRATCH_MIB: '2',
    },
    INTAKE,
  );
  expect(config).toMatchObject({
    port: 18_080,
    sns: { topics: [{ arn: TOPIC, region: 'us-gov-west-1' }], signatureVersions: ['1', '2'] },
    s3: { reportPrefix: 'verdicts/', writeReports: true },
    workerConcurrency: 4,
    keys: { memoryBytes: 0, scratchBytes: 2 ** 21 },
  });
});

test('several buckets take the place of the one', () => {
  const S3_BUCKETS = '[{"name":"one","prefixes":["a/"]},{"name":"two","suffix":".csv"}]';
  expect(readConfig({ S3_BUCKETS }, NOTHING).s3.buckets).toEqual([
    { name: 'one', prefixes: ['a/'] },
    { name: 'two', prefixes: [], suffix: '.csv' },
  ]);
});

test('one bucket has the prefixes and the suffix of its own variables', () => {
  const environment = { S3_BUCKET: 'one', S3_PREFIXES: 'a/,b/', S3_SUFFIX: '.csv' };
  expect(readConfig(environment, NOTHING).s3.buckets).toEqual([
    { name: 'one', prefixes: ['a/', 'b/'], suffix: '.csv' },
  ]);
});

test('several buckets beside one are a fault that names the variables', () => {
  const environment = { S3_BUCKETS: '[{"name":"one"}]', S3_PREFIXES: 'a/', S3_SUFFIX: '.csv' };
  expect(faultsOf(environment, NOTHING)).toEqual([
    {
      variable: 'S3_BUCKETS',
      problem: 'S3_PREFIXES, S3_SUFFIX is set as well',
      allowed: 'S3_BUCKETS, or S3_BUCKET, S3_PREFIXES, S3_SUFFIX, not both',
    },
  ]);
});

test('buckets are trusted with their accounts, by a queue alone', () => {
  const SQS_TRUSTED_SOURCES = 'one@123456789012, two@210987654321';
  const SQS_QUEUE_URL = 'https://sqs.us-gov-west-1.amazonaws.com/123456789012/deliveries';
  expect(readConfig({ SQS_TRUSTED_SOURCES, SQS_QUEUE_URL }, NOTHING).sqs.trustedSources).toEqual([
    { bucket: 'one', account: '123456789012' },
    { bucket: 'two', account: '210987654321' },
  ]);
  expect(faultsOf({ SQS_TRUSTED_SOURCES }, NOTHING)).toEqual([
    expect.objectContaining({ problem: 'SQS_QUEUE_URL is not set' }),
  ]);
});

test.each(['one', 'one@', 'one@1234', '@123456789012', 'O!@123456789012', 'one@two@123456789012'])(
  'the source %s is not allowed',
  (SQS_TRUSTED_SOURCES) => {
    expect(faultsOf({ SQS_TRUSTED_SOURCES, SQS_QUEUE_URL: 'http://q' }, NOTHING)).toEqual([
      expect.objectContaining({ variable: 'SQS_TRUSTED_SOURCES', value: SQS_TRUSTED_SOURCES }),
    ]);
  },
);

test('every fault is reported at once, with variable, value and what is allowed', () => {
  const faults = faultsOf({ PORT: 'http', WORKER_CONCURRENCY: '0', LOG_LEVEL: 'loud' }, INTAKE);
  expect(faults).toEqual([
    expect.objectContaining({ variable: 'SNS_TOPIC_ARNS', problem: 'is required and not set' }),
    { variable: 'PORT', value: 'http', allowed: 'a whole number from 0 to 65535' },
    { variable: 'WORKER_CONCURRENCY', value: '0', allowed: 'a whole number from 1 to 64' },
    expect.objectContaining({ variable: 'LOG_LEVEL', value: 'loud' }),
  ]);
});

test.each([
  ['no prefix', {}],
  ['an empty prefix', { REPORT_PREFIX: '' }],
])('writing reports with %s is a fault that names both variables', (_, environment) => {
  expect(() => readConfig({ ...environment, WRITE_REPORTS: 'true' }, NOTHING)).toThrow(
    /^1 fault .*\n- WRITE_REPORTS="true": REPORT_PREFIX is not set/,
  );
});

test('a process that writes no reports needs no prefix', () => {
  const s3 = { reportPrefix: 'data_quality_reports/', writeReports: false };
  expect(readConfig({ WRITE_REPORTS: 'false' }, NOTHING)).toMatchObject({ s3 });
});

test.each([
  ['41', '86400', 42],
  ['200', `${200 * 86_400}`, 214],
  ['42', `${28 * 86_400 + 1}`, 43],
])(
  'a retention of %s days is a fault where messages of %s seconds are taken',
  (RETENTION_DAYS, SNS_MAX_AGE_SECONDS, allowed) => {
    expect(() => readConfig({ RETENTION_DAYS, SNS_MAX_AGE_SECONDS }, NOTHING)).toThrow(
      `1 fault in the environment:\n- RETENTION_DAYS="${RETENTION_DAYS}": a message could be forgotten and then be taken a second time; allowed: ${allowed} or more with SNS_MAX_AGE_SECONDS=${SNS_MAX_AGE_SECONDS}`,
    );
    const shortest = { RETENTION_DAYS: `${allowed}`, SNS_MAX_AGE_SECONDS };
    expect(readConfig(shortest, NOTHING)).toMatchObject({ retentionDays: allowed });
  },
);

test('a retention that is not a number is one fault', () => {
  expect(faultsOf({ RETENTION_DAYS: 'for ever' }, NOTHING)).toHaveLength(1);
});

test('two servers on one port are a fault, unless each may take any port or only one is opened', () => {
  const same = { PORT: '9090', SNS_TOPIC_ARNS: TOPIC };
  expect(faultsOf(same, INTAKE)).toEqual([
    expect.objectContaining({ variable: 'METRICS_PORT', problem: 'PORT is the same' }),
  ]);
  expect(faultsOf(same, NOTHING)).toEqual([]);
  expect(faultsOf({ ...same, PORT: '0', METRICS_PORT: '0' }, INTAKE)).toEqual([]);
});

test.each(['/no/such/folder', 'package.json'])(
  'a root of objects that is not a folder is a fault: %s',
  (root) => {
    expect(() => readConfig({ LOCAL_S3_ROOT: root }, NOTHING)).toThrow(
      /^1 fault .*\n- LOCAL_S3_ROOT=".*": there is no folder \/.*; allowed: a folder that is there$/,
    );
  },
);

test('topics are not required of a process that takes no deliveries over HTTP', () => {
  expect(faultsOf({}, NOTHING)).toEqual([]);
});

test('the database is required of a process that needs it', () => {
  expect(faultsOf({}, { database: true, httpIntake: false })).toEqual([
    expect.objectContaining({
      variable: 'DATABASE_URL',
      problem: 'no database is named',
      allowed: 'DATABASE_URL or DATABASE_URL_FILE, or DB_HOST with DB_NAME and DB_USER',
    }),
  ]);
});

test('an empty variable counts as not set', () => {
  expect(readConfig({ PORT: '', LOCAL_S3_ROOT: '  ' }, NOTHING)).toMatchObject({
    port: 8080,
    s3: { localRoot: undefined },
  });
});

test('the endpoint of all services is not one whose certificates are trusted', () => {
  const all = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566/' };
  expect(readConfig(all, NOTHING).aws).toMatchObject({
    endpoint: 'http://127.0.0.1:4566',
    snsEndpoint: undefined,
  });
  const own = { ...all, AWS_ENDPOINT_URL_SNS: 'http://127.0.0.1:4100' };
  expect(readConfig(own, NOTHING).aws.snsEndpoint).toBe('http://127.0.0.1:4100');
});

test('settings are frozen at every level', () => {
  const config = readConfig({}, NOTHING);
  expect([config, config.sns, config.sns.topics, config.s3]).toSatisfy((parts: object[]) =>
    parts.every((part) => Object.isFrozen(part)),
  );
});

test('FIPS endpoints are those of AWS alone: another AWS beside them is a fault in one line', () => {
  const environment = {
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:4566',
  };
  expect(faultsOf(environment, NOTHING)).toEqual([
    expect.objectContaining({
      variable: 'AWS_USE_FIPS_ENDPOINT',
      problem: expect.stringMatching(/^AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 is set too, .*$/),
    }),
  ]);
  expect(faultsOf({ ...environment, AWS_USE_FIPS_ENDPOINT: 'false' }, NOTHING)).toEqual([]);
});

test('FIPS endpoints are off unless they are asked for', () => {
  expect(readConfig({}, NOTHING).aws.fips).toBe(false);
  const environment = { AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL: ' ' };
  expect(readConfig(environment, NOTHING).aws.fips).toBe(true);
  expect(faultsOf({ AWS_USE_FIPS_ENDPOINT: 'yes' }, NOTHING)).toHaveLength(1);
});

const TARGETS = JSON.stringify([{ bucket: 'drop-box', prefix: 'checked/' }]);

test('nothing is routed unless it is said, and what is said is known to be', () => {
  expect(readConfig({}, NOTHING).s3).toMatchObject({
    ...{ routingTags: false, routingTargets: [], routingIsSet: false },
  });
  expect(readConfig({ ROUTING_TAGS: 'false' }, NOTHING).s3.routingIsSet).toBe(true);
  const environment = { ROUTING_TAGS: 'true', ROUTING_TARGETS: TARGETS };
  expect(readConfig(environment, NOTHING).s3).toMatchObject({
    routingTags: true,
    routingTargets: [{ bucket: 'drop-box', prefix: 'checked/' }],
  });
});

test.each([
  [{ S3_BUCKET: 'drop-box', S3_PREFIXES: 'checked/in/' }, 'checked/in/, where clients deliver'],
  [{ S3_BUCKET: 'drop-box', S3_PREFIXES: 'a/,checked/' }, 'checked/, where clients deliver'],
  [{ S3_PREFIXES: 'checked/' }, 'where clients deliver'],
  [{ WRITE_REPORTS: 'true', REPORT_PREFIX: 'checked/reports/' }, 'where reports are written'],
])('a place of copies that is near %j is refused', (environment, problem) => {
  expect(faultsOf({ ...environment, ROUTING_TARGETS: TARGETS }, NOTHING)).toEqual([
    expect.objectContaining({
      variable: 'ROUTING_TARGETS',
      value: 'drop-box/checked/',
      problem: expect.stringContaining(problem),
    }),
  ]);
});

test.each<Record<string, string>>([
  { S3_BUCKET: 'drop-box', S3_PREFIXES: 'from_client/' },
  { S3_BUCKET: 'other', S3_PREFIXES: 'checked/' },
  { S3_BUCKET: 'other', WRITE_REPORTS: 'true', REPORT_PREFIX: 'checked/' },
])('a place of copies beside %j is allowed', (environment) => {
  expect(faultsOf({ ...environment, ROUTING_TARGETS: TARGETS }, NOTHING)).toEqual([]);
});

test('files of a folder have no tags', () => {
  expect(faultsOf({ ROUTING_TAGS: 'true', LOCAL_S3_ROOT: '.' }, NOTHING)).toEqual([
    expect.objectContaining({
      variable: 'ROUTING_TAGS',
      allowed: expect.stringContaining('ROUTING_TARGETS'),
    }),
  ]);
});

test('no traces are made where none have somewhere to go, or OpenTelemetry is switched off', () => {
  expect(readConfig({}, NOTHING).tracing).toBeUndefined();
  const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c.o.svc:4318', OTEL_SDK_DISABLED: 'true' };
  expect(readConfig(off, NOTHING).tracing).toBeUndefined();
});

test('traces go to the path of their signal, or to the address that is theirs alone', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c.o.svc:4318/' };
  expect(readConfig(endpoint, NOTHING).tracing).toMatchObject({
    url: 'http://c.o.svc:4318/v1/traces',
    ...{ sampler: 'parentbased_always_on', ratio: 1, serviceName: 'file-processing' },
  });
  const own = { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t.example.org/in' };
  expect(readConfig(own, NOTHING).tracing).toMatchObject({ url: 'https://t.example.org/in' });
});

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
  ['OTEL_TRACES_SAMPLER_ARG', '5'],
])('%s=%s is refused, with what is allowed', (variable, value) => {
  expect(faultsOf({ [variable]: value }, NOTHING)).toEqual([
    { variable, value, allowed: expect.any(String) },
  ]);
});

test('headers for the collector are pairs, and are never shown', () => {
  const faults = faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: 'hunter2' }, NOTHING);
  expect(faults).toMatchObject([{ variable: 'OTEL_EXPORTER_OTLP_HEADERS' }]);
  expect(JSON.stringify(faults)).not.toContain('hunter2');
  const config = readConfig(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://t.example.org',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=hunter2,x=%20y',
    },
    NOTHING,
  );
  expect(config.tracing?.headers?.reveal()).toBe('api-key=hunter2,x=%20y');
  expect(JSON.stringify(config)).not.toContain('hunter2');
});
