import type {
  NetworkPolicyV1Config,
  NetworkPolicyV1SpecEgress,
  NetworkPolicyV1SpecIngress,
} from '@cdktf/provider-kubernetes/lib/network-policy-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import { trustsPodIdentity } from '../../settings/file-processing/cluster.ts';
import { hasEndpoint } from '../../settings/file-processing/delivery.ts';
import { collectorInCluster } from '../../settings/file-processing/workload.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { hasDatabase } from './database-credentials.ts';
import { CONSOLE_PORT, HTTP_PORT, LABELS, LISTENER, METRICS_PORT, POD_SELECTOR } from './names.ts';

const ANYWHERE = [{ ipBlock: { cidr: '0.0.0.0/0' } }];
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

const DNS: NetworkPolicyV1SpecEgress = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [{ port: '53', protocol: 'UDP' }, tcp(53)],
};

/** AWS's APIs and SNS's signing certificates, whose addresses change. */
const AWS: NetworkPolicyV1SpecEgress = { to: ANYWHERE, ports: [tcp(443)] };

/** The agent on each node that gives out credentials (Amazon EKS User Guide, "Understand how EKS Pod Identity works"). */
const POD_IDENTITY: NetworkPolicyV1SpecEgress = {
  to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
  ports: [tcp(80)],
};

/** The metadata of the instance, which gives out the rights of the node. */
const NODE_RIGHTS: NetworkPolicyV1SpecEgress = {
  to: [{ ipBlock: { cidr: '169.254.169.254/32' } }],
  ports: [tcp(80)],
};

/** Allows pods to reach what some rules say, and whom others say to call them, and nothing else. */
export function createNetworkPolicyOf(
  scope: Construct,
  id: string,
  settings: FileProcessingSettings,
  pods: {
    readonly name: string;
    /** Their `app` label. */
    readonly app: string;
    readonly egress: NetworkPolicyV1SpecEgress[];
    /** @default nobody may call them */
    readonly ingress?: NetworkPolicyV1SpecIngress[];
    readonly dependsOn: ITerraformDependable[];
  },
): LightResource<NetworkPolicyV1Config> {
  return new LightResource(scope, id, 'kubernetes_network_policy_v1', {
    metadata: { name: pods.name, namespace: settings.namespace, labels: LABELS },
    spec: {
      podSelector: { matchLabels: { app: pods.app } },
      policyTypes: ['Ingress', 'Egress'],
      ...(pods.ingress && { ingress: pods.ingress }),
      egress: pods.egress,
    },
    dependsOn: pods.dependsOn,
  });
}

/** Allows the listener's pods to talk to what they need and to nothing else. */
export function createNetworkPolicy(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): LightResource<NetworkPolicyV1Config> {
  return new LightResource(scope, 'sns_listener', 'kubernetes_network_policy_v1', {
    metadata: { name: LISTENER, namespace: settings.namespace, labels: LABELS },
    spec: {
      podSelector: { matchLabels: POD_SELECTOR },
      policyTypes: ['Ingress', 'Egress'],
      ingress: ingressRules(settings),
      egress: egressRules(settings),
    },
    dependsOn,
  });
}

function ingressRules(settings: FileProcessingSettings): NetworkPolicyV1SpecIngress[] {
  // Every pod of the cluster, in whatever namespace, since nobody knows where the scraper runs.
  const metrics = { from: [{ namespaceSelector: {} }], ports: [tcp(METRICS_PORT.number)] };
  // From anywhere: SNS publishes no source ranges. Probes need no rule: each node may call its own pods
  // (Kubernetes documentation, "Network Policies").
  const messages = { from: ANYWHERE, ports: [tcp(HTTP_PORT.number)] };
  return hasEndpoint(settings) ? [messages, metrics] : [metrics];
}

function egressRules(settings: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  return [
    ...databaseEgressRules(settings),
    ...noticeRules(settings),
    ...collectorRules(settings),
    ...(settings.node_s3_access ? [NODE_RIGHTS] : []),
  ];
}

