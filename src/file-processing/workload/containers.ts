import type {
  DeploymentV1SpecTemplateSpecContainer,
  DeploymentV1SpecTemplateSpecContainerSecurityContext,
  DeploymentV1SpecTemplateSpecInitContainer,
  DeploymentV1SpecTemplateSpecVolume,
} from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import {
  CONSOLE as CONSOLE_COMMAND,
  EXIT as LISTENER_EXIT,
  MIGRATE,
  PATHS,
  SERVE,
} from '@file-processing/contract/listener-interface.ts';
import { consoleSecretVariables, mebibytes } from '../../settings/file-processing/workload.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { databaseCredentials } from './database-credentials.ts';
import {
  COLLECTOR_FOLDER,
  CONSOLE_FOLDER,
  JOBS_FOLDER,
  NOTICES_FOLDER,
  noticeSecretKeys,
  RULES_FOLDER,
  SECRETS_FOLDER,
} from './listener-environment.ts';
import {
  COLLECTOR_SECRET,
  CONFIG_MAP,
  CONSOLE_PORT,
  HTTP_PORT,
  JOBS,
  METRICS_PORT,
  RULES_CONFIG_MAP,
} from './names.ts';

/** Of the temporary folder and of the whole disk, beside the scratch space: other temporary files, and logs. */
const TEMPORARY_MIB = 256;
const REQUESTED_DISK_MIB = 128;
const DISK_MIB = 1024;

/** Names of the pod's volumes. */
export const VOLUMES = {
  collector: 'collector',
  console: 'console',
  jobs: 'jobs',
  notices: 'notices',
  rules: 'rules',
  secrets: 'secrets',
  temporary: 'tmp',
} as const;

/** User and group of every process; a number, so that the kubelet can see that it isn't root. */
export const USER_ID = '10001';

/** How long a stopping pod goes on serving, until nobody sends it new connections, in seconds. */
export const PRE_STOP_SECONDS = 10;

/**
 * Brings the database's schema up to date before the listener starts. It waits for the database as the
 * listener does: a container that ends is started again later and later, up to five minutes.
 */
export function migrateContainer(
  settings: FileProcessingSettings,
  image: string,
): DeploymentV1SpecTemplateSpecInitContainer {
  return { name: 'migrate', args: [MIGRATE.command, MIGRATE.wait], ...common(settings, image) };
}

/** Runs a command that ends. */
export function endingContainer(
  settings: FileProcessingSettings,
  run: {
    readonly image: string;
    readonly command: string;
    readonly options?: readonly string[];
    /** Takes precedence over the ConfigMap. */
    readonly environment?: Readonly<Record<string, string>>;
  },
) {
  return {
    name: run.command,
    args: [run.command, ...(run.options ?? [])],
    ...common(settings, run.image),
    ...(run.environment && {
      env: Object.entries(run.environment).map(([name, value]) => ({ name, value })),
    }),
  };
}

