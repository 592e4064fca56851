import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js';
import {
  type FileVariableName,
  faultText,
  LISTENER_VARIABLES,
  type PROXY_VARIABLES,
  readVariable,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import type { RoutingTarget } from '@file-processing/contract/routing.ts';
import { configMapKey } from '@file-processing/contract/rule-set.ts';
import type { DeliveryBucket } from '@file-processing/contract/s3-event.ts';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import { type Bucket, bucketsOf, forgetsReports, routingPlaces } from '../../settings/buckets.ts';
import { hasEndpoint, usesEventBridge } from '../../settings/file-processing/delivery.ts';
import { tells } from '../../settings/file-processing/notices.ts';
import { mebibytes, NEVER_PROXIED } from '../../settings/file-processing/workload.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import type { RuleTexts } from '../../settings/rules-folder.ts';
import { type DatabaseCredentials, databaseCredentials } from './database-credentials.ts';
import { CONFIG_MAP, HTTP_PORT, LABELS, METRICS_PORT, RULES_CONFIG_MAP } from './names.ts';

/** How long the listener may take to drain after SIGTERM, in seconds. */
export const SHUTDOWN_SECONDS = 25;

/** Folder that the database's Secret is mounted at, one file a key. */
export const SECRETS_FOLDER = '/etc/file-processing/secrets';

/** Folder that the rule set's ConfigMap is mounted at. */
export const RULES_FOLDER = '/etc/file-processing/rules';

/** Folder that the Secret of notices is mounted at, one file a key. */
export const NOTICES_FOLDER = '/etc/file-processing/notices';
/** Where the Secret of the collector is mounted. */
export const COLLECTOR_FOLDER = '/etc/file-processing/collector';
/** The variable that it is for, and its key. */
export const COLLECTOR_SECRET_KEY = 'OTEL_EXPORTER_OTLP_HEADERS';

/** Folder that the Secret of the console is mounted at, one file a key. */
export const CONSOLE_FOLDER = '/etc/file-processing/console';

/** Folder that the template of Jobs is mounted at, and its file there. */
export const JOBS_FOLDER = '/etc/file-processing/jobs';
export const JOB_TEMPLATE_FILE = 'template.json';

/** What the listener's environment takes from other resources. */
export interface ListenerSources {
  /** ARN of the only topic whose messages are accepted. */
  readonly topicArn: string;
  /** Queue to fetch messages from, where there is one. */
  readonly queueUrl?: string;
  /** The rule set that goes along; empty for none. @default none */
  readonly rules?: RuleTexts;
}

/** Environment variables of the listener, by their names in its own table. */
export type ListenerEnvironment = Readonly<
  Partial<Record<VariableName | FileVariableName | (typeof PROXY_VARIABLES)[number], string>>
>;

/**
 * The listener's environment: what is not set is left out. It holds no secret, only paths to them.
 *
 * @throws Error naming each value that the listener would refuse, since its pods would never start
 */
export function listenerEnvironment(
  settings: FileProcessingSettings,
  { topicArn, queueUrl, rules }: ListenerSources,
): ListenerEnvironment {
  const environment: ListenerEnvironment = {
    PORT: `${HTTP_PORT.number}`,
    METRICS_PORT: `${METRICS_PORT.number}`,
    KEEP_ALIVE_SECONDS: keepAliveSeconds(settings),
    LOG_LEVEL: settings.log_level,
    SHUTDOWN_SECONDS: `${SHUTDOWN_SECONDS}`,
    WORKER_CONCURRENCY: `${settings.worker_concurrency}`,
    CLIENT_WEIGHTS: clientWeights(settings),
    ...jobEnvironment(settings),
    KEY_MEMORY_MIB: `${keyMemoryMib(settings)}`,
    SCRATCH_MIB: `${mebibytes(settings.scratch_limit)}`,
    MAX_UNPACKED_MIB: `${mebibytes(settings.max_unpacked)}`,
    MAX_COMPRESSION_RATIO: `${settings.max_compression_ratio}`,
    AWS_REGION: settings.aws_region,
    AWS_USE_FIPS_ENDPOINT: settings.fips_endpoints ? 'true' : '',
    ...bucketEnvironment(bucketsOf(settings)),
    REPORT_PREFIX: settings.report_prefix,
    // The role may write below the prefix, and nowhere without one.
    WRITE_REPORTS: settings.report_prefix === '' ? 'false' : 'true',
    REPORT_VALUES: settings.report_values ? 'true' : '',
    FORGET_REPORTS: forgetsReports(settings) ? 'true' : 'false',
    // Said in any case, so that rules are checked by it.
    ROUTING_TAGS: settings.routing_tags ? 'true' : 'false',
    ROUTING_TARGETS: routingTargets(settings),
    SNS_TOPIC_ARNS: topicArn,
    SNS_MAX_AGE_SECONDS: `${settings.sns_max_age_seconds}`,
    SQS_QUEUE_URL: queueUrl ?? '',
    RULES_LOCATION: rules?.size ? RULES_FOLDER : settings.rules_location,
    UNMONITORED: settings.unmonitored,
    RETENTION_DAYS: `${settings.retention_days}`,
    // Events of EventBridge are not signed.
    SQS_TRUSTED_SOURCES: usesEventBridge(settings)
      ? bucketsOf(settings)
          .map(({ name, account }) => `${name}@${account || settings.account_id}`)
          .join(',')
      : '',
    ...noticeEnvironment(settings),
    ...traceEnvironment(settings),
    ...databaseEnvironment(settings),
    ...proxyEnvironment(settings),
  };
  const set = Object.entries(environment).filter(([, value]) => value !== '');
  const faults = set.flatMap(([name, value]) => faultOf(name, value));
  if (faults.length > 0) throw new Error(`the listener would refuse ${faults.join('; ')}`);
  return Object.fromEntries(set);
}

/**
 * An Ingress keeps its connections for 60 seconds (Application Load Balancers, "idle timeout", and
 * ingress-nginx, "upstream-keepalive-timeout") and must be the one to close them. A network load balancer
 * passes the clients' own connections on, and whoever keeps one idle keeps others out.
 */
function keepAliveSeconds(settings: FileProcessingSettings): string {
  if (!hasEndpoint(settings)) return '';
  return settings.ingress_class_name === '' ? '5' : '65';
}

/** In the order of the names, so that the order in which they were written changes nothing. */
function clientWeights({ client_weights }: FileProcessingSettings): string {
  const weights = Object.entries(client_weights).sort(([a], [b]) => (a < b ? -1 : 1));
  if (weights.length === 0) return '';
  return JSON.stringify(
    Object.fromEntries(weights.map(([client, weight]) => [client, Number(weight)])),
  );
}

/** Memory of a pod that is not for keys, in MiB: the process, and the records that it reads. */
const OTHER_MEMORY_MIB = 256;
/** The listener's own default, and what a small pod has for a file at least. */
const MOST_KEY_MEMORY_MIB = 128;
const LEAST_KEY_MEMORY_MIB = 8;

/** What each file may have of a pod's memory, when as many as are checked at a time need it at once. */
function keyMemoryMib({ memory_limit, worker_concurrency }: FileProcessingSettings): number {
  const share = Math.floor((mebibytes(memory_limit) - OTHER_MEMORY_MIB) / worker_concurrency);
  return Math.min(MOST_KEY_MEMORY_MIB, Math.max(LEAST_KEY_MEMORY_MIB, share));
}

/** What only Terraform knows can't be judged. */
function faultOf(name: string, value: string): readonly string[] {
  if (!isVariable(name) || value.includes('${')) return [];
  const read = readVariable(name, value);
  return 'fault' in read ? [faultText(read.fault)] : [];
}

function isVariable(name: string): name is VariableName {
  return Object.hasOwn(LISTENER_VARIABLES, name);
}

/** One bucket of the stack's own account has the variables that it always had. */
function bucketEnvironment(buckets: readonly Bucket[]): ListenerEnvironment {
  const [only] = buckets;
  if (buckets.length === 1 && only?.account === '') {
    return {
      S3_BUCKET: only.name,
      S3_PREFIXES: only.prefixes.join(','),
      S3_SUFFIX: only.suffix,
    };
  }
  return {
    S3_BUCKETS: JSON.stringify(
      buckets.map(
        ({ name, prefixes, suffix, account }): DeliveryBucket => ({
          name,
          prefixes,
          ...(suffix && { suffix }),
          ...(account && { account }),
        }),
      ),
    ),
  };
}

function routingTargets(settings: FileProcessingSettings): string {
  const targets = routingPlaces(settings).map(
    ({ bucket, prefix, account }): RoutingTarget => ({
      bucket,
      prefix,
      ...(account && { account }),
    }),
  );
  return targets.length === 0 ? '' : JSON.stringify(targets);
}

function proxyEnvironment({ http_proxy, no_proxy }: FileProcessingSettings): ListenerEnvironment {
  if (http_proxy === '') return {};
  return {
    HTTP_PROXY: http_proxy,
    HTTPS_PROXY: http_proxy,
    NO_PROXY: [...NEVER_PROXIED, ...no_proxy].join(','),
    NODE_USE_ENV_PROXY: '1',
  };
}

/** Nothing where the pods judge all files. */
function jobEnvironment(settings: FileProcessingSettings): ListenerEnvironment {
  if (settings.job_runner === 'pool') return {};
  return {
    JOB_RUNNER: settings.job_runner,
    JOB_SIZE_BYTES: `${settings.job_size_bytes}`,
    JOB_LIMIT: `${settings.job_limit}`,
    JOB_TEMPLATE: `${JOBS_FOLDER}/${JOB_TEMPLATE_FILE}`,
  };
}

/** Nothing where notices have no way out. */
function noticeEnvironment(settings: FileProcessingSettings): ListenerEnvironment {
  if (!tells(settings)) return {};
  const { notice_email: way, notice_webhook_urls: urls, notice_secret_name: secret } = settings;
  const fileOf = (key: NoticeSecretKey) => (secret === '' ? '' : `${NOTICES_FOLDER}/${key}`);
  return {
    NOTICE_STATES: settings.notice_states.join(','),
    NOTICE_TOPIC_ARN: settings.notice_topic_arn,
    ...(way !== 'none' && {
      NOTICE_EMAIL: way,
      NOTICE_EMAIL_FROM: settings.notice_email_from,
      NOTICE_OPERATORS: settings.notice_operators.join(','),
    }),
    ...(way === 'smtp' && {
      NOTICE_SMTP_HOST: settings.notice_smtp_host,
      NOTICE_SMTP_PORT: `${settings.notice_smtp_port}`,
      NOTICE_SMTP_USER_FILE: fileOf('NOTICE_SMTP_USER'),
      NOTICE_SMTP_PASSWORD_FILE: fileOf('NOTICE_SMTP_PASSWORD'),
    }),
    ...(urls.length > 0 && {
      NOTICE_WEBHOOK_URLS: urls.join(','),
      NOTICE_WEBHOOK_PRIVATE_HOSTS: settings.notice_webhook_private_hosts.join(','),
      NOTICE_WEBHOOK_SECRETS_FILE: fileOf('NOTICE_WEBHOOK_SECRETS'),
    }),
  };
}

/** What follows a message is recorded where the message is. */
function traceEnvironment({
  otlp_endpoint: endpoint,
  otlp_headers_revision: revision,
  trace_percent: percent,
}: FileProcessingSettings): ListenerEnvironment {
  if (endpoint === '') return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...(revision > 0 && {
      [`${COLLECTOR_SECRET_KEY}_FILE`]: `${COLLECTOR_FOLDER}/${COLLECTOR_SECRET_KEY}`,
    }),
    ...(percent < 100 && {
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: `${percent / 100}`,
    }),
  };
}

