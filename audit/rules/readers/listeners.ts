import {
  CONSOLE,
  MIGRATE,
  ROLE_OPTION,
  ROLES,
  type Role,
  SERVE,
} from '@file-processing/contract/listener-interface.ts';
import {
  type FileVariableName,
  LISTENER_VARIABLES,
  type ListenerVariable,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import { pathOfConfigMapKey } from '@file-processing/contract/rule-set.ts';
import { type DeliveryBucket, readDeliveryBuckets } from '@file-processing/contract/s3-event.ts';
import type { Audited, Faults } from '../rule.ts';
import type { KeyToPath } from './kubernetes-api.ts';
import { type Container, containersOf, endingPods, objectNamed, type Pod, podsOf } from './pods.ts';
import { itemsOf } from './resources.ts';

const VARIABLES: Readonly<Record<string, ListenerVariable<unknown>>> = LISTENER_VARIABLES;

/** Variables that no other program is likely to have: who gets one of them is a listener. */
const TELLTALE = [
  'SNS_TOPIC_ARNS',
  'SQS_QUEUE_URL',
  'S3_BUCKET',
  'S3_BUCKETS',
  'S3_PREFIXES',
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'DB_HOST',
  'DB_NAME',
] as const satisfies readonly (VariableName | FileVariableName)[];

/** A container that runs the listener, whatever it is called. */
export interface Listener extends Container {
  readonly environment: Environment;
  /** A variable's text, or its default; undefined where it is not set or comes from a Secret. */
  readonly setting: (name: VariableName) => string | undefined;
  /** Whether a variable, or its `_FILE`, is set. */
  readonly isSet: (name: VariableName) => boolean;
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
        setting: (name: VariableName) => {
          const value = environment.get(name);
          if (value === undefined) return VARIABLES[name]?.default;
          return typeof value === 'string' ? value.trim() : undefined;
        },
        isSet: (name: VariableName) => environment.has(name) || environment.has(`${name}_FILE`),
      },
    ];
  });
}

/** A bucket of deliveries by its name, which may still be an expression of Terraform. */
export type NamedBucket = DeliveryBucket & { readonly name: string };

/** The buckets that settings name: those of S3_BUCKETS, else the one of S3_BUCKET. */
export function bucketsIn(
  setting: (name: VariableName) => string | undefined,
): readonly NamedBucket[] {
  const several = readDeliveryBuckets(setting('S3_BUCKETS') ?? '');
  if (several !== undefined)
    return several.map((bucket) => ({ ...bucket, name: `${bucket.name}` }));
  const name = setting('S3_BUCKET') ?? '';
  const prefixes = itemsOf(setting('S3_PREFIXES'));
  const one = { name, prefixes, suffix: setting('S3_SUFFIX') };
  return name === '' ? [] : [one];
}

/** The listeners that run for ever, to take messages or to judge files. */
export function servers(audited: Audited): readonly Listener[] {
  return lasting(audited).filter((listener) => !isConsole(listener));
}

/** The consoles: listeners by their settings, which serve pages and take no message. */
export function consoles(audited: Audited): readonly Listener[] {
  return lasting(audited).filter(isConsole);
}

/** Whether a container serves pages. */
export function isConsole({ spec }: Container): boolean {
  return spec.args?.[0] === CONSOLE.command;
}

function lasting(audited: Audited): readonly Listener[] {
  const ending = new Set(endingPods(audited));
  return listenersOf(audited).filter(({ init, pod }) => !init && !ending.has(pod));
}

/** What a listener that runs for ever does; undefined where its arguments don't say. */
export function roleOf({ spec }: Container): (typeof ROLES)[Role] | undefined {
  const args = spec.args ?? [];
  if (args[0] !== SERVE) return undefined;
  const inline = args.find((arg) => arg.startsWith(`${ROLE_OPTION}=`));
  const separate = args.indexOf(ROLE_OPTION);
  const role =
    inline?.slice(ROLE_OPTION.length + 1) ?? (separate > 0 ? args[separate + 1] : 'both');
  return role !== undefined && role in ROLES ? ROLES[role as Role] : undefined;
}

/** Whether SNS delivers to a listener over HTTP: no queue stands between, or an endpoint is subscribed as well. */
export function takesDeliveries(listener: Listener, { model }: Audited): boolean {
  const isSubscribed = model
    .ofType('aws_sns_topic_subscription')
    .some(({ stack, attributes }) => stack === listener.pod.stack && isHttp(attributes.protocol));
  return (
    roleOf(listener)?.takesMessages !== false && (isSubscribed || !listener.isSet('SQS_QUEUE_URL'))
  );
}

/** Whether a subscription's protocol is one of HTTP. */
export function isHttp(protocol: unknown): boolean {
  return /^https?$/.test(String(protocol));
}