/** Whom the settings name, at the console's port; kubectl's port-forward comes by the node, which no policy is for. */
export function consoleIngressRules({
  console_clients: clients,
}: FileProcessingSettings): NetworkPolicyV1SpecIngress[] {
  if (clients.length === 0) return [];
  const from = clients.map((client) =>
    client.includes('/')
      ? { ipBlock: { cidr: client } }
      : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': client } } },
  );
  return [{ from, ports: [tcp(CONSOLE_PORT.number)] }];
}

/** A provider that is not on the port of https, which {@link AWS} allows. */
export function providerRules({
  console_variables: { CONSOLE_OIDC_ISSUER: issuer = '' },
}: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  const { hostname = '', port = '' } = URL.parse(issuer) ?? {};
  return port === '' ? [] : [{ to: addressesOf(hostname), ports: [tcp(Number(port))] }];
}

/** What a pod reaches that judges files. */
export function judgingEgressRules(settings: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  return [
    ...databaseEgressRules(settings),
    ...collectorRules(settings),
    ...(settings.node_s3_access ? [NODE_RIGHTS] : []),
  ];
}

/** The SMTP server, and webhooks that are not on the port of https, which {@link AWS} allows. */
function noticeRules(settings: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  const { notice_email, notice_smtp_host: host, notice_smtp_port: port } = settings;
  const webhooks = settings.notice_webhook_urls.flatMap((text) => {
    const url = URL.parse(text);
    return url === null || url.port === '' ? [] : [{ host: url.hostname, port: Number(url.port) }];
  });
  const targets = [...(notice_email === 'smtp' ? [{ host, port }] : []), ...webhooks];
  return targets.map((target) => ({
    to: addressesOf(target.host),
    ports: [tcp(target.port)],
  }));
}

/** Pods of the collector's namespace, or its host where that is not on the port of https, which {@link AWS} allows. */
function collectorRules({ otlp_endpoint }: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  const inside = collectorInCluster(otlp_endpoint);
  if (inside !== undefined) {
    const { namespace, port } = inside;
    const matchLabels = { 'kubernetes.io/metadata.name': namespace };
    return [{ to: [{ namespaceSelector: { matchLabels } }], ports: [tcp(port)] }];
  }
  const url = URL.parse(otlp_endpoint);
  if (url === null || url.port === '') return [];
  return [{ to: addressesOf(url.hostname), ports: [tcp(Number(url.port))] }];
}

/** What a pod reaches that only works on the database: names, AWS's APIs, the proxy to them, and the database. */
export function databaseEgressRules(settings: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  return [
    DNS,
    AWS,
    ...proxyRules(settings),
    ...(trustsPodIdentity(settings) ? [POD_IDENTITY] : []),
    ...(hasDatabase(settings) ? [databaseRule(settings)] : []),
  ];
}

/** A proxy on the port of https is among what {@link AWS} allows. */
function proxyRules({ http_proxy }: FileProcessingSettings): NetworkPolicyV1SpecEgress[] {
  const [, host = '', port = ''] = /^https?:\/\/([^/:]+):(\d+)/i.exec(http_proxy) ?? [];
  if (port === '' || port === '443') return [];
  return [{ to: addressesOf(host), ports: [tcp(Number(port))] }];
}

/** A policy knows addresses only: a name's may change, and need not lie in the VPC. */
function addressesOf(host: string) {
  return IPV4.test(host) ? [{ ipBlock: { cidr: `${host}/32` } }] : ANYWHERE;
}

function databaseRule({ db_host, db_port }: FileProcessingSettings): NetworkPolicyV1SpecEgress {
  return { to: addressesOf(db_host), ports: [tcp(db_port)] };
}

function tcp(port: number): { readonly port: string; readonly protocol: string } {
  return { port: `${port}`, protocol: 'TCP' };
}
