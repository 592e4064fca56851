import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TopicArn } from '@file-processing/contract/arn.ts';
import {
  deliveryBuckets,
  LISTENER_VARIABLES,
  ONE_BUCKET,
  shortestRetentionDays,
  type ValueOf,
} from '@file-processing/contract/listener-variables.ts';
import { areNear, type RoutingTarget } from '@file-processing/contract/routing.ts';
import type { RulesLocation } from '@file-processing/contract/rule-set.ts';
import type { DeliveryBucket, TrustedSource } from '@file-processing/contract/s3-event.ts';
import { type ConsoleConfig, readConsoleConfig } from './config/console-config.ts';
import { type DatabaseConfig, readDatabaseConfig, Secret } from './config/database-config.ts';
import { type NoticeConfig, readNoticeConfig } from './config/notice-config.ts';
import {
  ConfigError,
  type Environment,
  type VariableReader,
  variableReader,
} from './config/read-variables.ts';
import type { KubernetesAccess } from './queue/kubernetes-api.ts';

/** What the process is about to do, and so which variables it can't do without. */
export interface ConfigNeeds {
  /** It talks to PostgreSQL. */
  readonly database: boolean;
  /** SNS delivers to it over HTTP, so it must know which topics to trust. */
  readonly httpIntake: boolean;
}

/** The listener's settings: read once, frozen, handed down. */
export interface Config {
  readonly port: number;
  readonly metricsPort: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveSeconds: number;
  /** 0 for no limit. */
  readonly maxConnectionsPerAddress: number;
  readonly sns: {
    /** Allow-list; empty only where nothing arrives over HTTP. */
    readonly topics: readonly TopicArn[];
    readonly signatureVersions: readonly ('1' | '2')[];
    readonly maxAgeSeconds: number;
  };
  readonly aws: {
    readonly region: string | undefined;
    /** `AWS_ENDPOINT_URL_SNS`: SNS is somewhere else than at AWS, and its certificates are trusted. */
    readonly snsEndpoint: string | undefined;
    /** `AWS_ENDPOINT_URL`: every service is somewhere else. */
    readonly endpoint: string | undefined;
    /** Every client calls the FIPS endpoints. */
    readonly fips: boolean;
  };
  readonly sqs: {
    /** Queue to fetch messages from; undefined where SNS delivers over HTTP alone. */
    readonly queueUrl: string | undefined;
    /** Buckets whose events need no signature there; empty for none. */
    readonly trustedSources: readonly TrustedSource[];
  };
  readonly s3: {
    /** The clients' buckets, and what in them may be read; at least one. */
    readonly buckets: readonly DeliveryBucket[];
    readonly reportPrefix: string;
    /** Reports are written below `reportPrefix`. */
    readonly writeReports: boolean;
    /** They show values of internal columns. */
    readonly reportValues: boolean;
    /** `forget` deletes reports. */
    readonly forgetReports: boolean;
    /** Rule sets may have files tagged with their verdicts. */
    readonly routingTags: boolean;
    /** Where rule sets may have files copied to. */
    readonly routingTargets: readonly RoutingTarget[];
    /** Whether the environment says anything of that: it may be another one than the listener's. */
    readonly routingIsSet: boolean;
    readonly localRoot: string | undefined;
  };
  readonly workerConcurrency: number;
  /** Of clients in the queue; 1 for one that is not named. */
  readonly clientWeights: ReadonlyMap<string, number>;
  /** How files are judged by Jobs of Kubernetes; undefined where the worker pool judges all. */
  readonly jobs: JobConfig | undefined;
  readonly shutdownSeconds: number;
  readonly logLevel: ValueOf<'LOG_LEVEL'>;
  readonly maxFaults: number;
  /** Where the rule set is that the listener applies; undefined where rules are applied by hand. */
  readonly rulesLocation: RulesLocation | undefined;
  /** What becomes of a file that nobody monitors. */
  readonly unmonitored: ValueOf<'UNMONITORED'>;
  readonly keys: {
    /** For the keys of one file. */
    readonly memoryBytes: number;
    /** For those of all files in hand. */
    readonly scratchBytes: number;
  };
  /** What a compressed file may hold. */
  readonly unpack: {
    readonly maxBytes: number;
    /** For each byte of the file. */
    readonly maxRatio: number;
  };
  /** Size from which on a file is read by several threads; 0 is never. */
  readonly parallelBytes: number;
  /** Age from which messages, reports and dead letters are deleted. */
  readonly retentionDays: number;
  readonly notices: NoticeConfig;
  /** Undefined where no traces are made. */
  readonly tracing: TracingConfig | undefined;
  readonly console: ConsoleConfig;
  /** Always there when `database` was needed. */
  readonly database: DatabaseConfig | undefined;
}

