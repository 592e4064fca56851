import { parseTopicArn } from './arn.ts';
import {
  CONSOLE_GRANTS,
  CONSOLE_TOKENS,
  ORIGIN,
  readConsoleGrants,
  readConsoleTokens,
  readOrigin,
} from './console.ts';
import { JOB_RUNNERS } from './listener-interface.ts';
import {
  DEFAULT_NOTICE_STATES,
  isMailAddress,
  MAIL_ADDRESS,
  NOTICE_STATES,
  readWebhookSecrets,
  readWebhookUrl,
  WEBHOOK_SECRETS,
  WEBHOOK_URL,
} from './notices.ts';
import { isRegion } from './partition.ts';
import { ROUTING_TARGETS, readRoutingTargets } from './routing.ts';
import { type RulesLocation, readRulesLocation } from './rule-set.ts';
import {
  DELIVERY_BUCKETS,
  type DeliveryBucket,
  readDeliveryBuckets,
  readTrustedSource,
} from './s3-event.ts';
import { isBucketName, isKeySuffix, KEY_SUFFIX } from './s3-object.ts';
import { SIGNATURE_VERSIONS } from './sns-envelope.ts';
import {
  httpAddress,
  type Kind,
  listOf,
  matching,
  oneOf,
  share,
  text,
  textThat,
  wholeNumber,
  wholeNumbersByName,
} from './variable-kinds.ts';

/** One environment variable of the listener. */
export interface ListenerVariable<T> {
  /** One sentence for the table in docs/listener.md. */
  readonly description: string;
  readonly kind: Kind<T>;
  /** The text that stands in when nothing is set. */
  readonly default?: string;
  readonly example: string;
  /** Its value is never shown. */
  readonly secret?: true;
  /** `NAME_FILE` may name a file that holds the value: a mounted secret. */
  readonly file?: true;
}

/** What a schema of the listener's may be called, in words. */
export const SCHEMA_NAME =
  '1 to 44 lower-case letters, digits and underscores, not starting with a digit, and neither public, information_schema nor a name that begins with pg_';

/**
 * Whether a schema may have the name: one that SQL needs no quotes for. PostgreSQL keeps `pg_` for itself, and
 * pg-boss takes 50 characters, `_queue` included. What is in `public` is everybody's.
 */
export function isSchemaName(name: string): boolean {
  return (
    /^[a-z_][a-z0-9_]{0,43}$/.test(name) &&
    !name.startsWith('pg_') &&
    !['public', 'information_schema'].includes(name)
  );
}

/** Days that a message may wait in a queue of SQS: as long as SQS keeps one. */
const QUEUE_DAYS = 14;
const DAY_SECONDS = 86_400;

/** Age from which a message of a queue is refused: it may have waited there, and then in its dead-letter queue. */
export const LONGEST_IN_QUEUES_SECONDS = 2 * QUEUE_DAYS * DAY_SECONDS;

/** What OTEL_TRACES_SAMPLER may be (OpenTelemetry specification, "SDK environment variables"), but for remote samplers. */
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** What {@link areOtlpHeaders} accepts, in words. */
export const OTLP_HEADERS =
  'pairs such as api-key=secret with commas between them, percent-encoded';

