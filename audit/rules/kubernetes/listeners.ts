import type { Audited } from '../rule.ts';
import { type Environment, environmentOf } from './environment.ts';
import {
  LISTENER_VARIABLES,
  MIGRATE,
  ROLE_OPTION,
  ROLES,
  SERVE,
  TELLTALE,
} from './listener-interface.ts';
import { type Container, containersOf, endingPods, type Pod, podsOf } from './pods.ts';

/** A container that runs the listener, whatever it is called. */
export interface Listener extends Container {
  readonly environment: Environment;
  /** A variable's text, or its default; undefined where it is not set or comes from a Secret. */
  readonly setting: (name: string) => string | undefined;
  /** Whether a variable, or its `_FILE`, is set. */
  readonly isSet: (name: string) => boolean;
}

/** Every container that is told, or called, what only a listener is; those that run to their end as well. */
export function listenersOf(audited: Audited): readonly Listener[] {
  return podsOf(audited).flatMap((pod) => listenersIn(audited, pod));
}

/** The listeners among the containers of a pod. */
export function listenersIn(audited: Audited, pod: Pod): readonly Listener[] {
  return containersOf(pod).flatMap((container) => {
    const environment = environmentOf(audited, container);
    const called = [SERVE, MIGRATE.command].includes(container.spec.args?.[0] ?? '');
    if (!called && !TELLTALE.some((name) => environment.has(name))) return [];
    return [
      {
        ...container,
        environment,
        setting: (name: string) => {
          const value = environment.get(name);
          if (value === undefined) return LISTENER_VARIABLES[name]?.default;
          return typeof value === 'string' ? value.trim() : undefined;
        },
        isSet: (name: string) => environment.has(name) || environment.has(`${name}_FILE`),
      },
    ];
  });
}

/** The listeners that run for ever. */
export function servers(audited: Audited): readonly Listener[] {
  const ending = new Set(endingPods(audited));
  return listenersOf(audited).filter(({ init, pod }) => !init && !ending.has(pod));
}

/** What a listener that runs for ever does; undefined where its arguments don't say. */
export function roleOf({ spec }: Container): (typeof ROLES)[string] | undefined {
  const args = spec.args ?? [];
  if (args[0] !== SERVE) return undefined;
  const inline = args.find((arg) => arg.startsWith(`${ROLE_OPTION}=`));
  const separate = args.indexOf(ROLE_OPTION);
  const role =
    inline?.slice(ROLE_OPTION.length + 1) ?? (separate > 0 ? args[separate + 1] : 'both');
  return role === undefined ? undefined : ROLES[role];
}

/** Whether SNS delivers to a listener over HTTP, and no queue stands between. */
export function takesDeliveries(listener: Listener): boolean {
  return roleOf(listener)?.intake !== false && !listener.isSet('SQS_QUEUE_URL');
}
