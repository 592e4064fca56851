import {
  OWN_REQUEST_SECONDS,
  PATHS,
  READINESS_SECONDS,
  SERVED_PATHS,
} from '@file-processing/contract/listener-interface.ts';
import { LISTENER_VARIABLES } from '@file-processing/contract/listener-variables.ts';
import { type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import type { ContainerSpec, Probe } from '../readers/kubernetes-api.ts';
import { listenersIn, servers } from '../readers/listeners.ts';
import {
  type Container,
  containersOf,
  leastReplicas,
  podCount,
  portOf,
  servicesOf,
  servingPods,
} from '../readers/pods.ts';
import { type Audited, type Rule, rule, shown } from '../rule.ts';

/** How long a container waits before it is told to stop; undefined where it can't be told. */
function preStopSeconds({ lifecycle }: ContainerSpec): number | undefined {
  const { sleep, exec } = lifecycle?.preStop ?? {};
  if (sleep?.seconds !== undefined) return Number(sleep.seconds);
  const [program = '', ...rest] = exec?.command ?? [];
  const [flag, code = ''] = rest;
  const shell = /(^|\/)sh$/.test(program) && flag === '-c' ? code : undefined;
  const slept = /^(?:\S*\/)?sleep (\d+)s?$/.exec(shell ?? [program, ...rest].join(' '));
  if (slept) return Number(slept[1]);
  if (program !== 'node' || flag !== '-e') return undefined;
  const timer = /^\s*setTimeout\(\s*\(\)\s*=>\s*\{\s*\}\s*,\s*(\d+)\s*\);?\s*$/.exec(code);
  return timer ? Number(timer[1]) / 1000 : undefined;
}

function startSeconds({ startupProbe }: ContainerSpec): number {
  if (!startupProbe) return 0;
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = startupProbe;
  return initialDelaySeconds + periodSeconds * failureThreshold;
}

/** Seconds of one of a resource's timeouts; ten minutes is the provider's default. */
function duration(resource: Resource | undefined, operation: string): number {
  const text = String(valueAt(resource?.attributes, `timeouts.${operation}`) ?? '10m');
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  return [...text.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (units[unit] ?? 1),
    0,
  );
}

/** Names of the three probes. */
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
type ProbeName = (typeof PROBES)[number];

interface PlacedProbe {
  readonly stack: string;
  readonly address: string;
  readonly container: Container;
  readonly name: ProbeName;
  readonly probe: Probe;
}

function servingContainers(audited: Audited): readonly Container[] {
  return servingPods(audited)
    .flatMap(containersOf)
    .filter(({ init }) => !init);
}

function probes(audited: Audited): readonly PlacedProbe[] {
  return servingContainers(audited).flatMap((container) =>
    PROBES.flatMap((name) => {
      const probe = container.spec[name];
      const address = `${container.address} ${name}`;
      return probe ? [{ stack: container.stack, address, container, name, probe }] : [];
    }),
  );
}

/** Rules on rollouts and probes. */
export const ROLLOUT_RULES: readonly Rule[] = [
  rule({
    id: 'rollout-keeps-serving',
    subjects: (audited) => servingPods(audited).filter(({ kind }) => kind === 'Deployment'),
    faults: (pod, audited) => {
      const spec = pod.manifest.spec ?? {};
      const { type = 'RollingUpdate', rollingUpdate = {} } = spec.strategy ?? {};
      const replicas = leastReplicas(audited, pod);
      if (type !== 'RollingUpdate') return [`its strategy is ${type}, which stops all pods first`];
      const { maxUnavailable = '25%', maxSurge = '25%' } = rollingUpdate;
      const unavailable = podCount(maxUnavailable, replicas, 'down') ?? 0;
      const more = podCount(maxSurge, replicas, 'up') ?? 0;
      return [
        ...[maxUnavailable, maxSurge]
          .filter((count) => podCount(count, replicas, 'up') === undefined)
          .map((count) => `${shown(count)} is neither a number nor a percentage of pods`),
        replicas - unavailable < Math.min(2, replicas) &&
          `maxUnavailable ${maxUnavailable} leaves ${replicas - unavailable} of ${replicas} pods`,
        unavailable === 0 &&
          more === 0 &&
          `maxSurge ${maxSurge} and maxUnavailable ${maxUnavailable}: no pod can be replaced`,
        spec.paused === true && 'is paused: no change ever reaches a pod',
        spec.revisionHistoryLimit === 0 && 'revisionHistoryLimit 0 leaves nothing to go back to',
      ];
    },
  }),
  rule({
    id: 'rollout-is-waited-for',
    subjects: (audited) => servingPods(audited).filter(({ kind }) => kind === 'Deployment'),
    faults: (pod, audited) => {
      const resource = audited.model.stackOf(pod).at(pod.address);
      const { progressDeadlineSeconds = 600, minReadySeconds = 0 } = pod.manifest.spec ?? {};
      const start = Math.max(
        0,
        ...containersOf(pod).map(({ spec }) => startSeconds(spec) + Number(minReadySeconds)),
      );
      const inits = containersOf(pod).filter(({ init }) => init).length;
      return [
        resource?.attributes.wait_for_rollout === false && 'wait_for_rollout is false',
        progressDeadlineSeconds < start + 60 * (1 + inits) &&
          `progressDeadlineSeconds ${progressDeadlineSeconds} is less than a start may take (${start} s, and a minute for the image and each init container)`,
        progressDeadlineSeconds > 3600 &&
          `progressDeadlineSeconds ${progressDeadlineSeconds} is more than an hour`,
        ...['create', 'update'].flatMap((operation) => {
          const seconds = duration(resource, operation);
          return [
            seconds <= progressDeadlineSeconds &&
              `Terraform gives up the ${operation} after ${seconds} s, before Kubernetes says why`,
          ];
        }),
      ];
    },
  }),
  rule({
    id: 'pod-drains',
    subjects: servingPods,
    faults: (pod, audited) => {
      const { terminationGracePeriodSeconds: grace = 30 } = pod.spec;
      const behindService = servicesOf(audited, pod).length > 0;
      const listeners = listenersIn(audited, pod).filter(({ init }) => !init);
      const drains = listeners.map(({ setting }) => Number(setting('SHUTDOWN_SECONDS')));
      return [
        ...containersOf(pod)
          .filter(({ init, spec }) => !init && (spec.ports ?? []).length > 0)
          .flatMap(({ name, spec }) => {
            const pause = preStopSeconds(spec);
            const drain = Math.max(0, ...drains.filter((seconds) => !Number.isNaN(seconds)));
            return [
              behindService &&
                !spec.lifecycle?.preStop &&
                `container ${name} has no preStop: it stops while it is still called`,
              behindService &&
                spec.lifecycle?.preStop !== undefined &&
                pause === undefined &&
                `preStop of container ${name} does not wait: ${shown(spec.lifecycle?.preStop)}`,
              behindService &&
                pause !== undefined &&
                pause < 5 &&
                `preStop of container ${name} waits ${pause} s; that is at least 5 s`,
              grace < (pause ?? 0) + drain + 2 &&
                `terminationGracePeriodSeconds ${grace} is less than preStop ${pause ?? 0} s, SHUTDOWN_SECONDS ${drain} s and a margin of 2 s`,
            ];
          }),
        ...listeners.flatMap(({ setting }) => {
          const seconds = Number(setting('SHUTDOWN_SECONDS'));
          const least = Number(LISTENER_VARIABLES.SHUTDOWN_SECONDS.default) / 5;
          return [seconds < least && `SHUTDOWN_SECONDS ${seconds} leaves no time to drain`];
        }),
        grace > 600 &&
          `terminationGracePeriodSeconds ${shown(grace)} keeps a drain of nodes waiting`,
      ];
    },
  }),
  rule({
    id: 'container-is-probed',
    subjects: servingContainers,
    faults: ({ spec }) => PROBES.filter((name) => !spec[name]).map((name) => `has no ${name}`),
  }),
  rule({
    id: 'probe-has-a-valid-port',
    subjects: probes,
    faults: ({ container, probe }) => {
      const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
      if (probe.exec) return [!probe.exec.command?.length && 'runs no command'];
      if (port === undefined)
        return ['requests nothing: it has neither httpGet, tcpSocket, grpc nor exec'];
      return [
        portOf([container], port) === undefined &&
          `requests port ${port}, which container ${container.name} does not have`,
        probe.httpGet?.host !== undefined &&
          `requests the host ${probe.httpGet?.host}, not its pod`,
      ];
    },
  }),
  rule({
    id: 'probe-requests-a-served-path',
    subjects: (audited) => {
      const listeners = new Set(servers(audited).map(({ address }) => address));
      return probes(audited).filter(({ container }) => listeners.has(container.address));
    },
    faults: ({ container, name, probe }, audited) => {
      const listener = servers(audited).find(({ address }) => address === container.address);
      if (!probe.httpGet)
        return ['must request over HTTP: an open port does not say that it answers'];
      const { path = '/', port, scheme = 'HTTP' } = probe.httpGet;
      const number = Number(portOf([container], port)?.containerPort);
      const served = number === Number(listener?.setting('METRICS_PORT')) ? 'METRICS_PORT' : 'PORT';
      const paths: readonly string[] = SERVED_PATHS[served];
      return [
        scheme !== 'HTTP' && `requests by ${scheme}; the listener speaks HTTP`,
        served === 'PORT' &&
          'requests PORT, where anybody from outside may queue, not METRICS_PORT',
        !paths.includes(path) && `requests ${path}; ${served} serves ${paths.join(', ')}`,
        name === 'readinessProbe' &&
          path !== PATHS.readiness &&
          `requests ${path}, which answers while the database is unavailable; readiness is ${PATHS.readiness}`,
        name !== 'readinessProbe' &&
          path === PATHS.readiness &&
          `requests ${path}, which fails while the database is unavailable: all pods are restarted for it`,
      ];
    },
  }),
  rule({
    id: 'probe-timing-is-valid',
    subjects: probes,
    faults: ({ name, probe }) => {
      const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
      const { initialDelaySeconds = 0, successThreshold = 1 } = probe;
      const budget = periodSeconds * failureThreshold;
      const longestAnswer = Math.max(READINESS_SECONDS, OWN_REQUEST_SECONDS);
      if (name === 'startupProbe') {
        return [
          budget < 20 && `gives ${budget} s to start; that is at least 20 s`,
          budget > 600 && `gives ${budget} s to start; that is at most 600 s`,
          timeoutSeconds > 30 && `waits ${timeoutSeconds} s for an answer; that is at most 30 s`,
          timeoutSeconds < 2 && `waits ${timeoutSeconds} s for an answer; that is at least 2 s`,
        ];
      }
      return [
        timeoutSeconds > periodSeconds &&
          `waits ${timeoutSeconds} s for an answer but is repeated every ${periodSeconds} s`,
        timeoutSeconds <= longestAnswer &&
          `waits ${timeoutSeconds} s for an answer, which may take ${longestAnswer} s`,
        failureThreshold < 2 && 'takes a single failure for the truth',
        name === 'livenessProbe' &&
          budget < 20 &&
          `restarts the container after ${budget} s; that is at least 20 s`,
        budget > (name === 'livenessProbe' ? 180 : 60) &&
          `notices a failure after ${budget} s only`,
        initialDelaySeconds > 60 &&
          `begins ${initialDelaySeconds} s after the start; a startupProbe is there for that`,
        name === 'livenessProbe' &&
          successThreshold !== 1 &&
          `successThreshold is ${shown(successThreshold)}; the API takes 1 only`,
        successThreshold > 3 && `needs ${successThreshold} answers before it counts one`,
      ];
    },
  }),
];