/** Where traces go, and which of them. */
export interface TracingConfig {
  /** The whole address. */
  readonly url: string;
  /** As OTEL_EXPORTER_OTLP_HEADERS has them. */
  readonly headers: Secret | undefined;
  readonly sampler: ValueOf<'OTEL_TRACES_SAMPLER'>;
  /** From 0 to 1. */
  readonly ratio: number;
  readonly serviceName: string;
}

/** What JOB_RUNNER=auto needs. */
export interface JobConfig {
  /** Size from which on an object is judged by a Job. */
  readonly sizeBytes: number;
  /** Jobs at the same time. */
  readonly limit: number;
  readonly templateFile: string;
  readonly api: KubernetesAccess;
}

const MIB = 1024 * 1024;

/** The settings of a process that needs the database. */
export type ConfigWithDatabase = Config & { readonly database: DatabaseConfig };

/**
 * Reads the environment into frozen settings. Nothing below it reads `process.env`.
 *
 * @throws {ConfigError} with every fault at once
 */
export function readConfig(
  environment: Environment,
  needs: ConfigNeeds & { readonly database: true },
): ConfigWithDatabase;
export function readConfig(environment: Environment, needs: ConfigNeeds): Config;
export function readConfig(environment: Environment, needs: ConfigNeeds): Config {
  const reader = variableReader(environment);
  const topics = needs.httpIntake
    ? reader.required('SNS_TOPIC_ARNS')
    : reader.optional('SNS_TOPIC_ARNS');
  const endpoint = reader.optional('AWS_ENDPOINT_URL');
  const read = {
    port: reader.required('PORT'),
    metricsPort: reader.required('METRICS_PORT'),
    keepAliveSeconds: reader.required('KEEP_ALIVE_SECONDS'),
    maxConnectionsPerAddress: reader.required('MAX_CONNECTIONS_PER_ADDRESS'),
    signatureVersions: reader.required('SNS_SIGNATURE_VERSIONS'),
    maxAgeSeconds: reader.required('SNS_MAX_AGE_SECONDS'),
    region: reader.optional('AWS_REGION'),
    snsEndpoint: reader.optional('AWS_ENDPOINT_URL_SNS'),
    queueUrl: reader.optional('SQS_QUEUE_URL'),
    trustedSources: readTrustedSources(reader),
    fips: readFips(reader, environment),
    buckets: readBuckets(reader),
    reportPrefix: reader.required('REPORT_PREFIX'),
    writeReports: readWriteReports(reader),
    reportValues: reader.required('REPORT_VALUES') === 'true',
    forgetReports: reader.required('FORGET_REPORTS') === 'true',
    ...readRouting(reader),
    localRoot: readLocalRoot(reader),
    workerConcurrency: reader.required('WORKER_CONCURRENCY'),
    clientWeights: reader.optional('CLIENT_WEIGHTS'),
    jobs: readJobs(reader),
    shutdownSeconds: reader.required('SHUTDOWN_SECONDS'),
    logLevel: reader.required('LOG_LEVEL'),
    maxFaults: reader.required('MAX_FAULTS'),
    rulesLocation: reader.optional('RULES_LOCATION'),
    unmonitored: reader.required('UNMONITORED'),
    keyMemoryMib: reader.required('KEY_MEMORY_MIB'),
    parallelMib: reader.required('PARALLEL_MIB'),
    scratchMib: reader.required('SCRATCH_MIB'),
    maxUnpackedMib: reader.required('MAX_UNPACKED_MIB'),
    maxCompressionRatio: reader.required('MAX_COMPRESSION_RATIO'),
    retentionDays: reader.required('RETENTION_DAYS'),
    notices: readNoticeConfig(reader, topics ?? []),
    tracing: readTracing(reader),
    console: readConsoleConfig(reader),
  };
  checkRetention(reader, read);
  checkRoutingTargets(reader, read);
  // 0 takes any free port, so two of them are two ports.
  if (needs.httpIntake && read.port === read.metricsPort && read.port) {
    reader.fault({
      variable: 'METRICS_PORT',
      value: `${read.metricsPort}`,
      problem: 'PORT is the same',
      allowed: 'another port than that of PORT',
    });
  }
  const database = needs.database ? readDatabaseConfig(reader) : undefined;
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);

  return Object.freeze({
    port: present(read.port),
    metricsPort: present(read.metricsPort),
    keepAliveSeconds: present(read.keepAliveSeconds),
    maxConnectionsPerAddress: present(read.maxConnectionsPerAddress),
    sns: Object.freeze({
      topics: topics ?? Object.freeze([]),
      signatureVersions: present(read.signatureVersions),
      maxAgeSeconds: present(read.maxAgeSeconds),
    }),
    aws: Object.freeze({
      region: read.region,
      snsEndpoint: read.snsEndpoint,
      endpoint,
      fips: read.fips,
    }),
    sqs: Object.freeze({ queueUrl: read.queueUrl, trustedSources: read.trustedSources }),
    s3: Object.freeze({
      buckets: read.buckets,
      reportPrefix: present(read.reportPrefix),
      writeReports: read.writeReports,
      reportValues: read.reportValues,
      forgetReports: read.forgetReports,
      routingTags: read.routingTags,
      routingTargets: read.routingTargets,
      routingIsSet: read.routingIsSet,
      localRoot: read.localRoot,
    }),
    workerConcurrency: present(read.workerConcurrency),
    clientWeights: read.clientWeights ?? new Map(),
    jobs: read.jobs,
    shutdownSeconds: present(read.shutdownSeconds),
    logLevel: present(read.logLevel),
    maxFaults: present(read.maxFaults),
    rulesLocation: read.rulesLocation,
    unmonitored: present(read.unmonitored),
    keys: Object.freeze({
      memoryBytes: present(read.keyMemoryMib) * MIB,
      scratchBytes: present(read.scratchMib) * MIB,
    }),
    unpack: Object.freeze({
      maxBytes: present(read.maxUnpackedMib) * MIB,
      maxRatio: present(read.maxCompressionRatio),
    }),
    parallelBytes: present(read.parallelMib) * MIB,
    retentionDays: present(read.retentionDays),
    notices: read.notices,
    tracing: read.tracing,
    console: read.console,
    database,
  });
}

