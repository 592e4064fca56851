import { afterAll, beforeAll, expect, test } from 'vitest';
import { synthesizeWorkload } from '../support/synthesized-workload.ts';
import { APPLY, type Kubectl, kubectlIn } from './support/kubectl.ts';
import type { KubernetesResource } from './support/kubernetes-resource.ts';

const NAMESPACE = 'monitored';
const KIND = 'podmonitors.monitoring.coreos.com';

const [monitor] = (synthesizeWorkload({
  ...{ namespace: NAMESPACE, pod_monitor: true },
  pod_monitor_labels: { release: 'kube-prometheus-stack' },
}).customObjects ?? []) as unknown as readonly KubernetesResource[];

let kubectl: Kubectl;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  await kubectl.succeed('create', 'namespace', NAMESPACE);
});
afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the API takes the PodMonitor with the definition of the operator, every field of it', async () => {
  if (monitor === undefined) throw new Error('there is no PodMonitor');
  const applied = await kubectl.apply(monitor);
  expect(applied, applied.stderr).toMatchObject({ exitCode: 0 });
  const text = await kubectl.succeed('get', KIND, 'file-processing-sns', '--output=json');
  expect(JSON.parse(text)).toMatchObject(monitor);
});

test('the same once more changes nothing', async () => {
  if (monitor === undefined) throw new Error('there is no PodMonitor');
  const version = () =>
    kubectl.succeed(
      'get',
      KIND,
      'file-processing-sns',
      '--output=jsonpath={.metadata.resourceVersion}',
    );
  const before = await version();
  await kubectl.apply(monitor);
  expect(await version()).toBe(before);
});

test('a field that the operator does not know is refused', async () => {
  const strange = {
    ...monitor,
    spec: { ...(monitor as never as { spec: object }).spec, podMetricEndpoints: [] },
  };
  const refused = await kubectl.apply(strange as never);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('podMetricEndpoints');
  expect(APPLY).toContain('--validate=strict');
});