/** Whether a text is a list of headers as W3C Baggage has them. */
export function areOtlpHeaders(value: string): boolean {
  const arePairs =
    /^\s*[\w!#$%&'*+.^`|~-]+\s*=([^,;%]|%[0-9a-f]{2})*(,\s*[\w!#$%&'*+.^`|~-]+\s*=([^,;%]|%[0-9a-f]{2})*)*$/i;
  return arePairs.test(value) && canBeSent(value);
}

/** Whether it is decoded, to characters that HTTP allows in a header. */
function canBeSent(encoded: string): boolean {
  try {
    return /^[\t\x20-\x7e\x80-\xff]*$/.test(decodeURIComponent(encoded));
  } catch {
    return false;
  }
}

/** What UNMONITORED may be. */
export const UNMONITORED_CHOICES = ['judge', 'warn', 'fail'] as const;

/** The highest weight of a client in the queue. */
export const HIGHEST_WEIGHT = 100;

/** The highest RETENTION_DAYS. */
export const LONGEST_RETENTION_DAYS = 10_000;

/**
 * The lowest RETENTION_DAYS: a message is known by its record, which must not be deleted while the message could
 * still come and be taken.
 *
 * @param maxAgeSeconds - SNS_MAX_AGE_SECONDS
 */
export function shortestRetentionDays(maxAgeSeconds: number): number {
  const refusedAfter = Math.max(maxAgeSeconds, LONGEST_IN_QUEUES_SECONDS) / DAY_SECONDS;
  return Math.ceil(refusedAfter) + QUEUE_DAYS;
}

function rulesLocation(): Kind<RulesLocation> {
  return {
    allowed: 's3://BUCKET/PREFIX/ with a slash at its end, or an absolute folder',
    read: readRulesLocation,
  };
}

/**
 * Every variable of the listener's environment. The listener reads by this table, the stack writes by
 * it, the audit judges by it, and docs/listener.md prints it.
 */
export const LISTENER_VARIABLES = {
  PORT: {
    description: 'Port for SNS deliveries; 0 takes any free port.',
    kind: wholeNumber(0, 65_535),
    default: '8080',
    example: '8080',
  },
  METRICS_PORT: {
    description: 'Port for `GET /metrics` and for probes; 0 takes any free port.',
    kind: wholeNumber(0, 65_535),
    default: '9090',
    example: '9090',
  },
  KEEP_ALIVE_SECONDS: {
    description:
      'How long a connection may wait for its next request. Keep it above the idle time-out of a proxy in front (60 for an Application Load Balancer), or the proxy sends requests into connections that are being closed; use a few seconds if clients connect directly.',
    kind: wholeNumber(1, 3_600),
    default: '65',
    example: '5',
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    description:
      'Connections that one address may have, 0 for no limit. Use it only if source addresses are those of the clients, not of nodes or proxies: otherwise it keeps SNS out.',
    kind: wholeNumber(0, 1_000),
    default: '0',
    example: '50',
  },
  SNS_TOPIC_ARNS: {
    description: 'Topics whose messages are accepted; required if SNS delivers over HTTP.',
    kind: listOf({ allowed: 'the ARN of an SNS standard topic', read: parseTopicArn }),
    example: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic',
  },
  SNS_SIGNATURE_VERSIONS: {
    description: 'SNS signature versions that are accepted: 1 is SHA1, 2 is SHA256.',
    kind: listOf(oneOf(...SIGNATURE_VERSIONS)),
    default: '2',
    example: '1,2',
  },
  SNS_MAX_AGE_SECONDS: {
    description: 'Messages that SNS signed longer ago are refused.',
    kind: wholeNumber(1, 31_536_000),
    default: '86400',
    example: '3600',
  },
  AWS_REGION: {
    description: 'Region of the S3, SNS and SQS clients.',
    kind: textThat(isRegion, 'a region such as us-gov-west-1'),
    example: 'us-gov-west-1',
  },
  SQS_QUEUE_URL: {
    description:
      'Queue that the topic delivers to (`delivery = "sqs"`): messages are received from it.',
    kind: httpAddress(),
    example:
      'https://sqs.us-gov-west-1.amazonaws.com/123456789012/file-processing-topic-deliveries',
  },
  SQS_TRUSTED_SOURCES: {
    description:
      'Buckets, each with the account that owns it, whose events are accepted from the queue without a signature, as S3 or EventBridge puts them there: whoever may send to the queue is then trusted. `check` verifies its policy.',
    kind: listOf({
      allowed: 'bucket@account, with an account of twelve digits',
      read: readTrustedSource,
    }),
    example: 'etl-ba-research-client-etl@123456789012',
  },
  AWS_ENDPOINT_URL_SNS: {
    description:
      'Another SNS than AWS (an emulator); certificates from there, `SimpleNotificationService-<hex>.pem` in any folder, are trusted as well.',
    kind: httpAddress(),
    example: 'http://127.0.0.1:4566',
  },
  AWS_ENDPOINT_URL: {
    description:
      'Another AWS for every client. AWS_ENDPOINT_URL_SNS overrides it for SNS; S3 and SQS have no such variable. Certificates from there are not trusted: that takes AWS_ENDPOINT_URL_SNS.',
    kind: httpAddress(),
    example: 'http://127.0.0.1:4566',
  },
  AWS_USE_FIPS_ENDPOINT: {
    description: 'Whether every client calls the FIPS endpoints; not together with another AWS.',
    kind: oneOf('true', 'false'),
    default: 'false',
    example: 'true',
  },
  S3_BUCKET: {
    description:
      'Bucket that the clients drop their files into; objects of other buckets are ignored. `check` looks into it.',
    kind: textThat(isBucketName, 'the name of a bucket'),
    example: 'etl-ba-research-client-etl',
  },
  S3_PREFIXES: {
    description:
      'Key prefixes of the files that are checked; objects below none of them are ignored. `check` looks below the first.',
    kind: listOf(text('a key prefix')),
    example: 'from_client/',
  },
  S3_SUFFIX: {
    description: 'Key suffix of the files that are checked; objects with another one are ignored.',
    kind: textThat(isKeySuffix, KEY_SUFFIX),
    example: '.csv',
  },
  S3_BUCKETS: {
    description:
      'Several buckets, instead of S3_BUCKET, S3_PREFIXES and S3_SUFFIX, which must then not be set. A bucket with an `account` is read and written only while that account owns it.',
    kind: { allowed: DELIVERY_BUCKETS, read: readDeliveryBuckets },
    example: '[{"name":"etl-a","prefixes":["from_client/"]},{"name":"etl-b","suffix":".csv"}]',
  },
  REPORT_PREFIX: {
    description: 'Key prefix of our own reports; objects under it are ignored.',
    kind: matching(/^[^/].*\/$/, 'a key prefix that ends with a slash and begins with none'),
    default: 'data_quality_reports/',
    example: 'data_quality_reports/',
  },
  WRITE_REPORTS: {
    description:
      "Whether each verdict's report is also written to the file's bucket, below REPORT_PREFIX, which must then be set.",
    kind: oneOf('true', 'false'),
    default: 'false',
    example: 'true',
  },
  REPORT_VALUES: {
    description:
      'Whether a report in the bucket shows values of internal columns, not only their shapes.',
    kind: oneOf('true', 'false'),
    default: 'false',
    example: 'true',
  },
  FORGET_REPORTS: {
    description:
      'Whether `forget` also deletes the reports of files in the bucket, and their copies, in all versions; it needs the right to do so.',
    kind: oneOf('true', 'false'),
    default: 'true',
    example: 'false',
  },
  ROUTING_TAGS: {
    description:
      'Whether a rule set may have delivered files tagged with their verdicts (`onVerdict`); not with LOCAL_S3_ROOT.',
    kind: oneOf('true', 'false'),
    default: 'false',
    example: 'true',
  },
  ROUTING_TARGETS: {
    description:
      'Places that a rule set may have files copied to by their verdicts (`onVerdict`); without it there are none. Objects below them are never taken for deliveries.',
    kind: { allowed: ROUTING_TARGETS, read: readRoutingTargets },
    example: '[{"bucket":"agency-checked-files","prefix":"checked/"}]',
  },
  LOCAL_S3_ROOT: {
    description: 'Folder that stands in for S3: `<root>/<bucket>/<key>`, else `<root>/<key>`.',
    kind: text('a folder that is there'),
    example: './data',
  },
  WORKER_CONCURRENCY: {
    description: 'Files that one process checks at the same time.',
    kind: wholeNumber(1, 64),
    default: '8',
    example: '4',
  },
  CLIENT_WEIGHTS: {
    description:
      'Weights of clients in the queue: the next files to check are shared among the clients whose files wait, by these weights; default 1. See [sharing between clients](scale.md#sharing-between-clients).',
    kind: wholeNumbersByName(1, HIGHEST_WEIGHT),
    example: '{"nm_albuquerque":3}',
  },
  JOB_RUNNER: {
    description:
      'Where files are judged: `pool` is the worker pool of the listener; with `auto`, files of JOB_SIZE_BYTES or more are judged by [Kubernetes Jobs](scale.md#where-a-file-is-judged).',
    kind: oneOf(...JOB_RUNNERS),
    default: 'pool',
    example: 'auto',
  },
  JOB_SIZE_BYTES: {
    description:
      'Size of an object, in bytes, from which it is judged by a Job; unknown sizes count as 0.',
    kind: wholeNumber(0, 1_099_511_627_776),
    default: '1073741824',
    example: '4294967296',
  },
  JOB_LIMIT: {
    description: 'Jobs that may exist at the same time; the other files wait in the database.',
    kind: wholeNumber(1, 1_000),
    default: '20',
    example: '50',
  },
  JOB_TEMPLATE: {
    description:
      'File with the Job that the stack has prepared; required with `auto`, and read again for each Job.',
    kind: text('a file that is there'),
    example: '/etc/file-processing/jobs/template.json',
  },
  KUBERNETES_SERVICE_HOST: {
    description: 'Host of the API server, with `auto`; Kubernetes sets it in each pod.',
    kind: text('a host name or an address'),
    default: 'kubernetes.default.svc',
    example: '10.100.0.1',
  },
  KUBERNETES_SERVICE_PORT: {
    description: 'Its port; Kubernetes sets it in each pod.',
    kind: wholeNumber(1, 65_535),
    default: '443',
    example: '443',
  },
  SERVICE_ACCOUNT_FOLDER: {
    description:
      'Folder with the token of the pod, the certificate of the API server and the namespace, with `auto`.',
    kind: text('a folder that is there'),
    default: '/var/run/secrets/kubernetes.io/serviceaccount',
    example: '/var/run/secrets/kubernetes.io/serviceaccount',
  },
  SHUTDOWN_SECONDS: {
    description: 'Time between SIGTERM and exit; what is still running then returns to the queue.',
    kind: wholeNumber(1, 600),
    default: '25',
    example: '25',
  },
  RULES_LOCATION: {
    description:
      'Location of the rule set that the listener applies at startup and within two minutes of a change: an S3 prefix that `manage rules-push` writes, or a folder, such as the mount of a ConfigMap. Without it, rules are applied by hand.',
    kind: rulesLocation(),
    example: 's3://agency-rules/file-processing/',
  },
  UNMONITORED: {
    description:
      'What happens to a file that no monitored file describes: `judge` keeps the verdict on its structure, `warn` turns `passed` into `warned`, `fail` fails it. Its verdict says `rules: none` in any case.',
    kind: oneOf(...UNMONITORED_CHOICES),
    default: 'warn',
    example: 'fail',
  },
  NOTICE_STATES: {
    description: 'What e-mails and webhooks report: `warned` and `passed` may be added.',
    kind: listOf(oneOf(...NOTICE_STATES)),
    default: DEFAULT_NOTICE_STATES.join(','),
    example: 'failed,warned,recovered,corrected,late,missing',
  },
  NOTICE_EMAIL: {
    description:
      'Sends notices by e-mail to the contact of the monitored file and to NOTICE_OPERATORS: through an SMTP server, or through Amazon SES in AWS_REGION.',
    kind: oneOf('smtp', 'ses'),
    example: 'smtp',
  },
  NOTICE_EMAIL_FROM: {
    description: 'Sender of these e-mails; required with NOTICE_EMAIL.',
    kind: textThat(isMailAddress, MAIL_ADDRESS),
    example: 'data-quality@example.org',
  },
  NOTICE_OPERATORS: {
    description:
      'People who are told of every monitored and unmonitored file, in addition to its contact.',
    kind: listOf(textThat(isMailAddress, MAIL_ADDRESS)),
    example: 'data-team@example.org',
  },
  NOTICE_SMTP_HOST: {
    description:
      'SMTP server; TLS is required, by STARTTLS or from the start on port 465, except on this machine.',
    kind: matching(/^[A-Za-z0-9_.:-]+$/, 'a host name or an address'),
    example: 'smtp.example.org',
  },
  NOTICE_SMTP_PORT: {
    description: 'Port of the SMTP server.',
    kind: wholeNumber(1, 65_535),
    default: '587',
    example: '465',
  },
  NOTICE_SMTP_USER: {
    description: 'User at the SMTP server; without one, the listener does not sign in.',
    kind: text('a user name'),
    example: 'file-processing',
    file: true,
  },
  NOTICE_SMTP_PASSWORD: {
    description: "The user's password.",
    kind: text('a password'),
    example: 'secret',
    secret: true,
    file: true,
  },
  NOTICE_WEBHOOK_URLS: {
    description:
      'The only addresses that notices are posted to, as JSON signed as in Standard Webhooks.',
    kind: listOf({ allowed: WEBHOOK_URL, read: readWebhookUrl }),
    example: 'https://tickets.example.org/hooks/data-quality',
  },
  NOTICE_WEBHOOK_SECRETS: {
    description: `By what they are signed: ${WEBHOOK_SECRETS}; required with NOTICE_WEBHOOK_URLS.`,
    kind: { allowed: WEBHOOK_SECRETS, read: readWebhookSecrets },
    example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    secret: true,
    file: true,
  },
  NOTICE_WEBHOOK_PRIVATE_HOSTS: {
    description:
      'Hosts of NOTICE_WEBHOOK_URLS that may have private addresses; connections to other private addresses are refused.',
    kind: listOf(matching(/^[A-Za-z0-9.:[\]-]+$/, 'a host name or an address')),
    example: 'tickets.internal.example.org',
  },
  NOTICE_TOPIC_ARN: {
    description:
      'Topic that gets every change, with the attributes `state`, `verdict`, `client` and `mapping` for filter policies; none of SNS_TOPIC_ARNS.',
    kind: { allowed: 'the ARN of an SNS standard topic', read: parseTopicArn },
    example: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-notices',
  },
  CONSOLE_PORT: {
    description: 'Port of `console` if no `--port` is given; default, and with 0, a free one.',
    kind: wholeNumber(0, 65_535),
    example: '8070',
  },
  CONSOLE_HOST: {
    description:
      'Address that `console` listens on. On a local address it prints an address with a token; on any other, nobody can sign in that way.',
    kind: matching(/^(\d{1,3}(\.\d{1,3}){3}|[\da-fA-F.]*:[\da-fA-F:.]+)$/, 'an IP address'),
    default: '127.0.0.1',
    example: '0.0.0.0',
  },
  CONSOLE_ORIGIN: {
    description:
      'Address at which browsers open the console, if it is not on this machine; requests and forms for other hosts are refused.',
    kind: { allowed: ORIGIN, read: readOrigin },
    example: 'https://console.example.org',
  },
  CONSOLE_IDLE_MINUTES: {
    description: 'A console session ends after this many minutes without a request.',
    kind: wholeNumber(1, 1_440),
    default: '30',
    example: '15',
  },
  CONSOLE_SESSION_HOURS: {
    description: 'A console session ends after this many hours at the latest.',
    kind: wholeNumber(1, 168),
    default: '12',
    example: '8',
  },
  CONSOLE_TOKENS: {
    description:
      "Rights in the console of scripts that send a token as `Authorization: Bearer`; only each token's SHA-256 is stored here.",
    kind: { allowed: CONSOLE_TOKENS, read: readConsoleTokens },
    example: `[{"name":"ci","sha256":"${'0a'.repeat(32)}","rights":["look"]}]`,
    secret: true,
    file: true,
  },
  CONSOLE_GRANTS: {
    description:
      'Rights in the console of people who sign in, by group or name: the first match counts, and users without a match are refused.',
    kind: { allowed: CONSOLE_GRANTS, read: readConsoleGrants },
    example:
      '[{"group":"data-team","rights":["look","act"]},{"group":"nm","rights":["look"],"clients":["nm_albuquerque"]}]',
  },
  CONSOLE_OIDC_ISSUER: {
    description:
      'Provider at which people sign in to the console (OpenID Connect: authorization code with PKCE); its redirect URI is CONSOLE_ORIGIN with `/signed-in`.',
    kind: { allowed: WEBHOOK_URL, read: readWebhookUrl },
    example: 'https://login.example.org/realms/agency',
  },
  CONSOLE_OIDC_CLIENT_ID: {
    description: 'Client ID of the console at the provider.',
    kind: text('the id of a client'),
    example: 'file-processing',
  },
  CONSOLE_OIDC_CLIENT_SECRET: {
    description: "The client's secret; it also encrypts what a browser keeps during sign-in.",
    kind: textThat((secret) => secret.length >= 16, 'a secret of 16 characters or more'),
    example: 'a-secret-of-the-provider',
    secret: true,
    file: true,
  },
  CONSOLE_OIDC_SCOPES: {
    description: 'Scopes requested from the provider, including `openid`.',
    kind: matching(
      /^(?:[\w.:/-]+ )*openid(?: [\w.:/-]+)*$/,
      'scopes with a blank between them, openid among them',
    ),
    default: 'openid profile email',
    example: 'openid email groups',
  },
  CONSOLE_OIDC_NAME_CLAIM: {
    description:
      "Claim of the ID token with the user's name, as it is shown and recorded; an `email` that the provider calls unverified does not count.",
    kind: text('the name of a claim'),
    default: 'email',
    example: 'preferred_username',
  },
  CONSOLE_OIDC_GROUPS_CLAIM: {
    description: 'Claim of the ID token with the groups of CONSOLE_GRANTS.',
    kind: text('the name of a claim'),
    default: 'groups',
    example: 'cognito:groups',
  },
  CONSOLE_PROXY_SECRET: {
    description:
      'Secret that a proxy in front of the console sends in `X-Console-Proxy-Secret`, so that its headers are trusted; without it, they are ignored.',
    kind: textThat((secret) => secret.length >= 32, 'a secret of 32 characters or more'),
    example: 'a-long-secret-that-only-the-proxy-knows',
    secret: true,
    file: true,
  },
  CONSOLE_PROXY_USER_HEADER: {
    description:
      'Header in which the proxy names the user; it must overwrite one that a browser sends.',
    kind: matching(/^[A-Za-z][A-Za-z0-9-]*$/, 'the name of a header'),
    default: 'X-Forwarded-User',
    example: 'X-Forwarded-Email',
  },
  CONSOLE_PROXY_GROUPS_HEADER: {
    description: "Header with the user's groups, separated by commas, which it must overwrite too.",
    kind: matching(/^[A-Za-z][A-Za-z0-9-]*$/, 'the name of a header'),
    default: 'X-Forwarded-Groups',
    example: 'X-Forwarded-Groups',
  },
  LOG_LEVEL: {
    description: 'Least severe level that is logged.',
    kind: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
    example: 'debug',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    description:
      'Collector that traces are sent to by OTLP over HTTP, at its path `/v1/traces`; without it, there are no traces. Variables that the OpenTelemetry SDK reads itself apply as well: OTEL_EXPORTER_OTLP_TIMEOUT, _COMPRESSION, _CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY, and OTEL_RESOURCE_ATTRIBUTES.',
    kind: httpAddress(),
    example: 'http://collector.observability.svc:4318',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    description: 'The whole address that traces are sent to, instead.',
    kind: httpAddress(),
    example: 'https://traces.example.org/v1/traces',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    description: 'Headers that a collector asks for, such as a key.',
    kind: textThat(areOtlpHeaders, OTLP_HEADERS),
    example: 'api-key=secret',
    secret: true,
    file: true,
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    description: 'Protocol of OTLP; there is one.',
    kind: oneOf('http/protobuf'),
    default: 'http/protobuf',
    example: 'http/protobuf',
  },
  OTEL_TRACES_SAMPLER: {
    description:
      'Which traces are recorded. With `parentbased_`, the work that follows a message is recorded if the message was.',
    kind: oneOf(...SAMPLERS),
    default: 'parentbased_always_on',
    example: 'parentbased_traceidratio',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    description: 'Share of the traces that a sampler by ratio records.',
    kind: share(),
    default: '1',
    example: '0.05',
  },
  OTEL_SERVICE_NAME: {
    description: 'Name of the service in its traces.',
    kind: text('a name'),
    default: 'file-processing',
    example: 'file-processing-test',
  },
  OTEL_SDK_DISABLED: {
    description: 'Turns traces off, whatever the other variables say.',
    kind: oneOf('true', 'false'),
    default: 'false',
    example: 'true',
  },
  MAX_FAULTS: {
    description:
      'Faults that a report holds in full, 20 of each kind and column at most; totals are always exact.',
    kind: wholeNumber(0, 100_000),
    default: '1000',
    example: '100',
  },
  KEY_MEMORY_MIB: {
    description:
      'Memory, in MiB, that the keys of all unique fields of one file may take; hashes of further keys go to disk.',
    kind: wholeNumber(0, 65_536),
    default: '128',
    example: '512',
  },
  PARALLEL_MIB: {
    description:
      'Size, in MiB, from which a file is read by several threads: its own and up to four that all files in progress share, at most as many as the machine can run at once; 0 is never. It takes up to 1.1 times the CPU time on two cores for files of 1 GB and more, 1.3 times for 300 MB; more cores were not tried.',
    kind: wholeNumber(0, 1_048_576),
    default: '256',
    example: '0',
  },
  SCRATCH_MIB: {
    description:
      'Disk, in MiB, that these hashes may take in the temporary folder for all files in progress; a file that needs more is an error, and is retried.',
    kind: wholeNumber(0, 1_048_576),
    default: '1024',
    example: '4096',
  },
  MAX_UNPACKED_MIB: {
    description: 'Largest content, in MiB, of a compressed file; a file with more is unreadable.',
    kind: wholeNumber(1, 1_048_576),
    default: '65536',
    example: '4096',
  },
  MAX_COMPRESSION_RATIO: {
    description:
      'Largest ratio of content to compressed size, once the content exceeds 64 MiB; a file above it is unreadable, as a bomb would be.',
    kind: wholeNumber(1, 1_000_000),
    default: '250',
    example: '1000',
  },
  RETENTION_DAYS: {
    description:
      'Age from which messages, reports in the database, error texts and dead letters are deleted, messages and reports a month at a time; each object and its verdict stay. At least 42, and 14 more than the days of SNS_MAX_AGE_SECONDS.',
    kind: wholeNumber(1, LONGEST_RETENTION_DAYS),
    default: '400',
    example: '400',
  },
  DATABASE_URL: {
    description:
      'The PostgreSQL database; takes precedence over DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD.',
    kind: text('postgresql://USER:PASSWORD@HOST:PORT/NAME, with at most ?sslmode= behind it'),
    example: 'postgresql://file_processing:secret@db.internal:5432/file_processing',
    secret: true,
    file: true,
  },
  DB_HOST: {
    description: 'Host of the database, or the folder of its socket.',
    kind: matching(/^(\/\S*|[A-Za-z0-9_.:-]+)$/, 'a host name, an address or an absolute folder'),
    example: 'db.internal',
    file: true,
  },
  DB_PORT: {
    description: 'Port of the database.',
    kind: wholeNumber(1, 65_535),
    default: '5432',
    example: '5432',
    file: true,
  },
  DB_NAME: {
    description: 'Name of the database.',
    kind: text('the name of a database'),
    example: 'file_processing',
    file: true,
  },
  DB_SCHEMA: {
    description:
      "Schema of the listener's tables; its queue's tables are in another one, whose name ends in `_queue`. `migrate` creates both.",
    kind: textThat(isSchemaName, SCHEMA_NAME),
    default: 'file_processing',
    example: 'file_processing',
  },
  DB_USER: {
    description: 'Role that connects.',
    kind: text('the name of a role'),
    example: 'file_processing',
    file: true,
  },
  DB_PASSWORD: {
    description: "The role's password.",
    kind: text('a password'),
    example: 'secret',
    secret: true,
    file: true,
  },
  DB_IAM_AUTH: {
    description:
      'Signs in to Amazon RDS through IAM, with a token instead of a password; needs AWS_REGION and TLS.',
    kind: oneOf('true', 'false'),
    default: 'false',
    example: 'true',
  },
  DB_LISTENER_USER: {
    description:
      'Role that the listener signs in as, if DB_USER is another: `bootstrap-database` creates both, `migrate` grants it its rights on the tables.',
    kind: text('the name of a role other than DB_USER'),
    example: 'file_processing',
  },
  DB_MASTER_SECRET_ARN: {
    description:
      'Secrets Manager secret with name and password of the master user; only `bootstrap-database` reads it.',
    kind: matching(
      /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]{1,512}$/,
      'the ARN of a secret',
    ),
    example:
      'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-0a1b2c3d-AbCdEf',
  },
  DB_SSL: {
    description:
      'TLS to the database: none, encrypted only, or encrypted with the certificate and host name verified. Default verify-full; disable for a database on this machine.',
    kind: oneOf('disable', 'require', 'verify-full'),
    example: 'verify-full',
  },
  DB_SSL_CA_FILE: {
    description:
      "PEM file with the authorities that may sign the database's certificate (for RDS: its bundle).",
    kind: text('a PEM file'),
    example: '/etc/ssl/rds/global-bundle.pem',
  },
  DB_POOL_SIZE: {
    description: 'Connections to the database that one process opens at most.',
    kind: wholeNumber(2, 100),
    default: '10',
    example: '10',
  },
  DB_CONNECT_TIMEOUT_SECONDS: {
    description: 'Time to get a connection, from the pool or a new one.',
    kind: wholeNumber(1, 60),
    default: '2',
    example: '2',
  },
  DB_STATEMENT_TIMEOUT_SECONDS: {
    description: 'Time that one statement may take; migrations are exempt.',
    kind: wholeNumber(1, 3_600),
    default: '10',
    example: '10',
  },
} as const satisfies Record<string, ListenerVariable<unknown>>;

