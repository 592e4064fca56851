import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { callApi } from './support/api-client.ts';
import { type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import {
  conditionOf,
  type Deployment,
  type KubernetesResource,
  ofKind,
  withValue,
} from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

const NAMESPACE = 'refusals';
const POD = 'spec.template.spec';

let kubectl: Kubectl;
let manifests: Manifests;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  const { exitCode, stderr } = await kubectl.apply(ofKind(manifests.objects, 'Namespace'));
  if (exitCode !== 0) throw new Error(stderr);
  await kubectl.apply(ofKind(manifests.objects, 'ServiceAccount'));
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test.each([
  [
    'Deployment',
    'spec.selector.matchLabels.app',
    'another',
    '`selector` does not match template `labels`',
  ],
  [
    'Deployment',
    `${POD}.containers.0.resources.requests.memory`,
    '1Gi',
    'must be less than or equal to memory limit',
  ],
  ['Deployment', `${POD}.containers.0.volumeMounts.0.name`, 'missing', 'Not found: "missing"'],
  [
    'Deployment',
    `${POD}.containers.0.ports.0.name`,
    'a-name-that-is-too-long',
    'must be no more than 15 characters',
  ],
  ['Deployment', `${POD}.topologySpreadConstraints.0.maxSkew`, 0, 'must be greater than zero'],
  ['Service', 'spec.ports.0.port', 0, 'must be between 1 and 65535'],
  ['Service', 'spec.type', 'loadBalancer', 'Unsupported value: "loadBalancer"'],
  ['ConfigMap', 'data.LOG_LEVEL', 3, 'expected string'],
  [
    'HorizontalPodAutoscaler',
    'spec.maxReplicas',
    1,
    'must be greater than or equal to `minReplicas`',
  ],
  ['PodDisruptionBudget', 'spec.minAvailable', 1, 'cannot be both set'],
  ['NetworkPolicy', 'spec.egress.1.to.0.ipBlock.cidr', '0.0.0.0', 'must be a valid CIDR value'],
  ['NetworkPolicy', 'spec.ingress.0.ports.0.port', 'HTTP', 'must contain only alpha-numeric'],
  ['CronJob', 'spec.schedule', '60 4 * * *', 'spec.schedule'],
  ['CronJob', 'spec.timeZone', 'Nowhere', 'unknown time zone Nowhere'],
  ['ServiceAccount', 'metadata.name', 'file_processing', 'RFC 1123 subdomain'],
])('%s with %s = %j is refused', async (kind, path, value, message) => {
  // That of the reconciliation's pods is another one.
  const name = kind === 'NetworkPolicy' ? 'file-processing-sns' : undefined;
  const { exitCode, stderr } = await kubectl.apply(
    withValue(ofKind(manifests.objects, kind, name), path, value),
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain(message);
});

test.each([
  ['Deployment', 'apps/v1', 'spec.replica', 'spec.replica'],
  [
    'Deployment',
    'apps/v1',
    `${POD}.containers.0.livenessprobe`,
    `${POD}.containers[0].livenessprobe`,
  ],
  ['Service', 'v1', 'spec.ports.0.target_port', 'spec.ports[0].target_port'],
])('%s of %s with an unknown field %s is refused', async (kind, version, path, field) => {
  const object = withValue(ofKind(manifests.objects, kind), path, 1);
  expect((await kubectl.apply(object)).exitCode).toBe(1);
  // An older kubectl refuses it by itself, so the API server is asked as well.
  const group = version === 'v1' ? '/api/v1' : `/apis/${version}`;
  const url = `${group}/namespaces/${NAMESPACE}/${kind.toLowerCase()}s?fieldValidation=Strict`;
  expect(await callApi(inject('controlPlane'), url, object)).toMatchObject({
    status: 400,
    body: expect.stringContaining(`unknown field \\"${field}\\"`),
  });
});

test('a Deployment whose selector changes is refused', async () => {
  const deployment = ofKind(manifests.objects, 'Deployment');
  expect((await kubectl.apply(deployment)).exitCode).toBe(0);
  const { labels } = deployment.metadata;
  const changed = withValue(deployment, 'spec.selector.matchLabels', labels);
  expect((await kubectl.apply(changed)).stderr).toContain('field is immutable');
  await kubectl.succeed('delete', 'deployment', deployment.metadata.name, TIMEOUT);
});

test.each([
  ['runs as root', `${POD}.containers.0.securityContext.runAsUser`, 0, 'runAsUser=0'],
  [
    'may run as root',
    `${POD}.containers.0.securityContext.runAsNonRoot`,
    false,
    'runAsNonRoot != true',
  ],
  [
    'keeps its capabilities',
    `${POD}.initContainers.0.securityContext.capabilities`,
    undefined,
    'unrestricted capabilities',
  ],
  [
    'may gain privileges',
    `${POD}.containers.0.securityContext.allowPrivilegeEscalation`,
    true,
    'allowPrivilegeEscalation != false',
  ],
  ['shares the network of its node', `${POD}.hostNetwork`, true, 'host namespaces'],
  [
    'mounts a folder of its node',
    `${POD}.volumes.0`,
    { name: 'tmp', hostPath: { path: '/' } },
    'hostPath',
  ],
])('a pod that %s gets a warning, and is never made', async (_, path, value, message) => {
  const deployment = withValue(ofKind(manifests.objects, 'Deployment'), path, value);
  const { stderr } = await kubectl.apply(deployment);
  expect(stderr).toMatch(/^Warning: would violate PodSecurity "restricted:latest"/);
  expect(stderr).toContain(message);
  const { name } = deployment.metadata;
  await kubectl.succeed('wait', '--for=condition=ReplicaFailure', `deployment/${name}`, TIMEOUT);
  const live = await kubectl.get<Deployment>('deployments', name);
  expect(conditionOf(live, 'ReplicaFailure').message).toContain('violates PodSecurity');
  expect(await kubectl.list('pods')).toEqual<KubernetesResource[]>([]);
  await kubectl.succeed('delete', 'deployment', name, '--cascade=foreground', TIMEOUT);
});
