import { CUSTOM_OBJECTS } from '../../../src/settings/common-variables.ts';

/** A stack's parsed Terraform JSON. */
export type Json = Record<string, unknown>;

/** Stacks by name. */
export type Stacks = Readonly<Record<string, Json>>;

/** Arguments whose values are names that somebody chose, in AWS, Kubernetes or Terraform's own settings. */
const NAME_ARGUMENTS = new Set([
  ...['name', 'Name', 'bucket', 'namespace', 'node_group_name', 'alarm_name', 'key', 'path'],
  ...['service_account_name', 'secret_name', 'claim_name', 'filter_prefix', 'principal_arn'],
  ...['S3_BUCKET', 'S3_PREFIXES', 'REPORT_PREFIX', 'DB_NAME', 'DB_USER', 'app', 'profile', 'Sid'],
  ...['values', 'Environment', 'Component', 'CostCenter', 'Owner', 'id', 'team'],
  'service.beta.kubernetes.io/aws-load-balancer-access-log-s3-bucket-name',
]);

/** Types of resources whose names AWS chose. */
const NAMED_BY_AWS = new Set(['aws_eks_addon']);

/** Words that mean something to AWS, Kubernetes or Terraform, in whatever name they are. */
const RESERVED = new Set([
  ...['aws', 'us', 'gov', 'cn', 'eu', 'west', 'east', 'central', 'north', 'south'],
  ...['vpc', 'eks', 'cluster', 'sns', 'alias', 'kubernetes', 'io', 'com', 'amazonaws', 'role'],
  ...['elb', 'internal', 'kube', 'system', 'dns', 'arn', 'iam', 'root', 'tag', 'tmp', 'cpu', 'csv'],
  ...['app', 'component', 'managed', 'by', 'part', 'of', 'version', 'terraform', 'true', 'false'],
  ...['Failure', 'logs', 'log', 'group', 'metadata', 'tfstate', 'http', 'https', 'metrics', 'id'],
  'console',
  ...['file', 'memory', 'Always', 'tcp', 'udp', 'TCP', 'UDP', 'ns', 'state', 'hosts', 'ids'],
  ...['rds', 'instance', 'postgresql', 'upgrade', 'database'],
]);

const BARE_ARGUMENTS = new Set([
  'name',
  'container_name',
  'namespace',
  'bucket',
  'DB_NAME',
  'DB_USER',
  'kubernetes.io/metadata.name',
]);

const ACCOUNT = /(?<!\d)\d{12}(?!\d)/g;

/** Ports that the stacks choose themselves, and what they become. */
const PORTS: Readonly<Record<string, number>> = { '8080': 18080, '9090': 19090, '5432': 15432 };

/**
 * The same stacks with everything renamed that has a name of our own: resources, variables and locals
 * in Terraform, physical names, buckets, prefixes, namespaces, labels, Sids, accounts and ports. The
 * same name becomes the same new one everywhere, in any run.
 */
export function renamedStacks(stacks: Stacks): Stacks {
  const words = physicalNames(otherAccount(stacks));
  const names = [...words].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(names.map(escapeText).join('|'), 'g');
  const rename = (text: string) =>
    text
      .replace(pattern, renameWords)
      .replaceAll(/"Sid":"([^"]*)"/g, (_, sid: string) => `"Sid":"${renameWords(sid)}"`);
  return Object.fromEntries(
    Object.entries(otherAccount(stacks)).map(([name, json]) => {
      const renamed = bareNames(deep(renamedAddresses(json), rename), '');
      return [name, ports(renamed) as Json];
    }),
  );
}

function otherAccount(stacks: Stacks): Stacks {
  const text = JSON.stringify(stacks);
  return JSON.parse(text.replaceAll(ACCOUNT, (account) => `9${account.slice(1)}`)) as Stacks;
}

/** Names of one word are replaced only where they stand as a name: inside other text they may be a word. */
function bareNames(value: unknown, argument: string): unknown {
  if (typeof value === 'string') {
    return BARE_ARGUMENTS.has(argument) && /^[A-Za-z]{3,}$/.test(value)
      ? renameWords(value)
      : value;
  }
  if (Array.isArray(value)) return value.map((item) => bareNames(item, argument));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, bareNames(item, key)]),
  );
}

/** Another word for a word, the same at each call. */
function renameWords(name: string): string {
  return name.replaceAll(/[A-Za-z0-9]+/g, (word) => {
    if (RESERVED.has(word) || /^\d[a-z]?$/.test(word) || /^\d{12}$/.test(word)) return word;
    const first = word[0] ?? 'q';
    const lead = /[A-Z]/.test(first) ? 'Q' : 'q';
    const hash = [...word].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1679616, 7);
    return `${lead}${hash.toString(36).padStart(4, '0')}`;
  });
}

