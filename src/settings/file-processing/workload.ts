import { isArnOf } from '@file-processing/contract/arn.ts';
import { CONSOLE_TOKENS, readConsoleTokens } from '@file-processing/contract/console.ts';
import { JOB_RUNNERS } from '@file-processing/contract/listener-interface.ts';
import {
  areOtlpHeaders,
  HIGHEST_WEIGHT,
  OTLP_HEADERS,
  overridesPod,
  UNMONITORED_CHOICES,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import { readRulesLocation } from '@file-processing/contract/rule-set.ts';
import { parseCidr } from '../cidr.ts';
import { choice, flag, integer, text, textList, textMap } from '../variable.ts';
import {
  DNS_LABEL,
  isDnsLabel,
  isHostName,
  isLabelKey,
  isProxyAddress,
  isSchedule,
  SCHEDULE,
} from './forms.ts';

/** What {@link workloadVariables.console_variables} may set: address and port are the stack's, secrets come by a Secret. */
export const CONSOLE_VARIABLES = [
  'CONSOLE_ORIGIN',
  'CONSOLE_IDLE_MINUTES',
  'CONSOLE_SESSION_HOURS',
  'CONSOLE_GRANTS',
  'CONSOLE_OIDC_ISSUER',
  'CONSOLE_OIDC_CLIENT_ID',
  'CONSOLE_OIDC_SCOPES',
  'CONSOLE_OIDC_NAME_CLAIM',
  'CONSOLE_OIDC_GROUPS_CLAIM',
  'CONSOLE_PROXY_USER_HEADER',
  'CONSOLE_PROXY_GROUPS_HEADER',
] as const satisfies readonly VariableName[];

/** Variables of the console that its Secret holds. */
export function consoleSecretVariables(
  settings: Parameters<typeof consoleSecretVariable>[0] & {
    readonly console_tokens_revision: number;
  },
): readonly ConsoleSecretVariable[] {
  const own = consoleSecretVariable(settings);
  return [
    ...(own === undefined ? [] : [own]),
    ...(settings.console_tokens_revision > 0 ? (['CONSOLE_TOKENS'] as const) : []),
  ];
}

/** One of {@link consoleSecretVariables}. */
export type ConsoleSecretVariable =
  | 'CONSOLE_OIDC_CLIENT_SECRET'
  | 'CONSOLE_PROXY_SECRET'
  | 'CONSOLE_TOKENS';

/** The variable that `console_secret` is for: of the provider, or of the proxy; undefined where nobody signs in. */
export function consoleSecretVariable({
  console_variables: variables,
}: {
  readonly console_variables: Readonly<Record<string, string>>;
}): 'CONSOLE_OIDC_CLIENT_SECRET' | 'CONSOLE_PROXY_SECRET' | undefined {
  if (variables.CONSOLE_OIDC_ISSUER !== undefined) return 'CONSOLE_OIDC_CLIENT_SECRET';
  return variables.CONSOLE_GRANTS === undefined ? undefined : 'CONSOLE_PROXY_SECRET';
}

const IMAGE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

const CPU = /^([1-9]\d*m|[1-9]\d*(\.\d{1,3})?|0\.\d{1,3})$/;
const MEMORY = /^[1-9]\d*(Mi|Gi)$/;

/** MiB of a quantity such as 512Mi or 1Gi. */
export function mebibytes(quantity: string): number {
  return Number.parseInt(quantity, 10) * (quantity.endsWith('Gi') ? 1024 : 1);
}

/** What never goes through http_proxy: the machine itself, the cluster, and what gives out credentials. */
export const NEVER_PROXIED: readonly string[] = [
  ...['localhost', '127.0.0.1', '169.254.169.254', '169.254.170.23', '.svc', '.cluster.local'],
];

/** A collector inside of the cluster: its Service, and the namespace that this is in; undefined for one elsewhere. */
export function collectorInCluster(
  endpoint: string,
): { readonly namespace: string; readonly port: number } | undefined {
  const [, namespace = '', port = '80'] =
    /^http:\/\/[a-z0-9-]+\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?::(\d{1,5}))?\/?$/.exec(
      endpoint,
    ) ?? [];
  return isDnsLabel(namespace) && isPort(port) ? { namespace, port: Number(port) } : undefined;
}

