import type { Rule } from '../../../audit/rules/rule.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { DATABASE } from '../../support/synthesized-workload.ts';
import { findings } from './findings.ts';
import { renamedManifests } from './renamed-manifests.ts';
import type { Json, Stacks } from './renamed-stack.ts';
import { auditedOf, stacksOf } from './stacks.ts';

type Overrides = Partial<FileProcessingSettings>;

const COMMON: Overrides = { ...DATABASE, s3_prefixes: ['incoming_files/'], s3_suffix: '.csv' };
const ENDPOINT = 'https://files.example.gov/';

/** Good stacks that faults are planted into. */
export const BASES = {
  /** SNS posts to a load balancer that ends TLS. */
  http: {
    ...COMMON,
    sns_endpoint_url: ENDPOINT,
    tls_certificate_arn: 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c',
    access_logs_bucket: 'etl-access-logs',
  },
  /** The listener fetches from a queue. */
  queue: { ...COMMON, delivery: 'sqs' },
  /** An Ingress of the AWS Load Balancer Controller. */
  alb: { ...COMMON, sns_endpoint_url: ENDPOINT, ingress_class_name: 'alb' },
  /** An Ingress of another controller. */
  nginx: { ...COMMON, sns_endpoint_url: ENDPOINT, ingress_class_name: 'nginx' },
  /** The database's address is in a Secret of others. */
  existingSecret: {
    s3_prefixes: ['incoming_files/'],
    delivery: 'sqs',
    existing_secret_name: 'database-of-others',
  },
  /** The database's password is in a Secret of others. */
  existingPassword: { ...COMMON, delivery: 'sqs', existing_secret_name: 'database-of-others' },
  /** No password at all. */
  iam: { ...COMMON, delivery: 'sqs', db_iam_auth: true, db_resource_id: 'db-ABCDEFGHIJKL01234' },
  /** No right to write, and no report. */
  noReports: { ...COMMON, delivery: 'sqs', report_prefix: '' },
  /** Files are tagged, and copied to two places, by their verdicts. */
  routing: {
    ...COMMON,
    delivery: 'sqs',
    report_prefix: '',
    forget_reports: true,
    routing_tags: true,
    routing_targets: [
      {
        ...{ bucket: 'checked-files', prefix: 'checked/', account_id: '' },
        kms_key_arn:
          'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5d1b2c4d-8a3d-4c0e-9a55-0f3a5d1b2c4d',
      },
      { bucket: 'rejected-files', prefix: 'checked/', kms_key_arn: '', account_id: '' },
    ],
  },
  /** KEDA scales by what waits. */
  backlog: { ...COMMON, delivery: 'sqs', autoscaling: 'backlog' },
  /** A CronJob looks for objects without a message. */
  reconciliation: { ...COMMON, delivery: 'sqs', reconciliation_schedule: '17 4 * * *' },
  /** Pages are served, to people who sign in, through a proxy of the cluster. */
  console: {
    ...COMMON,
    delivery: 'sqs',
    console: true,
    console_clients: ['ingress-nginx'],
    console_variables: {
      CONSOLE_ORIGIN: 'https://deliveries.example.gov',
      CONSOLE_GRANTS: '[{"group":"data-team","rights":["look"]}]',
    },
  },
  /** The namespace is made by others. */
  namespaceOfOthers: { ...COMMON, delivery: 'sqs', create_namespace: false },
} as const satisfies Record<string, Overrides>;

/** Name of a good stack. */
export type Base = keyof typeof BASES;

/** Changes the Terraform JSON of file-processing. */
export type Change = (json: Json) => void;

/** A change that still deploys and is wrong: what is done, how, and to which good stack. */
export type Plant = readonly [name: string, change: Change, base?: Base];

/** Both stacks of a base. */
export function stacksOfBase(base: Base): Stacks {
  return stacksOf({ processing: BASES[base] });
}

/** How stacks are named when faults are planted. */
export const KUBERNETES_NAMINGS: readonly (readonly [string, (stacks: Stacks) => Stacks])[] = [
  ['as it is', (stacks) => stacks],
  ['with everything renamed', renamedManifests],
];

