/**
 * The listener's interface, as far as a wrong deployment can miss it: what it reads from its
 * environment, what it serves, how it is called. These are no names of ours to choose: the audit may
 * not import the listener, so a test holds this table against `listener/src`.
 */

/** One environment variable of the listener. */
export interface ListenerVariable {
  /** Whether the listener would start with a text. */
  readonly accepts: (text: string) => boolean;
  /** The text that stands in when nothing is set. */
  readonly default?: string;
  /** `NAME_FILE` may name a file that holds the value. */
  readonly file?: true;
}

const anyText = (): boolean => true;

const wholeNumber = (lowest: number, highest: number) => (text: string) =>
  /^\d{1,9}$/.test(text) && Number(text) >= lowest && Number(text) <= highest;

const oneOf =
  (...words: readonly string[]) =>
  (text: string) =>
    words.includes(text);

const matching = (pattern: RegExp) => (text: string) => pattern.test(text);

const listOf = (accepts: (item: string) => boolean) => (text: string) => {
  const items = text.split(',').map((item) => item.trim());
  return (
    items.every((item) => item !== '' && accepts(item)) && new Set(items).size === items.length
  );
};

function httpAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return !(url.username || url.password || url.search || url.hash);
}

/** Every variable that the listener reads. */
export const LISTENER_VARIABLES: Readonly<Record<string, ListenerVariable>> = {
  PORT: { accepts: wholeNumber(0, 65_535), default: '8080' },
  METRICS_PORT: { accepts: wholeNumber(0, 65_535), default: '9090' },
  SNS_TOPIC_ARNS: {
    accepts: listOf(
      matching(
        /^arn:(aws|aws-us-gov|aws-cn):sns:[a-z]{2}(-[a-z]+)+-\d:\d{12}:[A-Za-z0-9_-]{1,256}$/,
      ),
    ),
  },
  SNS_SIGNATURE_VERSIONS: { accepts: listOf(oneOf('1', '2')), default: '2' },
  SNS_MAX_AGE_SECONDS: { accepts: wholeNumber(1, 31_536_000), default: '86400' },
  SQS_QUEUE_URL: { accepts: httpAddress },
  AWS_REGION: { accepts: matching(/^[a-z]{2}(-[a-z]+)+-\d$/) },
  AWS_ENDPOINT_URL_SNS: { accepts: httpAddress },
  AWS_ENDPOINT_URL: { accepts: httpAddress },
  S3_BUCKET: { accepts: matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/) },
  S3_PREFIXES: { accepts: listOf(anyText) },
  REPORT_PREFIX: { accepts: matching(/^[^/].*\/$/), default: 'data_quality_reports/' },
  WRITE_REPORTS: { accepts: oneOf('true', 'false'), default: 'false' },
  LOCAL_S3_ROOT: { accepts: anyText },
  WORKER_CONCURRENCY: { accepts: wholeNumber(1, 64), default: '2' },
  SHUTDOWN_SECONDS: { accepts: wholeNumber(1, 600), default: '25' },
  LOG_LEVEL: {
    accepts: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
  },
  MAX_FAULTS: { accepts: wholeNumber(0, 100_000), default: '100' },
  DATABASE_URL: { accepts: anyText, file: true },
  DB_HOST: { accepts: matching(/^(\/\S*|[A-Za-z0-9_.:-]+)$/), file: true },
  DB_PORT: { accepts: wholeNumber(1, 65_535), default: '5432', file: true },
  DB_NAME: { accepts: anyText, file: true },
  DB_USER: { accepts: anyText, file: true },
  DB_PASSWORD: { accepts: anyText, file: true },
  DB_IAM_AUTH: { accepts: oneOf('true', 'false'), default: 'false' },
  DB_SSL: { accepts: oneOf('disable', 'require', 'verify-full') },
  DB_SSL_CA_FILE: { accepts: anyText },
  DB_POOL_SIZE: { accepts: wholeNumber(2, 100), default: '10' },
  DB_CONNECT_TIMEOUT_SECONDS: { accepts: wholeNumber(1, 60), default: '2' },
  DB_STATEMENT_TIMEOUT_SECONDS: { accepts: wholeNumber(1, 3600), default: '10' },
};

/** What the stack tells the listener already, though its code does not read it yet. */
export const NOT_READ_YET: Readonly<Record<string, ListenerVariable>> = {
  S3_SUFFIX: { accepts: anyText },
};

/** Variables of Node.js, the C library and the AWS SDK that a listener's pod may have as well. */
export const RUNTIME_VARIABLES: readonly string[] = [
  'AWS_STS_REGIONAL_ENDPOINTS',
  'AWS_USE_FIPS_ENDPOINT',
  'NODE_ENV',
  'NODE_EXTRA_CA_CERTS',
  'TMPDIR',
  'TZ',
];

/** Paths that the server on each port answers a GET with, by the port's variable. */
export const SERVED_PATHS = {
  PORT: ['/', '/healthz', '/readyz'],
  METRICS_PORT: ['/metrics'],
} as const;

/** Answers 503 while the database is away or the process drains; all other paths don't. */
export const READINESS_PATH = '/readyz';

/** The path that takes messages, by POST. */
export const DELIVERY_PATH = '/';

/** Time that the readiness path may take to say that the database is away, in seconds. */
export const READINESS_SECONDS = 2;

/** The command that runs for ever; all others end. */
export const SERVE = 'serve';

/** The command that brings the database's schema up to date, and the option of `serve` that does too. */
export const MIGRATE = { command: 'migrate', option: '--migrate' } as const;

/** Every command. */
export const COMMANDS: readonly string[] = [
  SERVE,
  MIGRATE.command,
  'seed',
  'run',
  'runs',
  'validate',
  'check',
  'healthcheck',
];

/** The option of `serve` that narrows what a process does, and its values. */
export const ROLE_OPTION = '--role';

/** Whether a process of a role takes messages over HTTP, and whether it checks files. */
export const ROLES: Readonly<
  Record<string, { readonly intake: boolean; readonly worker: boolean }>
> = {
  intake: { intake: true, worker: false },
  worker: { intake: false, worker: true },
  both: { intake: true, worker: true },
};

/** SNS tries for so long to deliver a message over HTTP (Amazon SNS, "Message delivery retries"), in seconds. */
export const LONGEST_DELIVERY_SECONDS = 3600;

/** Memory of a process at rest, and of each file that it checks, in MiB: rounded up from measurements. */
export const MEMORY_MIB = { base: 128, file: 32 } as const;

/** Variables that no other program is likely to have: who gets one of them is a listener. */
export const TELLTALE: readonly string[] = [
  'SNS_TOPIC_ARNS',
  'SQS_QUEUE_URL',
  'S3_BUCKET',
  'S3_PREFIXES',
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'DB_HOST',
  'DB_NAME',
];
