import {
  BOTTLEROCKET_CLUSTER_KEYS,
  BOTTLEROCKET_PROXY_KEYS,
  isScript,
  MIME_BOUNDARY,
} from '../settings/check-nodes.ts';
import type { ImageFamily } from '../settings/file-processing/nodes.ts';

/** What a node has to know of its cluster before it can ask. */
export interface ClusterIdentity {
  readonly name: string;
  /** URL of its API. */
  readonly endpoint: string;
  /** PEM of its certificate authority, in Base64. */
  readonly certificateAuthority: string;
  /** Addresses of its Services. */
  readonly serviceCidr: string;
}

/** A taint, in the terms of Kubernetes. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** What is told to the nodes of a group at their start. */
export interface NodeUserData {
  readonly family: ImageFamily;
  /** The operator's part; may be empty. */
  readonly custom: string;
  /** The proxy of containerd, of the kubelet and of everything else. @default none */
  readonly proxy?: { readonly url: string; readonly exempt: readonly string[] };
  /** Only for an image of your own: to others EKS says all of this itself. */
  readonly own?: {
    readonly cluster: ClusterIdentity;
    readonly labels: Readonly<Record<string, string>>;
    readonly taints: readonly Taint[];
  };
}

const BOTTLEROCKET_TABLE = '[settings.kubernetes]';
const BOTTLEROCKET_NETWORK = '[settings.network]';

/**
 * User data of nodes: for Amazon Linux 2023 a MIME document whose parts nodeadm and cloud-init read (Amazon EKS AMI,
 * "nodeadm"), the operator's first, as EKS does it, since of two NodeConfigs the later one counts; for Bottlerocket
 * one TOML document (Bottlerocket, "settings.kubernetes").
 *
 * @returns undefined where there is nothing to say
 */
export function nodeUserData(data: NodeUserData): string | undefined {
  if (data.custom === '' && data.own === undefined && data.proxy === undefined) return undefined;
  return data.family === 'BOTTLEROCKET' ? bottlerocketSettings(data) : multipart(data);
}

function multipart({ custom, own, proxy }: NodeUserData): string {
  const parts = [
    ...(proxy ? [mimePart(NODE_CONFIG, proxyConfig(proxy))] : []),
    ...(custom === '' ? [] : [mimePart(isScript(custom) ? SCRIPT : NODE_CONFIG, custom)]),
    ...(own ? [mimePart(NODE_CONFIG, nodeConfig(own))] : []),
  ];
  return [
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${MIME_BOUNDARY}"`,
    '',
    ...parts,
    `--${MIME_BOUNDARY}--`,
    '',
  ].join('\n');
}

const SCRIPT = 'text/x-shellscript; charset="us-ascii"';
const NODE_CONFIG = 'application/node.eks.aws';

function mimePart(type: string, content: string): string {
  return [`--${MIME_BOUNDARY}`, `Content-Type: ${type}`, '', content.trimEnd(), ''].join('\n');
}

/** The environment of every service of the node (Amazon EKS AMI, "EnvironmentOptions"). */
function proxyConfig({ url, exempt }: NonNullable<NodeUserData['proxy']>): string {
  return [
    '---',
    'apiVersion: node.eks.aws/v1alpha1',
    'kind: NodeConfig',
    'spec:',
    '  instance:',
    '    environment:',
    '      default:',
    `        HTTP_PROXY: "${url}"`,
    `        HTTPS_PROXY: "${url}"`,
    `        NO_PROXY: "${exempt.join(',')}"`,
  ].join('\n');
}

function nodeConfig({ cluster, labels, taints }: NonNullable<NodeUserData['own']>): string {
  const labelled = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const tainted = taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`);
  const flags = [
    ...(labelled.length > 0 ? [`--node-labels=${labelled.join(',')}`] : []),
    ...(tainted.length > 0 ? [`--register-with-taints=${tainted.join(',')}`] : []),
  ];
  return [
    '---',
    'apiVersion: node.eks.aws/v1alpha1',
    'kind: NodeConfig',
    'spec:',
    '  cluster:',
    `    name: ${cluster.name}`,
    `    apiServerEndpoint: ${cluster.endpoint}`,
    `    certificateAuthority: ${cluster.certificateAuthority}`,
    `    cidr: ${cluster.serviceCidr}`,
    ...(flags.length > 0 ? ['  kubelet:', '    flags:'] : []),
    ...flags.map((flag) => `      - "${flag}"`),
  ].join('\n');
}

function bottlerocketSettings({ custom, own, proxy }: NodeUserData): string {
  const [nameKey, serverKey, certificateKey] = BOTTLEROCKET_CLUSTER_KEYS;
  const [proxyKey, exemptKey] = BOTTLEROCKET_PROXY_KEYS;
  let lines: readonly string[] = custom === '' ? [] : custom.trimEnd().split('\n');
  if (proxy) {
    lines = withKeys(lines, BOTTLEROCKET_NETWORK, [
      `${proxyKey} = "${proxy.url}"`,
      `${exemptKey} = [${proxy.exempt.map((host) => `"${host}"`).join(', ')}]`,
    ]);
  }
  if (own) {
    const { name, endpoint, certificateAuthority } = own.cluster;
    lines = withKeys(lines, BOTTLEROCKET_TABLE, [
      `${nameKey} = "${name}"`,
      `${serverKey} = "${endpoint}"`,
      `${certificateKey} = "${certificateAuthority}"`,
    ]);
  }
  return [...lines, ...(own ? labelTables(own) : []), ''].join('\n');
}

/** TOML takes each table once: our keys go into that of the operator, where there is one. */
function withKeys(
  lines: readonly string[],
  table: string,
  keys: readonly string[],
): readonly string[] {
  const at = lines.findIndex((line) => line.trim() === table);
  return at === -1
    ? [...lines, ...(lines.length > 0 ? [''] : []), table, ...keys]
    : lines.toSpliced(at + 1, 0, ...keys);
}

function labelTables({ labels, taints }: NonNullable<NodeUserData['own']>): readonly string[] {
  const byKey = Map.groupBy(taints, ({ key }) => key);
  const table = (name: string, rows: readonly string[]) =>
    rows.length === 0 ? [] : ['', `[settings.kubernetes.${name}]`, ...rows];
  return [
    ...table(
      'node-labels',
      Object.entries(labels).map(([key, value]) => `"${key}" = "${value}"`),
    ),
    ...table(
      'node-taints',
      [...byKey].map(
        ([key, same]) =>
          `"${key}" = [${same.map(({ value, effect }) => `"${value}:${effect}"`).join(', ')}]`,
      ),
    ),
  ];
}