/** Keys of the Secret of notices that a listener with these settings reads. */
export function noticeSecretKeys(
  settings: Pick<
    FileProcessingSettings,
    'notice_email' | 'notice_webhook_urls' | 'notice_secret_name'
  >,
): readonly NoticeSecretKey[] {
  if (settings.notice_secret_name === '') return [];
  return [
    ...(settings.notice_email === 'smtp'
      ? (['NOTICE_SMTP_USER', 'NOTICE_SMTP_PASSWORD'] as const)
      : []),
    ...(settings.notice_webhook_urls.length > 0 ? (['NOTICE_WEBHOOK_SECRETS'] as const) : []),
  ];
}

type NoticeSecretKey = 'NOTICE_SMTP_USER' | 'NOTICE_SMTP_PASSWORD' | 'NOTICE_WEBHOOK_SECRETS';

function databaseEnvironment(settings: FileProcessingSettings): ListenerEnvironment {
  const credentials = databaseCredentials(settings);
  return {
    DB_SCHEMA: settings.db_schema,
    ...(settings.db_host !== '' && {
      DB_HOST: settings.db_host,
      DB_PORT: `${settings.db_port}`,
      DB_NAME: settings.db_name,
      DB_USER: settings.db_user,
      // As libpq's sslmode: a password or an IAM token goes to nobody but the host's certificate.
      DB_SSL: 'verify-full',
    }),
    ...(settings.db_iam_auth && { DB_IAM_AUTH: 'true' }),
    ...(credentials && credentialsFile(credentials.key)),
  };
}

