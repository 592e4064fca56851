import type { Audited } from '../rule.ts';
import { type Container, objectsIn } from './pods.ts';

/** Stands for a value that comes from a Secret. */
export const FROM_SECRET = Symbol('from a Secret');

/** The environment variables of a container. */
export type Environment = ReadonlyMap<string, string | typeof FROM_SECRET>;

/** Data of a ConfigMap; undefined where it does not exist. */
export function configMapData(
  audited: Audited,
  namespace: string,
  name: string | undefined,
): Readonly<Record<string, string>> | undefined {
  const found = objectsIn(audited, namespace, 'ConfigMap').find(
    ({ manifest }) => manifest.metadata.name === name,
  );
  return found && ((found.manifest.data ?? {}) as Record<string, string>);
}

/**
 * The environment that a container starts with: `env` goes before `envFrom`, and an empty text counts
 * as not set, as the listener has it.
 */
export function environmentOf(audited: Audited, { pod, spec }: Container): Environment {
  const environment = new Map<string, string | typeof FROM_SECRET>();
  for (const { prefix = '', configMapRef } of spec.envFrom ?? []) {
    const data = configMapData(audited, pod.namespace, configMapRef?.name) ?? {};
    for (const [key, value] of Object.entries(data)) environment.set(`${prefix}${key}`, value);
  }
  for (const { name, value, valueFrom } of spec.env ?? []) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    const data = configMapData(audited, pod.namespace, configMapKeyRef?.name);
    if (secretKeyRef) environment.set(name, FROM_SECRET);
    else environment.set(name, String(value ?? data?.[configMapKeyRef?.key ?? ''] ?? ''));
  }
  for (const [name, value] of environment) {
    if (typeof value === 'string' && value.trim() === '') environment.delete(name);
  }
  return environment;
}
