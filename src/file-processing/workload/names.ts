import { PORTS } from '@file-processing/contract/listener-interface.ts';

/** Names and ports that several Kubernetes objects must agree on. */

/** Name of the Deployment and of what acts on its pods; also the value of their `app` label. */
export const LISTENER = 'file-processing-sns';
/** Name of the Service and of the Ingress in front of it. */
export const SERVICE = 'sns-listener';
/** Of the listener's environment. */
export const CONFIG_MAP = 'file-processing-config';
/** Of the rule set, where it goes along with the stack. */
export const RULES_CONFIG_MAP = 'file-processing-rules';
/** The Secret of our own making; `existing_secret_name` takes its place. */
export const DATABASE_SECRET = 'file-processing-secrets';

/** The Secret with the password by which KEDA counts what waits. */
export const SCALER_SECRET = 'file-processing-scaler';

/** The Secret with the headers that the collector of traces asks for. */
export const COLLECTOR_SECRET = 'file-processing-collector';

/** Name of the NetworkPolicy of the Jobs that prepare the database; also the value of their pods' `app` label. */
export const DATABASE_JOBS = 'file-processing-database-jobs';

/** Name of the CronJob that looks for objects without a message, and of its NetworkPolicy; also its pods' `app` label. */
export const RECONCILIATION = 'file-processing-reconciliation';

/** Name of the console's Deployment, Service, Secret and NetworkPolicy; also its pods' `app` label. */
export const CONSOLE = 'file-processing-console';

/** Port of the console's pages and of its probes. */
export const CONSOLE_PORT = { name: 'console', number: PORTS.console } as const;

/** Name of what the Jobs that judge large files need: template, policies, Role; also their pods' `app` label. */
export const JOBS = 'file-processing-jobs';

/** Annotation of the listener's ServiceAccount: the image that its Jobs may run, which their admission policy reads there. */
export const IMAGE_ANNOTATION = 'file-processing/image';

/** Port that takes SNS messages and answers load balancers; the Service knows it by its name. */
export const HTTP_PORT = { name: 'http', number: PORTS.http } as const;
/** Port of the metrics and of the probes, which know it by its name. */
export const METRICS_PORT = { name: 'metrics', number: PORTS.metrics } as const;

/** Selects the listener's pods. A Deployment's selector can't change, so it is this one label alone. */
export const POD_SELECTOR = { app: LISTENER } as const;

/** Labels of every object (Kubernetes documentation, "Recommended Labels"). */
export const LABELS = {
  ...POD_SELECTOR,
  'app.kubernetes.io/name': 'file-processing',
  'app.kubernetes.io/component': 'sns-listener',
  'app.kubernetes.io/managed-by': 'terraform',
} as const;

/** Labels of the pods of Jobs that prepare the database: neither Service nor policy of the listener is for them. */
export const DATABASE_JOB_LABELS = {
  ...LABELS,
  app: DATABASE_JOBS,
  'app.kubernetes.io/component': 'database-jobs',
} as const;

/** Labels of the reconciliation's pods, for the same reason. */
export const RECONCILIATION_LABELS = {
  ...LABELS,
  app: RECONCILIATION,
  'app.kubernetes.io/component': 'reconciliation',
} as const;

/** Selects the console's pods: neither Service nor policy nor disruption budget of the listener is for them. */
export const CONSOLE_SELECTOR = { app: CONSOLE } as const;

/** Labels of the console's objects. */
export const CONSOLE_LABELS = {
  ...LABELS,
  ...CONSOLE_SELECTOR,
  'app.kubernetes.io/component': 'console',
} as const;

/** Labels of the pods of Jobs that judge large files, for the same reason. */
export const JOB_LABELS = {
  ...LABELS,
  app: JOBS,
  'app.kubernetes.io/component': 'judgement',
} as const;
