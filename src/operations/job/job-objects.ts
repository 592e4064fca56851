import { createHash } from 'node:crypto';
import {
  type JobName,
  EXIT as LISTENER_EXIT,
  RUN,
} from '@file-processing/contract/listener-interface.ts';
import {
  deliveryBuckets,
  faultText,
  LISTENER_VARIABLES,
  type ListenerVariable,
  readVariable,
  type ValueOf,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import type { DeliveryFilter } from '@file-processing/contract/s3-event.ts';
import type { KubernetesObject, Manifest } from '../../synthesized/views/kubernetes-manifests.ts';
import { fill } from '../../synthesized/views/placeholders.ts';
import { isConsole } from '../kubernetes/rollout-deployment.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { labelsOfJob, networkPoliciesOfJob } from './job-isolation.ts';

/** What a Job is to do, and for how long. */
export interface JobRequest {
  /** The listener's job. */
  readonly job: JobName;
  /** Text of the events. */
  readonly events: string;
  /** Whether the events are mounted as a file instead of being an argument. */
  readonly mounted: boolean;
  /** From the start until the Job is stopped as failed, in seconds. */
  readonly deadlineSeconds: number;
  /** From its end until Kubernetes removes it, in seconds. */
  readonly ttlSeconds: number;
}

/** Another pod for the same Job, when one failed for a reason that may pass. */
const RETRIES = 3;

/** What no other try makes better: a bad file, bad settings, and an object that is gone. */
const FINAL_EXIT_CODES = [LISTENER_EXIT.bad, LISTENER_EXIT.usage, LISTENER_EXIT.noInput];

/** Kubernetes manual, "Jobs": each pod carries its Job's UID in this label. */
const JOB_UID_LABEL = "metadata.labels['batch.kubernetes.io/controller-uid']";

const EVENTS = { folder: '/etc/file-processing/events', file: 'events.json' };

/** Name of the volume with what goes along with a Job. */
const VOLUME = 'job-files';

/** Files that a Job finds in a folder. */
export interface MountedFiles {
  /** Absolute; nothing else is mounted there. */
  readonly folder: string;
  /** Texts by the names of the files: keys of a ConfigMap. */
  readonly data: Readonly<Record<string, string>>;
}

/** Linux takes no longer argument (execve(2), MAX_ARG_STRLEN), and the API stores no larger ConfigMap. */
const MAX_BYTES = { argument: 128 * 1024 - 1, configMap: 1_000_000 };

/** A command of the listener that a Job runs, and for how long. */
export interface CommandRequest extends Pick<JobRequest, 'deadlineSeconds' | 'ttlSeconds'> {
  /** Of the Job. */
  readonly name: string;
  /** What follows the program's name. */
  readonly args: readonly string[];
  /** @default none */
  readonly files?: MountedFiles;
}

/** What of a container is of no use in a pod that only does one thing. */
const SERVING = ['args', 'ports', 'lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'];

/** What of a pod is not for a Job: it migrates nothing, and needs no spreading. */
const NOT_OF_A_JOB = ['containers', 'initContainers', 'topologySpreadConstraints'];

/**
 * The Kubernetes objects that run the listener's image once, over one text of events: the Job; the
 * ConfigMap with the events where they are mounted; and what the listener's network policies allow it
 * reach, for the Job's pods. Everything else is the Deployment's. The same request gives the same
 * names, so that applying it again changes nothing.
 *
 * @param objects - of the stack; its only Deployment is the listener
 * @throws OperationError when there is no Deployment, or the events are too large
 */
export function jobObjects(
  objects: readonly KubernetesObject[],
  request: JobRequest,
): readonly Manifest[] {
  const deployment = listenerOf(objects);
  refuseTooLarge(request);
  const { namespace } = deployment.metadata;
  const labels = labelsOfJob(deployment, objects);
  const spec = jobSpec(deployment, labels, {
    ...request,
    container: {
      env: [
        ...((deployment.spec.template.spec.containers[0].env as readonly unknown[]) ?? []),
        { name: 'JOB_UID', valueFrom: { fieldRef: { fieldPath: JOB_UID_LABEL } } },
      ],
      args: [
        // A pod that is started anew goes on with the judgement of the one before it.
        ...[RUN, request.job, '--invocation', '$(JOB_UID)'],
        ...(request.mounted
          ? ['--events-file', `${EVENTS.folder}/${EVENTS.file}`]
          : ['--event-json', literal(request.events)]),
      ],
    },
    retries: { backoffLimit: RETRIES, podFailurePolicy: failurePolicy(deployment) },
  });
  const digest = createHash('sha256')
    .update(JSON.stringify([spec, request.events]))
    .digest('hex');
  const name = `${deployment.metadata.name.slice(0, 40)}-job-${digest.slice(0, 12)}`;
  const metadata = { name, namespace, labels };
  const files = { folder: EVENTS.folder, data: { [EVENTS.file]: request.events } };
  return [
    ...networkPoliciesOfJob(labels, deployment, objects),
    ...jobWithFiles(metadata, spec, request.mounted ? files : undefined),
  ];
}

/**
 * The Kubernetes objects that run one command of the listener's program once: the Job, and what the listener's
 * network policies allow it reach, for the Job's pods. Everything else is the Deployment's.
 *
 * @param objects - as {@link jobObjects} takes them
 * @throws OperationError when there is no Deployment, or an argument is too long
 */
export function commandObjects(
  objects: readonly KubernetesObject[],
  request: CommandRequest,
): readonly Manifest[] {
  const deployment = listenerOf(objects);
  for (const argument of request.args) {
    const bytes = Buffer.byteLength(argument);
    if (bytes > MAX_BYTES.argument) {
      throw new OperationError(
        `an argument has ${bytes} bytes; at most ${MAX_BYTES.argument} are possible`,
        { code: EXIT.usage },
      );
    }
  }
  const labels = labelsOfJob(deployment, objects);
  const { namespace } = deployment.metadata;
  const metadata = { name: request.name, namespace, labels };
  // Whoever asked for the command decides whether it is tried again.
  const container = { args: request.args.map(literal) };
  const spec = jobSpec(deployment, labels, { ...request, container, retries: { backoffLimit: 0 } });
  return [
    ...networkPoliciesOfJob(labels, deployment, objects),
    ...jobWithFiles(metadata, spec, request.files),
  ];
}

/** The Job, and before it the ConfigMap of the same name that it mounts. */
function jobWithFiles(
  metadata: Manifest['metadata'],
  spec: JobSpec,
  files: MountedFiles | undefined,
): readonly Manifest[] {
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec };
  if (files === undefined) return [job];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, immutable: true, data: files.data },
    { ...job, spec: mounting(spec, metadata.name, files.folder) },
  ];
}