function physicalNames(stacks: Stacks): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (text: string) => {
    for (const part of text.split(',')) {
      // A single word would be found inside others.
      if (!part.includes('${') && part.length >= 5 && /[A-Za-z].*[-_/]|[-_/].*[A-Za-z]/.test(part))
        found.add(part);
    }
  };
  const walk = (value: unknown, argument: string): void => {
    if (typeof value === 'string') {
      if (NAME_ARGUMENTS.has(argument))
        add(value.replace(/^alias\//, '').replace(/^arn:.*role\//, ''));
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      // PostgreSQL chose the names of its parameters, and the listener those of its variables.
      if (key !== 'parameter' && key !== 'env') walk(item, Array.isArray(value) ? argument : key);
    }
  };
  for (const json of Object.values(stacks)) {
    const { data, provider, terraform } = json;
    for (const { default: value } of Object.values(Object(json.variable)) as Json[]) {
      if (typeof value === 'string' && /^[\w-]+$/.test(value)) add(value);
    }
    walk(data, '');
    walk(memberOf(terraform, 'backend'), '');
    walk(provider, '');
    for (const [type, named] of Object.entries(Object(json.resource))) {
      if (!NAMED_BY_AWS.has(type)) walk(Object.values(Object(named)), '');
    }
  }
  for (const name of [...found]) {
    if (
      /^(AWS\/|\d|\/|kubernetes\.io|tag:|(vpc|subnet)-id$|kube-|topology\.)|^(checksum|eks\.)/.test(
        name,
      )
    )
      found.delete(name);
    if (
      name === 'vpc-id' ||
      [...name.matchAll(/[A-Za-z0-9]+/g)].every(([word]) => RESERVED.has(word))
    )
      found.delete(name);
  }
  return found;
}

/** Renames what Terraform alone knows: resources, data sources, variables, locals and outputs. */
function renamedAddresses(json: Json): Json {
  const renames = new Map<string, string>();
  const renameKeys = (blocks: unknown, prefix: (type: string) => string) =>
    Object.fromEntries(
      Object.entries(Object(blocks) as Json).map(([type, named]) => [
        type,
        Object.fromEntries(
          Object.entries(named as Json).map(([name, block]) => {
            const renamed = `r_${renameWords(name.replaceAll(/[^A-Za-z0-9_-]/g, ''))}`;
            renames.set(`${prefix(type)}.${name}`, `${prefix(type)}.${renamed}`);
            return [renamed, block];
          }),
        ),
      ]),
    );
  const flat = (blocks: unknown, prefix: string) =>
    Object.fromEntries(
      Object.entries(Object(blocks) as Json).map(([name, block]) => {
        // By this name `manage` and the audit know what Terraform does not make.
        const renamed = name === CUSTOM_OBJECTS ? name : `v_${renameWords(name)}`;
        renames.set(`${prefix}.${name}`, `${prefix}.${renamed}`);
        return [renamed, block];
      }),
    );
  const renamed = {
    ...json,
    resource: renameKeys(json.resource, (type) => type),
    ...(json.data !== undefined && { data: renameKeys(json.data, (type) => `data.${type}`) }),
    ...(json.variable !== undefined && { variable: flat(json.variable, 'var') }),
    ...(json.locals !== undefined && { locals: flat(json.locals, 'local') }),
    ...(json.output !== undefined && { output: flat(json.output, 'output') }),
  };
  const addresses = [...renames.keys()].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(
    `(?<![\\w.])(?:${addresses.map(escapeText).join('|')})(?![\\w-])`,
    'g',
  );
  return deep(renamed, (text) =>
    text.replace(pattern, (address) => renames.get(address) ?? address),
  ) as Json;
}

/** A value with every string in it, keys too, replaced. */
function deep(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item) => deep(item, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      // A name of our own: of a resource, or of an annotation.
      key.includes('${') || key.startsWith('file-processing/') ? replace(key) : key,
      deep(item, replace),
    ]),
  );
}

function ports(value: unknown): unknown {
  if (typeof value === 'string' && value in PORTS) return String(PORTS[value]);
  if (typeof value === 'number' && String(value) in PORTS) return PORTS[String(value)];
  if (Array.isArray(value)) return value.map(ports);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ports(item)]));
}

function memberOf(value: unknown, key: string): unknown {
  return (Object(value) as Json)[key];
}

function escapeText(text: string): string {
  return text.replaceAll(/[^\w]/g, '\\$&');
}