function isCollector(value: string): boolean {
  const [, host = '', port = '443'] = /^https:\/\/([^/:@?#]+)(?::(\d{1,5}))?\/?$/.exec(value) ?? [];
  return (isHostName(host) && isPort(port)) || collectorInCluster(value) !== undefined;
}

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535;
}

/** The image of the listener and its Kubernetes objects. */
export const workloadVariables = {
  create_repository: flag({
    description: 'Creates the ECR repository of the image. False for an image from elsewhere.',
    default: true,
    example: true,
  }),
  repository_name: text({
    description: 'Name of the ECR repository.',
    default: 'file-processing',
    example: 'file-processing',
    allowed:
      '2 to 256 lower-case letters, digits, dots, hyphens, underscores and slashes, starting with a letter',
    accepts: (value) =>
      /^[a-z][a-z0-9]*([._/-][a-z0-9]+)*$/.test(value) && value.length >= 2 && value.length <= 256,
  }),
  repository_keep_images: integer(1, 1000, {
    description:
      'Newest images that the repository keeps, besides those tagged deployed-* (running, tagged by manage) or v* (releases).',
    default: 30,
    example: 30,
  }),
  image: text({
    description:
      'Image of the listener, best by digest. container_image.txt beside the tfvars file takes precedence. Empty deploys no listener yet.',
    default: '',
    example:
      '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    allowed: 'an image reference: [registry/]name[:tag][@sha256:digest]',
    pattern: IMAGE,
    unwise: (image) =>
      image === '' || image.includes('@sha256:')
        ? undefined
        : 'a tag can be moved to another image unnoticed; name the image by its digest (@sha256:…)',
    setAt: 'plan',
  }),

  manage_kubernetes: flag({
    description:
      'Deploys the Kubernetes objects too. False creates only the AWS resources, for those who deploy the manifests by GitOps.',
    default: true,
    example: true,
  }),
  namespace: text({
    description: 'Kubernetes namespace.',
    default: 'file-processing',
    example: 'file-processing',
    allowed: `${DNS_LABEL}, and not one of Kubernetes' own (default, kube-*)`,
    accepts: (value) => isDnsLabel(value) && value !== 'default' && !value.startsWith('kube-'),
  }),
  create_namespace: flag({
    description:
      'Creates the namespace. False expects it to exist, and leaves one that the stack has created.',
    default: true,
    example: true,
  }),
  service_account_name: text({
    description: 'ServiceAccount of the pods; the IAM role trusts only this one.',
    default: 'file-processing-sa',
    example: 'file-processing-sa',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
  annotations: textMap({
    description: 'More annotations for the namespace and the ServiceAccount.',
    default: {},
    example: { team: 'etl' },
    allowed:
      'a map of Kubernetes annotations, keys such as example.org/team, without eks.amazonaws.com/role-arn, which the stack sets',
    accepts: (annotations) =>
      !('eks.amazonaws.com/role-arn' in annotations) &&
      Object.keys(annotations).every((key) => isLabelKey(key.toLowerCase())),
  }),
  image_pull_secrets: textList({
    description:
      'Secrets in the namespace, created by you, that the pods pull the image with; Amazon ECR needs none.',
    default: [],
    example: ['registry-credentials'],
    allowed: `a list of at most 10 names of Secrets, each once and ${DNS_LABEL}`,
    accepts: (names) => names.length <= 10 && new Set(names).size === names.length,
    acceptsItem: isDnsLabel,
  }),
  extra_environment: textMap({
    description:
      "More environment variables for the pods, such as TZ or NODE_EXTRA_CA_CERTS; no secrets, because they are in a ConfigMap. One that neither the listener's runtime nor the AWS SDK is known to read is a finding of the audit.",
    default: {},
    example: { TZ: 'America/Denver' },
    allowed:
      "a map of at most 50 variables: names of letters, digits and underscores, none of them the listener's own nor one that overrides the pods' role or runtime",
    accepts: (map) =>
      Object.keys(map).length <= 50 &&
      Object.keys(map).every((name) => /^[A-Za-z_]\w*$/.test(name) && !overridesPod(name)),
    acceptsItem: (value) => value.length <= 4096,
  }),
  http_proxy: text({
    description:
      "Proxy through which nodes and pods reach AWS, registries and the SNS signing certificates; the database is reached directly. It is part of the nodes' user data: a change replaces them, a few at a time.",
    default: '',
    example: 'http://proxy.example.gov:3128',
    allowed: 'an http or https address of a host and a port, without user name or path',
    accepts: isProxyAddress,
  }),
  no_proxy: textList({
    description:
      "Hosts that are reached without http_proxy, besides localhost, the cluster and the node's metadata.",
    default: [],
    example: ['.s3.us-gov-west-1.amazonaws.com', 'sts.us-gov-west-1.amazonaws.com'],
    allowed:
      'a list of at most 100 host names, IPv4 addresses, or suffixes that begin with a dot (Node.js knows no blocks of addresses)',
    accepts: (hosts) => hosts.length <= 100,
    acceptsItem: (host) => isHostName(host.replace(/^\./, '')),
  }),
  replicas: integer(1, 100, {
    description: 'Pods of the listener; with an autoscaler, the minimum.',
    default: 2,
    example: 2,
    unwise: (replicas) =>
      replicas === 1 ? 'a single pod cannot be moved to another node without a gap' : undefined,
  }),
  max_replicas: integer(1, 100, {
    description:
      'Maximum number of pods. A value above replicas creates an autoscaler, which then owns the number.',
    default: 6,
    example: 6,
  }),
  autoscaling: choice(['cpu', 'backlog'], {
    description:
      'What determines the number of pods: `cpu`, through a HorizontalPodAutoscaler; `backlog`, the waiting judgements, through a ScaledObject of KEDA, which you install in the cluster. Nothing scales before `manage apply`, or the manifests, has put that in place.',
    default: 'cpu',
    example: 'backlog',
  }),
  backlog_per_pod: integer(1, 100_000, {
    description: 'Judgements that may wait for each pod with autoscaling = "backlog".',
    default: 200,
    example: 50,
  }),
  target_cpu_percent: integer(10, 95, {
    description: 'Share of the requested CPU at which the autoscaler adds pods.',
    unit: 'percent',
    default: 70,
    example: 70,
  }),
  cpu_request: text({
    description: 'CPU that a pod is guaranteed.',
    default: '250m',
    example: '500m',
    allowed: 'CPUs or thousandths of one, such as 1 or 250m',
    accepts: (value) => CPU.test(value),
  }),
  memory_limit: text({
    description:
      'Memory of a pod, both request and limit. Memory beyond 256Mi is for the keys of unique fields, up to 128Mi for each file that is checked at a time.',
    default: '512Mi',
    example: '1Gi',
    allowed: 'a whole number with Mi or Gi',
    accepts: (value) => MEMORY.test(value),
  }),
  scratch_limit: text({
    description:
      'Disk of a pod for hashes of the keys that its memory cannot hold: 32 bytes for each key beyond it. A file that needs more than is left is retried, and then becomes a dead letter.',
    default: '1Gi',
    example: '4Gi',
    allowed: 'a whole number with Mi or Gi',
    accepts: (value) => MEMORY.test(value),
  }),
  max_unpacked: text({
    description:
      'Largest content of a compressed file. A file with more is unreadable; its only cost is the time it takes.',
    default: '64Gi',
    example: '4Gi',
    allowed: 'a whole number with Mi or Gi',
    accepts: (value) => MEMORY.test(value),
  }),
  max_compression_ratio: integer(1, 1_000_000, {
    description:
      'Largest ratio of content to compressed size, once the content exceeds 64 MiB. A file above it is unreadable, as a bomb would be.',
    default: 250,
    example: 1000,
  }),
  worker_concurrency: integer(1, 32, {
    description: 'Files that one pod checks at a time.',
    default: 8,
    example: 4,
  }),
  client_weights: textMap({
    description:
      'Weights of clients in the queue: the next files to check are shared among the waiting clients by weight; default 1. The client is that of the monitored file, otherwise the first folder below the prefix.',
    default: {},
    example: { nm_albuquerque: '3' },
    allowed: `a map of at most 1000 clients, each with a whole number from 1 to ${HIGHEST_WEIGHT} as text`,
    accepts: (weights) => Object.keys(weights).length <= 1_000,
    acceptsItem: (weight) => /^[1-9]\d{0,2}$/.test(weight) && Number(weight) <= HIGHEST_WEIGHT,
  }),
  job_runner: choice(JOB_RUNNERS, {
    description:
      'Where files are judged: "pool" is the listener\'s pods; with "auto" files of job_size_bytes and more are judged by Jobs of Kubernetes, which the listener may make then, within an admission policy. Both come with manage apply, or with the manifests.',
    default: 'pool',
    example: 'auto',
  }),
  job_size_bytes: integer(0, 1_099_511_627_776, {
    description: 'Size of an object from which it is judged by a Job.',
    unit: 'bytes',
    default: 1_073_741_824,
    example: 4_294_967_296,
  }),
  job_limit: integer(1, 1000, {
    description: 'Jobs that may exist at the same time; the other files wait in the database.',
    default: 20,
    example: 50,
  }),
  job_scratch_limit: text({
    description:
      'Maximum disk that a Job requests, for hashes of keys: an eighth of the object, up to this. A Job that requests more than any node has waits until its deadline.',
    default: '10Gi',
    example: '40Gi',
    allowed: 'a whole number with Mi or Gi',
    accepts: (value) => MEMORY.test(value),
  }),
  job_node_group: text({
    description:
      'One of node_groups that Jobs run on, by its labels, with its taints tolerated. Empty lets them run on any node without a taint.',
    default: '',
    example: 'large',
    allowed: 'empty, or the name of one of node_groups',
    accepts: (value) => value === '' || /^[a-z][a-z0-9-]{0,19}$/.test(value),
  }),
  job_queue_name: text({
    description:
      'Kueue LocalQueue that Jobs wait in; they are created suspended, and Kueue starts them. Empty without Kueue.',
    default: '',
    example: 'large-files',
    allowed: `empty, or ${DNS_LABEL}`,
    accepts: (value) => value === '' || isDnsLabel(value),
  }),
  sns_max_age_seconds: integer(60, 1_209_600, {
    description: 'Age from which the listener refuses a message, even if its signature is valid.',
    unit: 'seconds',
    default: 86_400,
    example: 86_400,
  }),
  reconciliation_schedule: text({
    description:
      'When to look for objects since the installation that no message announced, in UTC. Empty switches it off.',
    default: '17 4 * * *',
    example: '30 2 * * 1-5',
    allowed: `empty, or ${SCHEDULE}`,
    accepts: (value) => value === '' || isSchedule(value),
  }),
  rules_location: text({
    description:
      'S3 prefix of the rule set, written by manage rules-push: the listener may read exactly that, and applies it at startup and within two minutes of a change. Empty: the rule set in environments/<name>/rules, if it exists, is deployed as a ConfigMap; otherwise rules are applied by hand.',
    default: '',
    example: 's3://agency-rules/file-processing/',
    allowed: 'empty, or s3://BUCKET/PREFIX/ with a slash at its end',
    accepts: (value) => {
      const location = readRulesLocation(value);
      return value === '' || (location !== undefined && 'bucket' in location);
    },
  }),
  rules_kms_key_arn: text({
    description:
      'KMS key that encrypts the objects below rules_location, if any: the listener may use it to decrypt those, and nothing else.',
    default: '',
    example:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of a KMS key',
    accepts: isArnOf('kms', /^key\/[\w-]+$/),
  }),
  unmonitored: choice(UNMONITORED_CHOICES, {
    description:
      'What happens to a file that no monitored file describes: "judge" keeps the verdict on its structure, "warn" turns passed into warned, "fail" fails it.',
    default: 'warn',
    example: 'fail',
  }),
  otlp_endpoint: text({
    description:
      'OpenTelemetry collector that traces are sent to, by OTLP over HTTP: by https, or inside the cluster, where the port is that of its pods. Empty: no traces.',
    default: '',
    example: 'http://collector.observability.svc:4318',
    allowed:
      'https://HOST or https://HOST:PORT, or http://SERVICE.NAMESPACE.svc:PORT, without path or user name',
    accepts: isCollector,
  }),
  otlp_headers: text({
    description:
      'Headers that the collector asks for, such as a key (OTEL_EXPORTER_OTLP_HEADERS); otlp_headers_revision says that there are some. Better not in a file: give it as TF_VAR_otlp_headers. It never gets into the synthesized JSON, the plan or the state.',
    default: '',
    example: '',
    allowed: `${OTLP_HEADERS}, at most 1024 characters`,
    accepts: (value) => areOtlpHeaders(value) && value.length <= 1024,
    sensitive: true,
  }),
  otlp_headers_revision: integer(0, 1_000_000, {
    description:
      'From 1 on, a Secret holds otlp_headers. Raise it by one whenever they change, so that the Secret is written again. 0: the collector asks for none.',
    default: 0,
    example: 1,
    setAt: 'plan',
  }),
  trace_percent: integer(0, 100, {
    description: 'Share of the messages whose traces are recorded, in percent.',
    default: 100,
    example: 5,
  }),
  pod_monitor: flag({
    description:
      "Makes the Prometheus operator scrape the listener's pods, through a PodMonitor that the last phase of manage apply applies; the cluster must have the operator.",
    default: false,
    example: true,
  }),
  pod_monitor_labels: textMap({
    description: 'Labels by which a Prometheus selects this PodMonitor, if it needs any.',
    default: {},
    example: { release: 'kube-prometheus-stack' },
    allowed: 'a map of at most 10 labels of Kubernetes',
    accepts: (map) => Object.keys(map).length <= 10 && Object.keys(map).every(isLabelKey),
    acceptsItem: (value) => /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/.test(value),
  }),
  console: flag({
    description:
      'Serves the console in the cluster: pages on deliveries, through a separate Deployment and Service without a route from outside; npm run manage -- console opens it.',
    default: false,
    example: true,
  }),
  console_clients: textList({
    description:
      'Who may call the console, besides manage console: namespaces of the cluster, such as that of a proxy or an ingress controller, and blocks of IPv4 addresses.',
    default: [],
    example: ['ingress-nginx'],
    allowed: `a list of at most 20, each once, and ${DNS_LABEL} (a namespace) or a block of IPv4 addresses other than the internet`,
    accepts: (clients) => clients.length <= 20 && new Set(clients).size === clients.length,
    acceptsItem: (client) =>
      isDnsLabel(client) || (client !== '0.0.0.0/0' && parseCidr(client) !== undefined),
  }),
  console_variables: textMap({
    description:
      'Variables of the console (CONSOLE_*), such as who may do what, and the provider at which people sign in; secrets apart.',
    default: {},
    example: {
      CONSOLE_ORIGIN: 'https://console.example.gov',
      CONSOLE_OIDC_ISSUER: 'https://login.example.gov/realms/agency',
      CONSOLE_OIDC_CLIENT_ID: 'file-processing',
      CONSOLE_GRANTS: '[{"group":"data-team","rights":["look","act"]}]',
    },
    allowed: `a map of ${CONSOLE_VARIABLES.join(', ')}`,
    accepts: (variables) =>
      Object.keys(variables).every((name) => CONSOLE_VARIABLES.some((one) => one === name)),
  }),
  console_secret: text({
    description:
      "Secret of the provider's client (CONSOLE_OIDC_CLIENT_SECRET), or of the proxy where CONSOLE_GRANTS is set without a provider (CONSOLE_PROXY_SECRET). Better not in a file: give it as TF_VAR_console_secret. It never gets into the synthesized JSON, the plan or the state.",
    default: '',
    example: '',
    allowed: 'a string of 32 to 1024 characters',
    accepts: (value) => value.length >= 32 && value.length <= 1024,
    sensitive: true,
  }),
  console_secret_revision: integer(1, 1_000_000, {
    description:
      'Raise it by one whenever console_secret changes, so that the Secret is written again.',
    default: 1,
    example: 2,
    setAt: 'plan',
  }),
  console_tokens: text({
    description:
      'What scripts may do in the console, as CONSOLE_TOKENS has it: of each token its SHA-256. It comes as TF_VAR_console_tokens where console_tokens_revision is 1 or more, and never gets into the synthesized JSON, the plan or the state.',
    default: '',
    example: '',
    allowed: CONSOLE_TOKENS,
    accepts: (value) => readConsoleTokens(value) !== undefined,
    sensitive: true,
  }),
  console_tokens_revision: integer(0, 1_000_000, {
    description:
      'From 1 on, scripts come into the console by console_tokens. Raise it by one whenever these change, so that the Secret is written again.',
    default: 0,
    example: 1,
    setAt: 'plan',
  }),
  log_level: choice(['debug', 'info', 'warn', 'error'], {
    description: 'Least severe level that the listener logs.',
    default: 'info',
    example: 'info',
  }),
};