/** Name of a variable of the listener. */
export type VariableName = keyof typeof LISTENER_VARIABLES;

/** Name of a variable that says which file holds the value of another. */
export type FileVariableName = {
  [N in VariableName]: (typeof LISTENER_VARIABLES)[N] extends { readonly file: true }
    ? `${N}_FILE`
    : never;
}[VariableName];

/** What reading a variable gives. */
export type ValueOf<N extends VariableName> = (typeof LISTENER_VARIABLES)[N] extends {
  readonly kind: Kind<infer T>;
}
  ? T
  : never;

/** One thing that is wrong with an environment. */
export interface VariableFault {
  /** The variable's name. */
  readonly variable: string;
  /** What it held; left out when nothing was set, and always for a secret. */
  readonly value?: string;
  /** What would be right, as a phrase: `a whole number from 1 to 64`. */
  readonly allowed: string;
  /** Why it is refused, when the value alone does not say it. */
  readonly problem?: string;
}

/** The variables that S3_BUCKETS stands in for. */
export const ONE_BUCKET = ['S3_BUCKET', 'S3_PREFIXES', 'S3_SUFFIX'] as const;

/** The buckets of deliveries that an environment names: those of S3_BUCKETS, else the one of the other variables. */
export function deliveryBuckets(
  value: <N extends 'S3_BUCKETS' | (typeof ONE_BUCKET)[number]>(name: N) => ValueOf<N> | undefined,
): readonly DeliveryBucket[] {
  const several = value('S3_BUCKETS');
  if (several !== undefined) return several;
  const name = value('S3_BUCKET');
  const suffix = value('S3_SUFFIX');
  return [{ name, prefixes: value('S3_PREFIXES') ?? [], suffix }];
}

