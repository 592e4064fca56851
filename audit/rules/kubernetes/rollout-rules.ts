import { type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import type { ContainerSpec } from './api-types.ts';
import { shown, when } from './faults.ts';
import { selects } from './label-selector.ts';
import { LISTENER_VARIABLES } from './listener-interface.ts';
import { listenersIn } from './listeners.ts';
import { containersOf, objectsIn, servingPods } from './pods.ts';
import { podCount } from './quantity.ts';
import { leastReplicas } from './replicas.ts';

/** A rollout must not take pods away before new ones are ready. */
export const rolloutKeepsServing: Rule = rule({
  id: 'rollout-keeps-serving',
  title: 'A rollout keeps at least two pods, or all, and can go on',
  reason:
    'Recreate, or too many pods unavailable, leaves nobody to take messages during every rollout; no surge and none unavailable stops it; a paused one never begins.',
  control: 'CP-10',
  severity: 'high',
  subjects: (audited) => servingPods(audited).filter(({ kind }) => kind === 'Deployment'),
  faults: (pod, audited) => {
    const spec = pod.manifest.spec ?? {};
    const { type = 'RollingUpdate', rollingUpdate = {} } = spec.strategy ?? {};
    const replicas = leastReplicas(audited, pod);
    if (type !== 'RollingUpdate') return [`its strategy is ${type}, which stops all pods first`];
    const { maxUnavailable = '25%', maxSurge = '25%' } = rollingUpdate;
    const away = podCount(maxUnavailable, replicas, 'down') ?? 0;
    const more = podCount(maxSurge, replicas, 'up') ?? 0;
    return [
      ...[maxUnavailable, maxSurge]
        .filter((count) => podCount(count, replicas, 'up') === undefined)
        .map((count) => `${shown(count)} is neither a number nor a percentage of pods`),
      ...when(
        replicas - away < Math.min(2, replicas),
        `maxUnavailable ${maxUnavailable} leaves ${replicas - away} of ${replicas} pods`,
      ),
      ...when(
        away === 0 && more === 0,
        `maxSurge ${maxSurge} and maxUnavailable ${maxUnavailable}: no pod can be replaced`,
      ),
      ...when(spec.paused === true, 'is paused: no change ever reaches a pod'),
      ...when(
        spec.revisionHistoryLimit === 0,
        'revisionHistoryLimit 0 leaves nothing to go back to',
      ),
    ];
  },
});

/** Terraform must learn how a rollout ends. */
export const rolloutIsWaitedFor: Rule = rule({
  id: 'rollout-is-waited-for',
  title: 'Terraform waits until a rollout has succeeded or failed',
  reason:
    'Without waiting, an apply is green while every new pod crashes. A deadline shorter than a start, or longer than the apply, hides the reason.',
  control: 'CM-3',
  severity: 'medium',
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
      ...when(resource?.attributes.wait_for_rollout === false, 'wait_for_rollout is false'),
      ...when(
        progressDeadlineSeconds < start + 60 * (1 + inits),
        `progressDeadlineSeconds ${progressDeadlineSeconds} is less than a start may take (${start} s, and a minute for the image and each init container)`,
      ),
      ...when(
        progressDeadlineSeconds > 3600,
        `progressDeadlineSeconds ${progressDeadlineSeconds} is more than an hour`,
      ),
      ...['create', 'update'].flatMap((operation) => {
        const seconds = duration(resource, operation);
        return when(
          seconds <= progressDeadlineSeconds,
          `Terraform gives up the ${operation} after ${seconds} s, before Kubernetes says why`,
        );
      }),
    ];
  },
});

/** A pod that stops must finish what it has begun. */
export const podDrains: Rule = rule({
  id: 'pod-drains',
  title: 'A stopping pod serves until nobody calls it, then drains, then is killed',
  reason:
    'Load balancers go on sending for seconds after a pod was told to stop: without a preStop these messages are refused; a grace period below preStop and drain kills checks half way.',
  control: 'CP-10',
  severity: 'high',
  subjects: servingPods,
  faults: (pod, audited) => {
    const { terminationGracePeriodSeconds: grace = 30 } = pod.spec;
    const behindService = objectsIn(audited, pod.namespace, 'Service').some(({ manifest }) =>
      selects({ matchLabels: manifest.spec?.selector ?? {} }, pod.labels),
    );
    const listeners = listenersIn(audited, pod).filter(({ init }) => !init);
    const drains = listeners.map(({ setting }) => Number(setting('SHUTDOWN_SECONDS')));
    return [
      ...containersOf(pod)
        .filter(({ init, spec }) => !init && (spec.ports ?? []).length > 0)
        .flatMap(({ name, spec }) => {
          const pause = preStopSeconds(spec);
          const drain = Math.max(0, ...drains.filter((seconds) => !Number.isNaN(seconds)));
          return [
            ...when(
              behindService && !spec.lifecycle?.preStop,
              `container ${name} has no preStop: it stops while it is still called`,
            ),
            ...when(
              behindService && spec.lifecycle?.preStop !== undefined && pause === undefined,
              `preStop of container ${name} does not wait: ${shown(spec.lifecycle?.preStop)}`,
            ),
            ...when(
              behindService && pause !== undefined && pause < 5,
              `preStop of container ${name} waits ${pause} s; that is at least 5 s`,
            ),
            ...when(
              grace < (pause ?? 0) + drain + 2,
              `terminationGracePeriodSeconds ${grace} is less than preStop ${pause ?? 0} s, SHUTDOWN_SECONDS ${drain} s and a margin of 2 s`,
            ),
          ];
        }),
      ...listeners.flatMap(({ setting }) => {
        const seconds = Number(setting('SHUTDOWN_SECONDS'));
        const least = Number(LISTENER_VARIABLES.SHUTDOWN_SECONDS?.default) / 5;
        return when(seconds < least, `SHUTDOWN_SECONDS ${seconds} leaves no time to drain`);
      }),
      ...when(
        grace > 600,
        `terminationGracePeriodSeconds ${shown(grace)} keeps a drain of nodes waiting`,
      ),
    ];
  },
});

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

/** Rules on rollouts. */
export const ROLLOUT_RULES: readonly Rule[] = [rolloutKeepsServing, rolloutIsWaitedFor, podDrains];