/** What rules say of stacks after a change of file-processing. */
export function findingsAfter(
  rules: readonly Rule[],
  stacks: Stacks,
  change: Change = () => undefined,
): readonly string[] {
  const changed = structuredClone(stacks);
  change(changed['file-processing'] ?? {});
  return findings(rules, auditedOf(changed));
}

/** A path of keys, with dots between them, or as a list where a key has dots. */
export type Path = string | readonly string[];

/** Sets an argument of the first resource of a type. */
export function set(type: string, path: Path, value: unknown): Change {
  return (json) => {
    const keys = keysOf(path);
    const holder = holderAt(attributesOf(json, type), keys);
    holder[keys.at(-1) ?? ''] = value;
  };
}

/** Removes an argument, or one element of a list, of the first resource of a type. */
export function drop(type: string, path: Path): Change {
  return (json) => {
    const keys = keysOf(path);
    const holder = holderAt(attributesOf(json, type), keys);
    const last = keys.at(-1) ?? '';
    if (!(last in holder)) throw new Error(`${type} has no ${keys.join('.')}`);
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete holder[last];
  };
}

/** Changes an argument of the first resource of a type. */
export function alter<T>(type: string, path: Path, change: (value: T) => unknown): Change {
  return (json) => set(type, path, change(argumentOf(json, type, path) as T))(json);
}

/** Removes every resource of a type, and its name from every `depends_on`. */
export function remove(type: string): Change {
  return (json) => {
    const resources = resourcesOf(json);
    const gone = Object.keys(resources[type] ?? {}).map((name) => `${type}.${name}`);
    delete resources[type];
    for (const block of Object.values(resources).flatMap(Object.values)) {
      const { depends_on } = block;
      if (Array.isArray(depends_on)) {
        block.depends_on = depends_on.filter((address) => !gone.includes(address));
      }
    }
  };
}

/** Adds a resource. */
export function add(type: string, name: string, block: Json): Change {
  return (json) => {
    const resources = resourcesOf(json);
    resources[type] = { ...resources[type], [name]: block };
  };
}

/** Adds an object that is like the others in all but its own fields. */
export function addObject(type: string, name: string, fields: Json): Change {
  return (json) =>
    add(type, 'added', {
      metadata: { ...(argumentOf(json, 'kubernetes_config_map_v1', 'metadata') as Json), name },
      depends_on: argumentOf(json, 'kubernetes_config_map_v1', 'depends_on'),
      ...fields,
    })(json);
}

/** Adds a resource beside the first one of its type, made from it. */
export function addTwin(type: string, change: (block: Json) => void = () => undefined): Change {
  return (json) => {
    const twin = structuredClone(attributesOf(json, type));
    change(twin);
    add(type, 'twin', twin)(json);
  };
}

/** Several changes. */
export function all(...changes: readonly Change[]): Change {
  return (json) => {
    for (const change of changes) change(json);
  };
}

/** Value of an argument of the first resource of a type. */
export function argumentOf(json: Json, type: string, path: Path): unknown {
  const keys = keysOf(path);
  return holderAt(attributesOf(json, type), keys)[keys.at(-1) ?? ''];
}

/** Arguments of the first resource of a type. */
export function attributesOf(json: Json, type: string): Json {
  const [first] = Object.values(resourcesOf(json)[type] ?? {});
  if (first === undefined) throw new Error(`There is no ${type}`);
  return first;
}

function resourcesOf(json: Json): Record<string, Record<string, Json>> {
  return json.resource as Record<string, Record<string, Json>>;
}

function keysOf(path: Path): readonly string[] {
  return typeof path === 'string' ? path.split('.') : path;
}

function holderAt(attributes: Json, keys: readonly string[]): Json {
  let holder = attributes;
  for (const key of keys.slice(0, -1)) {
    holder[key] ??= {};
    holder = holder[key] as Json;
  }
  return holder;
}
