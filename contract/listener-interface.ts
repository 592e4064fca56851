/** The ports that the listener opens where its environment names no others. */
export const PORTS = { http: 8080, metrics: 9090, console: 8070 } as const;

/** What the listener serves. */
export const PATHS = {
  /** Takes messages, by POST; a GET says that the process lives. */
  delivery: '/',
  /**
   * Answers as long as the process lives, without the database. On METRICS_PORT, where the probes ask, only
   * while PORT takes connections too.
   */
  liveness: '/healthz',
  /** Answers 503 while the database is unavailable or older than the program, or the process drains. */
  readiness: '/readyz',
  metrics: '/metrics',
} as const;

/** Paths that the server on each port answers a GET with, by the port's variable. */
export const SERVED_PATHS = {
  PORT: [PATHS.delivery, PATHS.liveness, PATHS.readiness],
  METRICS_PORT: [PATHS.metrics, PATHS.liveness, PATHS.readiness],
} as const;

/** Time that the readiness path may take to say that the database is unavailable, in seconds. */
export const READINESS_SECONDS = 2;

/** Time that PORT may take to answer the listener itself, in seconds: what probes of METRICS_PORT wait for. */
export const OWN_REQUEST_SECONDS = 4;

/** The command that runs until a signal; all others end. */
export const SERVE = 'serve';

/** The command that brings the database's schema up to date, and the option of `serve` that does too. */
export const MIGRATE = { command: 'migrate', option: '--migrate', wait: '--wait' } as const;

/** The command that makes the database and its roles on a new server of Amazon RDS. */
export const BOOTSTRAP = 'bootstrap-database';

/** The command that runs a job for the objects of an event. */
export const RUN = 'run';

/** The command that makes one attempt at a judgement that waits; run and number follow. */
export const JUDGE = 'judge';

/** Where files are judged: in the worker pool alone, or large ones by Jobs of Kubernetes. */
export const JOB_RUNNERS = ['pool', 'auto'] as const;

/** Stands for the time at which the listener's database was first migrated. */
export const INSTALLATION = 'installation';

/** The command that has objects judged that no message announced, and how the stack calls it every day. */
export const BACKFILL = {
  command: 'backfill',
  reconciliation: ['--since', INSTALLATION, '--reason', 'reconciliation', '--log'],
} as const;

/** The command that serves pages, and its options for an address that opens once what is served elsewhere. */
export const CONSOLE = {
  command: 'console',
  link: '--link',
  by: '--by',
  allow: '--allow',
} as const;

/** The command that tries what the listener depends on. */
export const CHECK = 'check';

/** The command that takes what waits in a queue; what follows is its URL. */
export const DRAIN_QUEUE = 'drain-queue';

/** Every command of the listener's program. */
export const COMMANDS: readonly string[] = [
  SERVE,
  BOOTSTRAP,
  MIGRATE.command,
  'seed',
  RUN,
  JUDGE,
  'rules',
  'runs',
  'deliveries',
  'history',
  'forget',
  'dead',
  BACKFILL.command,
  DRAIN_QUEUE,
  CONSOLE.command,
  'validate',
  'checker',
  'infer',
  'diff',
  'onboard',
  CHECK,
  'healthcheck',
];

/** What a process of each role does. */
export const ROLES = {
  intake: { takesMessages: true, judgesFiles: false },
  worker: { takesMessages: false, judgesFiles: true },
  both: { takesMessages: true, judgesFiles: true },
} as const;

/** One of {@link ROLES}. */
export type Role = keyof typeof ROLES;

/** Option of {@link SERVE} that names one of {@link ROLES}. */
export const ROLE_OPTION = '--role';

/** What `run` takes, and a queue's entry names. */
export const JOBS = ['s3_data_quality_job'] as const;

/** One of {@link JOBS}. */
export type JobName = (typeof JOBS)[number];

/**
 * The exit codes of the listener's program. From 64 on they are technical and, but for `noInput`, worth
 * another try; their numbers are those of sysexits.h. Of several objects the most serious one counts:
 * usage, then what is worth another try, then an object without a verdict, then a bad one.
 *
 * A command that a signal ended has the code that a shell gives a process which the signal killed:
 * 128 and the signal's number, 143 for SIGTERM and 130 for SIGINT. `serve` alone ends with 0, since
 * a signal is how its work ends; a signal that comes before it has started ends it as any other.
 */
export const EXIT = {
  /** Done; where a verdict is asked for, `passed` or `warned`. */
  ok: 0,
  /** The verdict is `failed` or `unreadable`; deliveries differ; something that was checked is red. */
  bad: 1,
  /**
   * Usage or configuration: nothing gets better by trying again. So also where the database refuses
   * what the settings say: user, password, name, encryption, or a right that the user lacks.
   */
  usage: 2,
  /** EX_NOINPUT: the object is gone or was replaced, so that it has no verdict of this call. */
  noInput: 66,
  /**
   * EX_UNAVAILABLE: the database, or the process that was asked for its health, is unavailable. What
   * answers with a certificate that proves nothing is not the database.
   */
  unavailable: 69,
  /** EX_SOFTWARE: an error nobody foresaw. */
  unexpected: 70,
  /**
   * EX_TEMPFAIL: the object could not be read, or not be judged for want of scratch space, the verdict not
   * recorded or its report not written; the master's secret could not be read.
   */
  tryAgain: 75,
} as const;