/** When a Job whose container runs a command is not to be tried again, and what does not count as a try. */
export function jobFailurePolicy(containerName: string) {
  return {
    rule: [
      {
        action: 'FailJob',
        onExitCodes: { containerName, operator: 'In', values: FINAL_EXIT_CODES },
      },
      // A drained node is nobody's fault.
      { action: 'Ignore', onPodCondition: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  };
}

/** What no other try makes better: settings, and rights in the database. */
const FINAL_EXIT_CODES = [LISTENER_EXIT.usage];

/** What every pod of the image has in common. */
export function podSettings({ image_pull_secrets }: FileProcessingSettings) {
  return {
    ...(image_pull_secrets.length > 0 && {
      imagePullSecrets: image_pull_secrets.map((name) => ({ name })),
    }),
    // The provider's default is true, and a pod's setting takes precedence over its ServiceAccount's.
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER_ID,
      runAsGroup: USER_ID,
      fsGroup: USER_ID,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** The volumes of a pod that talks to the database as the listener. */
export function podVolumes(settings: FileProcessingSettings): DeploymentV1SpecTemplateSpecVolume[] {
  const credentials = databaseCredentials(settings);
  return [
    {
      name: VOLUMES.temporary,
      emptyDir: { sizeLimit: `${mebibytes(settings.scratch_limit) + TEMPORARY_MIB}Mi` },
    },
    ...(credentials
      ? [
          {
            name: VOLUMES.secrets,
            secret: { secretName: credentials.secretName, defaultMode: '0440' },
          },
        ]
      : []),
    ...configuredVolumes(settings),
  ];
}

/** Whoever reads the ConfigMap finds the files that it names: Secrets of notices and of the collector. */
function configuredSecrets(
  settings: FileProcessingSettings,
): readonly { readonly name: string; readonly secretName: string; readonly mountPath: string }[] {
  const { notice_secret_name: notices, otlp_headers_revision: revision } = settings;
  return [
    ...(noticeSecretKeys(settings).length > 0
      ? [{ name: VOLUMES.notices, secretName: notices, mountPath: NOTICES_FOLDER }]
      : []),
    ...(revision > 0
      ? [{ name: VOLUMES.collector, secretName: COLLECTOR_SECRET, mountPath: COLLECTOR_FOLDER }]
      : []),
  ];
}

/** The volumes of the Secrets whose files the ConfigMap names. */
export function configuredVolumes(
  settings: FileProcessingSettings,
): DeploymentV1SpecTemplateSpecVolume[] {
  return configuredSecrets(settings).map(({ name, secretName }) => ({
    name,
    secret: { secretName, defaultMode: '0440' },
  }));
}

/** What the listener's own pods have beside them. */
interface ServingProps {
  readonly image: string;
  /** Whether the ConfigMap of a rule set is there. */
  readonly mountsRules: boolean;
}

/** The volume of the rule set, where it is a ConfigMap. */
export function rulesVolume({ mountsRules }: Pick<ServingProps, 'mountsRules'>) {
  return mountsRules
    ? [{ name: VOLUMES.rules, configMap: { name: RULES_CONFIG_MAP, defaultMode: '0444' } }]
    : [];
}

/** The volume of the template of Jobs, where the listener makes some. */
export function jobsVolume({ job_runner }: FileProcessingSettings) {
  return job_runner === 'pool'
    ? []
    : [{ name: VOLUMES.jobs, configMap: { name: JOBS, defaultMode: '0444' } }];
}

/** Takes the messages, checks the files. */
export function listenerContainer(
  settings: FileProcessingSettings,
  { image, mountsRules }: ServingProps,
): DeploymentV1SpecTemplateSpecContainer {
  const shared = common(settings, image);
  return {
    name: 'sns-listener',
    args: [SERVE],
    ...shared,
    volumeMount: [
      ...shared.volumeMount,
      // All of it: what is mounted as a single file (subPath) is never brought up to date.
      ...(mountsRules ? [{ name: VOLUMES.rules, mountPath: RULES_FOLDER, readOnly: true }] : []),
      ...(settings.job_runner === 'pool'
        ? []
        : [{ name: VOLUMES.jobs, mountPath: JOBS_FOLDER, readOnly: true }]),
    ],
    port: [HTTP_PORT, METRICS_PORT].map(({ name, number }) => ({
      name,
      containerPort: number,
      protocol: 'TCP',
    })),
    // Up to a minute to start; only then do the other two probes begin.
    startupProbe: { ...probe(PATHS.liveness), periodSeconds: 2, failureThreshold: 30 },
    livenessProbe: { ...probe(PATHS.liveness), periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { ...probe(PATHS.readiness), periodSeconds: 5, failureThreshold: 2 },
    lifecycle: { preStop: [{ exec: { command: preStopCommand() } }] },
  };
}

/** Serves the console. @param environment takes precedence over the ConfigMap */
export function consoleContainer(
  settings: FileProcessingSettings,
  image: string,
  environment: Readonly<Record<string, string>>,
): DeploymentV1SpecTemplateSpecContainer {
  const shared = common(settings, image);
  const { name, number } = CONSOLE_PORT;
  const httpGet = { path: PATHS.liveness, port: name, scheme: 'HTTP' };
  const hasSecret = consoleSecretVariables(settings).length > 0;
  return {
    name: CONSOLE_COMMAND.command,
    args: [CONSOLE_COMMAND.command],
    ...shared,
    env: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
    volumeMount: [
      ...shared.volumeMount,
      ...(hasSecret ? [{ name: VOLUMES.console, mountPath: CONSOLE_FOLDER, readOnly: true }] : []),
    ],
    port: [{ name, containerPort: number, protocol: 'TCP' }],
    startupProbe: { httpGet, timeoutSeconds: 5, periodSeconds: 2, failureThreshold: 30 },
    livenessProbe: { httpGet, timeoutSeconds: 5, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet, timeoutSeconds: 5, periodSeconds: 5, failureThreshold: 2 },
    lifecycle: { preStop: [{ exec: { command: preStopCommand() } }] },
  };
}

/**
 * The provider doesn't know Kubernetes' own `sleep` action, and an image may have no `sleep`; but
 * ours always has Node.
 */
function preStopCommand(): string[] {
  return ['node', '-e', `setTimeout(() => {}, ${PRE_STOP_SECONDS * 1000})`];
}

/** On the port of the metrics: at that of the messages everybody from outside may queue. */
function probe(path: string) {
  return { httpGet: { path, port: METRICS_PORT.name, scheme: 'HTTP' }, timeoutSeconds: 5 };
}

function common(settings: FileProcessingSettings, image: string) {
  return {
    image,
    // A tag, which is allowed, may have moved; for a digest it is only a check of the right to pull.
    imagePullPolicy: 'Always',
    envFrom: [{ configMapRef: { name: CONFIG_MAP } }],
    resources: resources(settings),
    securityContext: SECURITY_CONTEXT,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMount: [
      { name: VOLUMES.temporary, mountPath: '/tmp' },
      ...(databaseCredentials(settings)
        ? [{ name: VOLUMES.secrets, mountPath: SECRETS_FOLDER, readOnly: true }]
        : []),
      ...configuredSecrets(settings).map(({ name, mountPath }) => ({
        ...{ name, mountPath },
        readOnly: true,
      })),
    ],
  };
}

/**
 * Memory is requested in full, so that a node is never promised twice. There is no CPU limit: it
 * would slow down a check even while the node idles, and the request already gives each pod its share. The
 * scratch space is requested in full as well.
 */
function resources({ cpu_request, memory_limit, scratch_limit }: FileProcessingSettings) {
  const scratch = mebibytes(scratch_limit);
  return {
    requests: {
      cpu: cpu_request,
      memory: memory_limit,
      'ephemeral-storage': `${scratch + REQUESTED_DISK_MIB}Mi`,
    },
    limits: { memory: memory_limit, 'ephemeral-storage': `${scratch + DISK_MIB}Mi` },
  };
}

/**
 * Pod Security Standard `restricted`. Provider 2.38 sends `runAsNonRoot: false` for a container
 * that leaves it out, which would take precedence over the pod's own `true`.
 */
const SECURITY_CONTEXT: DeploymentV1SpecTemplateSpecContainerSecurityContext = {
  runAsNonRoot: true,
  runAsUser: USER_ID,
  runAsGroup: USER_ID,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
