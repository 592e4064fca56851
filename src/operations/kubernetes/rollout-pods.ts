import { textTable } from '../text-table.ts';

/** What Kubernetes reports of a container (Kubernetes API, ContainerStatus). */
interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly image: string;
  /** As `docker-pullable://repository@sha256:...` or `repository@sha256:...`; empty before it was pulled. */
  readonly imageID?: string;
  readonly state?: Readonly<Record<string, { readonly reason?: string } | undefined>>;
}

/** A pod, as far as a rollout goes (Kubernetes API, Pod). */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly creationTimestamp?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** One pod, as it is shown. */
export interface PodState {
  readonly pod: string;
  readonly ready: boolean;
  /** `Running`, `Terminating`, or why it does not run, such as `ImagePullBackOff`. */
  readonly status: string;
  readonly restarts: number;
  /** Digest of the image that runs; empty before it was pulled. */
  readonly digest: string;
  /** Container that does not run, whose log may say why. */
  readonly failing?: string;
  /** Container that runs and keeps the pod from being ready, as one that waits for its database. */
  readonly waiting?: string;
}

/** The states of pods, oldest first. */
export function podStates(pods: readonly Pod[]): readonly PodState[] {
  return pods
    .toSorted((one, other) =>
      (one.metadata.creationTimestamp ?? '') < (other.metadata.creationTimestamp ?? '') ? -1 : 1,
    )
    .map(podState);
}

function podState({ metadata, status = {} }: Pod): PodState {
  const initial = status.initContainerStatuses ?? [];
  const main = status.containerStatuses ?? [];
  const failing = [...initial, ...main].find((container) => reasonOf(container) !== undefined);
  const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  const unscheduled = status.conditions?.find(
    ({ type, status: held }) => type === 'PodScheduled' && held === 'False',
  );
  const reason = failing && reasonOf(failing);
  const waiting = ready ? undefined : [...initial, ...main].find(({ state }) => state?.running);
  return {
    pod: metadata.name,
    ready,
    status: metadata.deletionTimestamp
      ? 'Terminating'
      : (status.reason ?? reason ?? unscheduled?.reason ?? status.phase ?? 'Unknown'),
    restarts: [...initial, ...main].reduce((sum, { restartCount }) => sum + restartCount, 0),
    digest: /sha256:[0-9a-f]{64}$/.exec(main[0]?.imageID ?? '')?.[0] ?? '',
    ...(failing && { failing: failing.name }),
    ...(!failing && waiting && { waiting: waiting.name }),
  };
}

/** Why a container neither runs nor is done; pods that are just starting have a reason too. */
function reasonOf({ state = {} }: ContainerStatus): string | undefined {
  const waiting = state.waiting?.reason;
  if (waiting !== undefined && !STARTING.includes(waiting)) return waiting;
  const ended = state.terminated?.reason;
  return ended === 'Completed' ? undefined : ended;
}

const STARTING = ['ContainerCreating', 'PodInitializing'];

/** The pods as a table. */
export function podTable(pods: readonly PodState[]): string {
  return textTable([
    ['POD', 'READY', 'STATUS', 'RESTARTS', 'IMAGE'],
    ...pods.map(({ pod, ready, status, restarts, digest }) => [
      pod,
      ready ? 'yes' : 'no',
      status,
      `${restarts}`,
      digest || 'not pulled yet',
    ]),
  ]);
}

/** An event (Kubernetes API, Event). */
export interface Event {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

const SHOWN = 5;

/** The newest warnings of a Deployment, its ReplicaSets and its pods, the newest last. */
export function warningsOf(events: readonly Event[], deployment: string): readonly Event[] {
  return events
    .filter(
      ({ type, involvedObject: { name } }) =>
        type === 'Warning' && (name === deployment || name.startsWith(`${deployment}-`)),
    )
    .toSorted((one, other) => (momentOf(one) < momentOf(other) ? -1 : 1))
    .slice(-SHOWN);
}

function momentOf({ lastTimestamp, eventTime }: Event): string {
  return lastTimestamp ?? eventTime ?? '';
}

/** Events as a table. */
export function eventTable(events: readonly Event[]): string {
  return textTable(
    events.map(({ involvedObject: { kind, name }, reason = '', message = '' }) => [
      `${kind.toLowerCase()}/${name}`,
      reason,
      message.replaceAll(/\s+/g, ' ').trim(),
    ]),
  );
}
