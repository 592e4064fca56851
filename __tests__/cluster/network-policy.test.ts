import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPLY, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import {
  type ConfigMap,
  type KubernetesResource,
  type Pod,
  withValue,
} from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';
import {
  admits,
  type Connection,
  type NetworkPolicy,
  type OwnPod,
} from './support/network-reachability.ts';

interface Service extends KubernetesResource {
  readonly spec: { readonly ports: readonly { readonly targetPort: number | string }[] };
}

const INTERNET = { address: '198.51.100.7' };
const METADATA_SERVICE = { address: '169.254.169.254' };
const DNS = {
  namespace: 'kube-system',
  namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
  labels: { 'k8s-app': 'kube-dns' },
};
const SCRAPER = { namespace: 'monitoring', namespaceLabels: {}, labels: { app: 'prometheus' } };

describe.each([
  { environment: 'etl-playground', metadataService: false, databaseRule: 2 },
  // Behind that for the proxy.
  { environment: 'complete', metadataService: true, databaseRule: 3 },
])('$environment', ({ environment, metadataService, databaseRule }) => {
  const namespace = `network-${environment}`;
  let kubectl: Kubectl;
  let manifests: Manifests;
  let policies: NetworkPolicy[];
  let pod: OwnPod;
  let servicePort: number;
  let databasePort: number;

  beforeAll(async () => {
    kubectl = await kubectlIn(namespace);
    manifests = await manifestsOf(environment, namespace);
    await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
    await kubectl.succeed('rollout', 'status', 'deployment/file-processing-sns', TIMEOUT);
    // The others are for pods of Jobs and of the console.
    policies = [await kubectl.get<NetworkPolicy>('networkpolicies', 'file-processing-sns')];
    const pods = await kubectl.list<Pod>('pods');
    const live = pods.find(({ metadata }) => metadata.name.startsWith('file-processing-sns-'));
    const ports = live?.spec.containers.flatMap((container) => container.ports ?? []) ?? [];
    pod = { namespace, labels: live?.metadata.labels ?? {}, ports };
    const service = await kubectl.get<Service>('services', 'sns-listener');
    const target = service.spec.ports[0]?.targetPort;
    servicePort = ports.find(({ name }) => name === target)?.containerPort ?? Number(target);
    const config = await kubectl.get<ConfigMap>('configmaps', 'file-processing-config');
    databasePort = Number(config.data.DB_PORT);
  });

  afterAll(async () => {
    await kubectl?.succeed('delete', 'namespace', namespace, '--wait=false');
    await kubectl?.close();
  });

  const needed = (): Readonly<Record<string, Connection>> => ({
    messages: { direction: 'Ingress', peer: INTERNET, port: servicePort, protocol: 'TCP' },
    metrics: { direction: 'Ingress', peer: SCRAPER, port: 9090, protocol: 'TCP' },
    dns: { direction: 'Egress', peer: DNS, port: 53, protocol: 'UDP' },
    dnsOverTcp: { direction: 'Egress', peer: DNS, port: 53, protocol: 'TCP' },
    aws: { direction: 'Egress', peer: INTERNET, port: 443, protocol: 'TCP' },
    database: { direction: 'Egress', peer: INTERNET, port: databasePort, protocol: 'TCP' },
  });

  test('the pods reach, and are reached by, all that they need', () => {
    expect(refusedOf(policies)).toEqual([]);
  });

  test.each<[string, Connection]>([
    [
      'metrics from the internet',
      { direction: 'Ingress', peer: INTERNET, port: 9090, protocol: 'TCP' },
    ],
    ['mail', { direction: 'Egress', peer: INTERNET, port: 25, protocol: 'TCP' }],
    ['plain HTTP', { direction: 'Egress', peer: INTERNET, port: 80, protocol: 'TCP' }],
    ['DNS elsewhere', { direction: 'Egress', peer: INTERNET, port: 53, protocol: 'UDP' }],
  ])('nothing else goes through: %s', (_, connection) => {
    expect(admits(policies, pod, connection)).toBe(false);
  });

  test(`the node's rights are ${metadataService ? '' : 'not '}within reach`, () => {
    const connection = { direction: 'Egress', peer: METADATA_SERVICE, port: 80, protocol: 'TCP' };
    expect(admits(policies, pod, connection as Connection)).toBe(metadataService);
  });

  test.each([
    ['spec.ingress.0.ports.0.port', 9999, ['messages']],
    ['spec.ingress.0.from', [{ podSelector: {} }], ['messages']],
    ['spec.ingress.1.ports.0.port', 9091, ['metrics']],
    ['spec.egress.0.ports.0.protocol', 'SCTP', ['dns']],
    ['spec.egress.0.to.0.podSelector.matchLabels', { 'k8s-app': 'dns' }, ['dns', 'dnsOverTcp']],
    ['spec.egress.1.ports.0.port', 80, ['aws']],
    [`spec.egress.${databaseRule}.ports.0.port`, 5433, ['database']],
    ['spec.egress', [], ['dns', 'dnsOverTcp', 'aws', 'database']],
  ])('a policy with another %s is noticed', (path, value, refused) => {
    expect(refusedOf(policies.map((policy) => withValue(policy, path, value)))).toEqual(refused);
  });

  test('a policy for pods of another app is noticed, as it lets everything through', () => {
    const elsewhere = policies.map((policy) =>
      withValue(policy, 'spec.podSelector.matchLabels.app', 'another'),
    );
    const mail: Connection = { direction: 'Egress', peer: INTERNET, port: 25, protocol: 'TCP' };
    expect(admits(elsewhere, pod, mail)).toBe(true);
  });

  function refusedOf(tried: readonly NetworkPolicy[]): string[] {
    const connections = Object.entries(needed());
    return connections
      .filter(([, connection]) => !admits(tried, pod, connection))
      .map(([name]) => name);
  }
});