/** Stands for a value that comes from a Secret. */
const FROM_SECRET = Symbol('from a Secret');

/** The environment variables of a container. */
export type Environment = ReadonlyMap<string, string | typeof FROM_SECRET>;

/** Data of a ConfigMap; undefined where it does not exist. */
export function configMapData(
  audited: Audited,
  namespace: string,
  name: string | undefined,
): Readonly<Record<string, string>> | undefined {
  const found = objectNamed(audited, namespace, 'ConfigMap', name);
  return found && ((found.manifest.data ?? {}) as Record<string, string>);
}

/**
 * The environment that a container starts with: `env` takes precedence over `envFrom`, and an empty text counts
 * as not set, as the listener has it.
 */
export function environmentOf(audited: Audited, { pod, spec }: Container): Environment {
  const environment = new Map<string, string | typeof FROM_SECRET>();
  for (const { prefix = '', configMapRef } of spec.envFrom ?? []) {
    const data = configMapData(audited, pod.namespace, configMapRef?.name) ?? {};
    for (const [key, value] of Object.entries(data)) environment.set(`${prefix}${key}`, value);
  }
  for (const { name = '', value, valueFrom } of spec.env ?? []) {
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

function rulesMount({ pod, spec, setting }: Listener) {
  const folder = setting('RULES_LOCATION');
  const mount = (spec.volumeMounts ?? []).find(({ mountPath }) => mountPath === folder);
  return { mount, volume: pod.spec.volumes?.find(({ name }) => name === mount?.name) };
}

/** Names of the ConfigMaps that listeners of a pod read rule sets from: they follow their changes by themselves. */
export function rulesConfigMaps(audited: Audited, pod: Pod): readonly string[] {
  return listenersIn(audited, pod).flatMap(
    (listener) => rulesMount(listener).volume?.configMap?.name ?? [],
  );
}

/** What keeps a listener from reading its rule set where it is a folder. */
export function rulesFaults(listener: Listener, audited: Audited): Faults {
  const { pod, setting } = listener;
  const folder = setting('RULES_LOCATION') ?? '';
  if (!folder.startsWith('/')) return [];
  const { mount, volume } = rulesMount(listener);
  if (mount === undefined || volume === undefined) {
    return [`RULES_LOCATION is ${folder}, where no volume is mounted`];
  }
  const place = `volume ${volume.name}`;
  if (volume.configMap === undefined) return [`${place}, at RULES_LOCATION, is not a ConfigMap`];
  const { name = '', items } = volume.configMap;
  const keys = Object.keys(configMapData(audited, pod.namespace, name) ?? {});
  return [
    mount.subPath !== undefined && `${place} is mounted by subPath, so a change never arrives`,
    items !== undefined && `${place} lists items, so a new file of the rule set never arrives`,
    !keys.some((key) => pathOfConfigMapKey(key) !== undefined) &&
      `ConfigMap ${name}, at RULES_LOCATION, holds no file of a rule set`,
  ];
}

/** What keeps a listener from reading the file that one of its variables names. */
export function fileFaults(
  { pod, spec }: Listener,
  name: string,
  path: string,
  audited: Audited,
): Faults {
  const mount = (spec.volumeMounts ?? []).find(
    ({ mountPath, subPath }) =>
      (subPath !== undefined && mountPath === path) || path.startsWith(`${mountPath}/`),
  );
  const volume = pod.spec.volumes?.find((one) => one.name === mount?.name);
  if (mount === undefined || volume === undefined) {
    return [`${name} is ${path}, where no volume is mounted`];
  }
  const file = mount.subPath ?? path.slice(`${mount.mountPath}/`.length);
  const source = volume.secret ?? volume.configMap;
  if (source === undefined) {
    return [
      volume.projected === undefined && `${name} is ${path}, in a volume that holds no Secret`,
    ];
  }
  const items = source.items as readonly KeyToPath[] | undefined;
  const key = items ? items.find((item) => item.path === file)?.key : file;
  const sourceName = volume.secret?.secretName ?? volume.configMap?.name ?? '';
  const kind = volume.secret === undefined ? 'ConfigMap' : 'Secret';
  const object = objectNamed(audited, pod.namespace, kind, sourceName);
  const keys = object?.secretKeys ?? (object && Object.keys(object.manifest.data ?? {}));
  if (key === undefined)
    return [`${name} is ${path}, which no item of volume ${volume.name} makes`];
  // A Secret of others: its keys are the variables' names, as the settings demand.
  if (keys === undefined) {
    return [
      key !== name.replace(/_FILE$/, '') &&
        `${name} is ${path}; a Secret of others has the key ${name.replace(/_FILE$/, '')}`,
    ];
  }
  return [!keys.includes(key) && `${name} is ${path}, but ${kind} ${sourceName} has no key ${key}`];
}