/**
 * Which objects the listener takes for deliveries, as its ConfigMap tells it.
 *
 * @throws OperationError when there is no Deployment, or the listener would refuse its settings
 */
export function deliveryFilterOf(objects: readonly KubernetesObject[]): DeliveryFilter {
  const [{ envFrom = [] }] = listenerOf(objects).spec.template.spec.containers;
  const names = (envFrom as readonly EnvFrom[]).map(({ configMapRef }) => configMapRef?.name);
  const data: Record<string, string> = Object.assign(
    {},
    ...objects
      .filter(({ manifest }) => manifest.kind === 'ConfigMap')
      .filter(({ manifest }) => names.includes(manifest.metadata.name))
      .map(({ manifest }) => manifest.data),
  );
  const setting = <N extends VariableName>(name: N): ValueOf<N> | undefined => {
    const { default: fallback }: ListenerVariable<unknown> = LISTENER_VARIABLES[name];
    const text = data[name] ?? fallback;
    if (text === undefined) return undefined;
    const read = readVariable(name, text);
    if ('value' in read) return read.value;
    throw new OperationError(`the ConfigMap's ${faultText(read.fault)}`, { code: EXIT.refused });
  };
  return {
    buckets: deliveryBuckets(setting),
    reportPrefix: setting('REPORT_PREFIX') ?? '',
    routingTargets: setting('ROUTING_TARGETS') ?? [],
  };
}