/** The listener's environment. */
export function createConfigMap(
  scope: Construct,
  namespace: string,
  environment: Readonly<Record<string, string>>,
  dependsOn: ITerraformDependable[],
): ConfigMapV1 {
  return new ConfigMapV1(scope, 'config', {
    metadata: { name: CONFIG_MAP, namespace, labels: LABELS },
    data: environment,
    dependsOn,
  });
}

/**
 * The rule set. The pods' template says nothing of its content: the listener applies a change by itself, one replica for all of
 * them, while new pods would take up room, end what is in hand and stay away where the rules are broken.
 */
export function createRules(
  scope: Construct,
  namespace: string,
  rules: RuleTexts,
  dependsOn: ITerraformDependable[],
): ConfigMapV1 {
  return new ConfigMapV1(scope, 'rules', {
    metadata: { name: RULES_CONFIG_MAP, namespace, labels: LABELS },
    // The settings' reader has refused paths without a key.
    data: Object.fromEntries([...rules].map(([path, text]) => [configMapKey(path) ?? path, text])),
    dependsOn,
  });
}

function credentialsFile(key: DatabaseCredentials['key']): ListenerEnvironment {
  const name: FileVariableName = `${key}_FILE`;
  return { [name]: `${SECRETS_FOLDER}/${key}` };
}