/** Reads the text of a variable as the listener does: its value, or what is wrong with it. */
export function readVariable<N extends VariableName>(
  name: N,
  given: string,
): { readonly value: ValueOf<N> } | { readonly fault: VariableFault } {
  const { kind, secret }: ListenerVariable<unknown> = LISTENER_VARIABLES[name];
  const value = kind.read(given);
  if (value !== undefined) return { value: value as ValueOf<N> };
  const hidden = secret === true || holdsUserInfo(given);
  const shown = hidden ? {} : { value: given };
  return { fault: { variable: name, ...shown, allowed: kind.allowed } };
}

/** As in faults of the settings; a list of buckets may be as long as an environment. */
const LONGEST_VALUE = 120;

/** A fault on one line; a long value is cut. */
export function faultText({ variable, value, allowed, problem }: VariableFault): string {
  const text = JSON.stringify(value) ?? '';
  const cut = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
  const shown = value === undefined ? variable : `${variable}=${cut}`;
  return `${shown}: ${problem ?? 'not allowed'}; allowed: ${allowed}`;
}

/** An address such as `http://user:password@host`: its password must not end up in a log. */
function holdsUserInfo(given: string): boolean {
  return /\/\/[^/]*@/.test(given);
}

/**
 * Variables by which Node.js and the listener's AWS clients go through a proxy (Node.js, "Built-in Proxy Support");
 * the listener itself does not read them.
 */
export const PROXY_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'NODE_USE_ENV_PROXY',
] as const;

/** Credentials and switches that take precedence over what a pod of the listener is given. */
const OVERRIDES =
  /^(AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|ENDPOINT_URL_(?!SNS$).*|CA_BUNDLE|CONTAINER_.*|EC2_METADATA_SERVICE_ENDPOINT)|NODE_(OPTIONS|PATH|TLS_REJECT_UNAUTHORIZED)|LD_(PRELOAD|LIBRARY_PATH)|OPENSSL_CONF|PATH|PG.*)$/;

/** Whether a variable takes precedence over the role, the trust or the runtime that a pod has. */
export function overridesPod(name: string): boolean {
  return OVERRIDES.test(name);
}

/** Whether a variable of a pod is filled by settings: the listener's own, those of files with their values, the proxy's. */
export function isListenerVariable(name: string): boolean {
  // Node.js reads them in small letters first.
  if (PROXY_VARIABLES.some((proxy) => proxy === name.toUpperCase())) return true;
  const table: Readonly<Record<string, ListenerVariable<unknown>>> = LISTENER_VARIABLES;
  return (
    Object.hasOwn(table, name) ||
    (name.endsWith('_FILE') && table[name.slice(0, -5)]?.file === true)
  );
}