interface EnvFrom {
  readonly configMapRef?: { readonly name: string };
}

function listenerOf(objects: readonly KubernetesObject[]): Manifest {
  const found = objects.find(
    ({ manifest: { kind, spec } }) =>
      kind === 'Deployment' && !isConsole(spec.template.spec.containers),
  );
  if (found === undefined) {
    throw new OperationError('the environment deploys no listener, since it has no image', {
      next: 'build one: npm run manage -- ecr-put, or set image in file_processing.tfvars',
      code: EXIT.refused,
    });
  }
  const unknown = new Set<string>();
  fill(found.manifest.spec.template.spec, (expression) => {
    unknown.add(expression);
    return '';
  });
  if (unknown.size > 0) {
    throw new OperationError(
      `the listener's pods have values that only Terraform knows: ${[...unknown].join(', ')}`,
      { code: EXIT.refused },
    );
  }
  return found.manifest;
}

function jobSpec(
  deployment: Manifest,
  labels: Readonly<Record<string, string>>,
  request: {
    readonly container: Fields;
    readonly deadlineSeconds: number;
    readonly ttlSeconds: number;
    readonly retries: Fields;
  },
) {
  const { spec: pod } = deployment.spec.template;
  const container: Fields = {
    ...omit(pod.containers[0], SERVING),
    ...request.container,
  };
  return {
    ...request.retries,
    activeDeadlineSeconds: request.deadlineSeconds,
    ttlSecondsAfterFinished: request.ttlSeconds,
    template: {
      metadata: { labels },
      spec: {
        ...omit(pod, NOT_OF_A_JOB),
        // The listener's own pods may have it, to make Jobs.
        automountServiceAccountToken: false,
        restartPolicy: 'Never',
        containers: [container],
      },
    },
  };
}

/** Kubernetes replaces $(NAME) in arguments; $$ is a plain $. */
function literal(argument: string): string {
  return argument.replaceAll('$', '$$$$');
}

function failurePolicy({ spec }: Manifest) {
  return {
    rules: [
      {
        action: 'FailJob',
        onExitCodes: {
          containerName: spec.template.spec.containers[0].name,
          operator: 'In',
          values: FINAL_EXIT_CODES,
        },
      },
      // A drained node is nobody's fault.
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  };
}

type Fields = Readonly<Record<string, unknown>>;

type JobSpec = ReturnType<typeof jobSpec>;

function mounting(spec: JobSpec, configMap: string, folder: string) {
  const { template } = spec;
  const pod = template.spec as typeof template.spec & { readonly volumes?: readonly unknown[] };
  const volume = { name: VOLUME, configMap: { name: configMap } };
  const mount = { name: VOLUME, mountPath: folder, readOnly: true };
  return {
    ...spec,
    template: {
      ...template,
      spec: {
        ...pod,
        volumes: [...(pod.volumes ?? []), volume],
        containers: pod.containers.map((container) => ({
          ...container,
          volumeMounts: [...((container.volumeMounts as readonly unknown[]) ?? []), mount],
        })),
      },
    },
  };
}

function refuseTooLarge({ events, mounted }: JobRequest): void {
  const bytes = Buffer.byteLength(events);
  const most = mounted ? MAX_BYTES.configMap : MAX_BYTES.argument;
  if (bytes <= most) return;
  throw new OperationError(`the events have ${bytes} bytes; at most ${most} are possible`, {
    next: mounted ? 'divide them among several Jobs' : 'give them by --events-file',
    code: EXIT.usage,
  });
}

function omit(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