/** What is wrong is told even where no traces are made. */
function readTracing(reader: VariableReader): TracingConfig | undefined {
  const endpoint = reader.optional('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url = reader.optional('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const headers = reader.optional('OTEL_EXPORTER_OTLP_HEADERS');
  reader.required('OTEL_EXPORTER_OTLP_PROTOCOL');
  const read = {
    sampler: reader.required('OTEL_TRACES_SAMPLER') ?? 'always_off',
    ratio: reader.required('OTEL_TRACES_SAMPLER_ARG') ?? 0,
    serviceName: reader.required('OTEL_SERVICE_NAME') ?? '',
    headers: headers === undefined ? undefined : new Secret(headers),
  };
  if (reader.required('OTEL_SDK_DISABLED') === 'true') return undefined;
  // OpenTelemetry specification, "OpenTelemetry Protocol Exporter", on the endpoint of all signals.
  const whole = url ?? (endpoint && `${endpoint}/v1/traces`);
  return whole === undefined ? undefined : Object.freeze({ ...read, url: whole });
}

/** What is forgotten could be taken a second time. */
function checkRetention(
  reader: VariableReader,
  {
    retentionDays,
    maxAgeSeconds,
  }: Readonly<Record<'retentionDays' | 'maxAgeSeconds', number | undefined>>,
): void {
  if (retentionDays === undefined || maxAgeSeconds === undefined) return;
  const shortest = shortestRetentionDays(maxAgeSeconds);
  if (retentionDays >= shortest) return;
  reader.fault({
    variable: 'RETENTION_DAYS',
    value: `${retentionDays}`,
    problem: 'a message could be forgotten and then be taken a second time',
    allowed: `${shortest} or more with SNS_MAX_AGE_SECONDS=${maxAgeSeconds}`,
  });
}

function readBuckets(reader: VariableReader): readonly DeliveryBucket[] {
  const singles = ONE_BUCKET.filter((name) => reader.isSet(name));
  if (reader.isSet('S3_BUCKETS') && singles.length > 0) {
    reader.fault({
      variable: 'S3_BUCKETS',
      problem: `${singles.join(', ')} is set as well`,
      allowed: `S3_BUCKETS, or ${ONE_BUCKET.join(', ')}, not both`,
    });
  }
  return deliveryBuckets((name) => reader.optional(name));
}

function readJobs(reader: VariableReader): JobConfig | undefined {
  const sizeBytes = reader.required('JOB_SIZE_BYTES');
  const limit = reader.required('JOB_LIMIT');
  const host = reader.required('KUBERNETES_SERVICE_HOST');
  const port = reader.required('KUBERNETES_SERVICE_PORT');
  const identityFolder = reader.required('SERVICE_ACCOUNT_FOLDER');
  const templateFile = reader.optional('JOB_TEMPLATE');
  if (reader.required('JOB_RUNNER') !== 'auto') return undefined;
  if (templateFile === undefined) {
    reader.fault({
      variable: 'JOB_RUNNER',
      value: 'auto',
      problem: 'JOB_TEMPLATE is not set',
      allowed: 'auto only with the JOB_TEMPLATE that the stack has prepared',
    });
  }
  const all = [sizeBytes, limit, templateFile, host, port, identityFolder];
  if (all.includes(undefined)) return undefined;
  return Object.freeze({
    sizeBytes: present(sizeBytes),
    limit: present(limit),
    templateFile: present(templateFile),
    api: Object.freeze({
      host: present(host),
      port: present(port),
      identityFolder: present(identityFolder),
    }),
  });
}

/** A name that is written wrong would make every object one that is gone. */
function readLocalRoot(reader: VariableReader): string | undefined {
  const root = reader.optional('LOCAL_S3_ROOT');
  if (root !== undefined && !statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    reader.fault({
      variable: 'LOCAL_S3_ROOT',
      value: root,
      problem: `there is no folder ${resolve(root)}`,
      allowed: LISTENER_VARIABLES.LOCAL_S3_ROOT.kind.allowed,
    });
  }
  return root;
}

function readRouting(
  reader: VariableReader,
): Pick<Config['s3'], 'routingTags' | 'routingTargets' | 'routingIsSet'> {
  const routingTags = reader.required('ROUTING_TAGS') === 'true';
  if (routingTags && reader.isSet('LOCAL_S3_ROOT')) {
    reader.fault({
      variable: 'ROUTING_TAGS',
      value: 'true',
      problem: 'LOCAL_S3_ROOT is set, and files of a folder have no tags',
      allowed: 'false with a LOCAL_S3_ROOT; files of a folder can be copied (ROUTING_TARGETS)',
    });
  }
  return {
    routingTags,
    routingTargets: reader.optional('ROUTING_TARGETS') ?? Object.freeze([]),
    routingIsSet: reader.isSet('ROUTING_TAGS') || reader.isSet('ROUTING_TARGETS'),
  };
}

/** What is copied must never look like a delivery, nor like a report. */
function checkRoutingTargets(
  reader: VariableReader,
  {
    buckets,
    reportPrefix = '',
    writeReports,
    routingTargets,
  }: Pick<Config['s3'], 'buckets' | 'writeReports' | 'routingTargets'> & {
    readonly reportPrefix: string | undefined;
  },
): void {
  for (const target of routingTargets) {
    const { bucket, prefix } = target;
    const own = buckets.filter(({ name = bucket }) => name === bucket);
    const watched = own.flatMap(({ prefixes }) => prefixes);
    const reports = writeReports && own.length > 0 ? [reportPrefix] : [];
    for (const other of [...watched, ...reports]) {
      if (!areNear(target, { bucket, prefix: other })) continue;
      const what = watched.includes(other) ? 'where clients deliver' : 'where reports are written';
      reader.fault({
        variable: 'ROUTING_TARGETS',
        value: `${bucket}/${prefix}`,
        problem: `one of it and ${other}, ${what}, lies inside the other`,
        allowed: 'prefixes outside of those of deliveries and of REPORT_PREFIX',
      });
    }
  }
}

/** What is trusted is the queue's policy, so there must be a queue. */
function readTrustedSources(reader: VariableReader): readonly TrustedSource[] {
  const sources = reader.optional('SQS_TRUSTED_SOURCES');
  if (sources !== undefined && !reader.isSet('SQS_QUEUE_URL')) {
    reader.fault({
      variable: 'SQS_TRUSTED_SOURCES',
      problem: 'SQS_QUEUE_URL is not set',
      allowed: 'only with the SQS_QUEUE_URL that such events come by',
    });
  }
  return sources ?? Object.freeze([]);
}

/**
 * Writing needs a place: a role may write below one prefix alone, and that need not be the
 * default, which is there for the objects to leave out.
 */
function readWriteReports(reader: VariableReader): boolean {
  const writes = reader.required('WRITE_REPORTS') === 'true';
  if (writes && !reader.isSet('REPORT_PREFIX')) {
    reader.fault({
      variable: 'WRITE_REPORTS',
      value: 'true',
      problem: 'REPORT_PREFIX is not set',
      allowed: 'true only with a REPORT_PREFIX, below which the reports are written',
    });
  }
  return writes;
}

/** The SDK would refuse each call for it, since its FIPS endpoints are those of AWS alone. */
function readFips(reader: VariableReader, environment: Environment): boolean {
  const fips = reader.required('AWS_USE_FIPS_ENDPOINT') === 'true';
  const endpoints = Object.keys(environment).filter(
    (name) => /^AWS_ENDPOINT_URL(_|$)/.test(name) && environment[name]?.trim(),
  );
  if (fips && endpoints.length > 0) {
    reader.fault({
      variable: 'AWS_USE_FIPS_ENDPOINT',
      value: 'true',
      problem: `${endpoints.join(', ')} is set too, and the AWS SDK has no FIPS endpoint elsewhere than at AWS`,
      allowed: 'true only where no variable that begins with AWS_ENDPOINT_URL is set',
    });
  }
  return fips;
}

/** A required value is there once no fault was recorded; this says so to the compiler. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a required variable was read without value or fault');
  return value;
}
