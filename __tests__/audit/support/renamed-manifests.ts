import { type Json, renamedStacks, type Stacks } from './renamed-stack.ts';

/** Labels that Kubernetes itself reads, and the one by which its tools say whose an object is. */
const FOREIGN_LABELS =
  /^(pod-security\.kubernetes\.io\/|kubernetes\.io\/|k8s-app$|app\.kubernetes\.io\/managed-by$)/;

const PORT_NAMES: Readonly<Record<string, string>> = {
  http: 'web',
  https: 'webs',
  metrics: 'figures',
  console: 'pages',
};

/**
 * Stacks with everything renamed, and with what Kubernetes objects call each other by as well: label
 * keys, ports, containers, volumes, mounted folders, annotations, and the key of our own Secret.
 */
export function renamedManifests(stacks: Stacks): Stacks {
  return Object.fromEntries(
    Object.entries(renamedStacks(stacks)).map(([name, json]) => [name, renamedObjects(json)]),
  );
}

function renamedObjects(json: Json): Json {
  const resource = Object.entries(Object(json.resource) as Json);
  const ownSecret = resource.some(([type]) => type === 'kubernetes_secret_v1');
  return {
    ...json,
    ...(json.locals !== undefined && { locals: renamed(json.locals, [], ownSecret) }),
    resource: Object.fromEntries(
      resource.map(([type, named]) => [
        type,
        type.startsWith('kubernetes_') ? renamed(named, [], ownSecret) : named,
      ]),
    ),
  };
}

function renamed(value: unknown, path: readonly string[], ownSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, path, ownSecret));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        keyOf(key, path, ownSecret),
        renamed(item, [...path, key], ownSecret),
      ]),
    );
  }
  return typeof value === 'string' ? textOf(value, path, ownSecret) : value;
}

function keyOf(key: string, path: readonly string[], ownSecret: boolean): string {
  const holder = path.at(-1) ?? '';
  if (
    ['labels', 'match_labels', 'matchLabels'].includes(holder) ||
    (holder === 'selector' && path.length === 3)
  ) {
    if (FOREIGN_LABELS.test(key) || key === 'match_labels' || key === 'matchLabels') return key;
    return `example.org/${key.replace(/^.*\//, '')}-label`;
  }
  if (holder === 'annotations') return key.replace(/^checksum\/.*$/, 'example.org/settings');
  if (holder === 'data_wo' && ownSecret) return `${key.toLowerCase()}.txt`;
  return key;
}

function textOf(text: string, path: readonly string[], ownSecret: boolean): string {
  // A Job as JSON, which the listener makes others from.
  if (path.at(-1) === 'template.json') {
    return JSON.stringify(renamed(JSON.parse(text), [], ownSecret));
  }
  const [holder = '', argument = ''] = path.slice(-2);
  if (argument === 'name' && ['container', 'init_container'].includes(holder)) return `c-${text}`;
  if (argument === 'container_name') return `c-${text}`;
  if (argument === 'name' && ['volume', 'volume_mount'].includes(holder)) return `v-${text}`;
  if ((argument === 'name' && holder === 'port') || /^(target_)?port$/.test(argument)) {
    return PORT_NAMES[text] ?? text;
  }
  const isPath = argument === 'value' && holder === 'env' && text.startsWith('/etc/');
  if (isPath || /^(mount_path|mountPath|JOB_TEMPLATE|RULES_LOCATION|.*_FILE)$/.test(argument)) {
    const file = /\/([A-Z_]+)$/.exec(text)?.[1];
    const moved = text.replace(/^\/etc\//, '/opt/');
    // The Secret of notices is one of others: its keys are the names of variables.
    return file && ownSecret && !argument.startsWith('NOTICE_')
      ? moved.replace(file, `${file.toLowerCase()}.txt`)
      : moved;
  }
  return text;
}
