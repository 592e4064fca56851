import { isBucketName, isKeyPrefix, KEY_PREFIX } from './s3-object.ts';

/** A place that files may be copied to by their verdicts. */
export interface RoutingTarget {
  readonly bucket: string;
  /** Ends in a slash; no delivery is below it, and it is below none. */
  readonly prefix: string;
  /** Another account that has to own the bucket, in twelve digits. Undefined: not looked at. */
  readonly account?: string | undefined;
}

/** What of routing the settings allow; a rule set that asks for more is refused. */
export interface RoutingSettings {
  /** Whether the delivered object versions may be tagged. */
  readonly tags: boolean;
  /** Empty: nothing may be copied. */
  readonly targets: readonly RoutingTarget[];
}

/** Nothing is allowed. */
export const NO_ROUTING: RoutingSettings = Object.freeze({
  tags: false,
  targets: Object.freeze([]),
});

/** What a list of targets looks like that {@link readRoutingTargets} takes, in words. */
export const ROUTING_TARGETS = `a JSON list of objects, each with bucket and prefix (${KEY_PREFIX}), none inside another one, and with account (twelve digits) as needed`;

/** Reads a list of targets as ROUTING_TARGETS has it; undefined for what is not allowed. */
export function readRoutingTargets(text: string): readonly RoutingTarget[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list) || list.length === 0 || !list.every(isTarget)) return undefined;
  const targets: readonly RoutingTarget[] = list;
  const clash = targets.some((one, index) =>
    targets.some((other, at) => at !== index && areNear(one, other)),
  );
  return clash ? undefined : Object.freeze(targets.map((target) => Object.freeze({ ...target })));
}

function isTarget(value: unknown): value is RoutingTarget {
  if (typeof value !== 'object' || value === null) return false;
  const { bucket, prefix, account, ...others } = value as Readonly<Record<string, unknown>>;
  return (
    typeof bucket === 'string' &&
    isBucketName(bucket) &&
    typeof prefix === 'string' &&
    isKeyPrefix(prefix) &&
    (account === undefined || (typeof account === 'string' && /^\d{12}$/.test(account))) &&
    Object.keys(others).length === 0
  );
}

interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** Whether one of two places lies inside the other, or both are one. */
export function areNear(one: Place, other: Place): boolean {
  return (
    one.bucket === other.bucket &&
    (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix))
  );
}

/** The target that a place is, or lies inside of; undefined where it may not be copied to. */
export function targetOf(
  { targets }: Pick<RoutingSettings, 'targets'>,
  { bucket, prefix }: Place,
): RoutingTarget | undefined {
  return targets.find((target) => target.bucket === bucket && prefix.startsWith(target.prefix));
}
