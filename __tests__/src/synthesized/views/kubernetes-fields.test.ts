import { expect, it } from 'vitest';
import { entryFor, kubernetesKind } from '../../../../src/synthesized/views/kubernetes-fields.ts';

it.each([
  ['kubernetes_deployment', 'apps/v1', true],
  ['kubernetes_deployment_v1', 'apps/v1', true],
  ['kubernetes_namespace_v1', 'v1', false],
  ['kubernetes_horizontal_pod_autoscaler_v1', 'autoscaling/v1', true],
  ['kubernetes_horizontal_pod_autoscaler_v2', 'autoscaling/v2', true],
  ['kubernetes_cluster_role_v1', 'rbac.authorization.k8s.io/v1', false],
])('%s is of %s', (type, apiVersion, namespaced) => {
  expect(kubernetesKind(type)).toMatchObject({ apiVersion, namespaced });
});

it.each(['kubernetes_unicorn', 'kubernetes_deployment_v2', 'aws_sns_topic'])(
  '%s is unknown',
  (type) => {
    expect(kubernetesKind(type)).toBeUndefined();
  },
);

const TABLE = { port: 'short', 'service.port': 'middle', 'Ingress.service.port': 'long' };

it.each([
  [['Pod', 'port'], 'short'],
  [['Pod', 'service', 'port'], 'middle'],
  [['Ingress', 'service', 'port'], 'long'],
  [['Ingress', 'spec', 'service', 'port'], 'middle'],
  [['port'], 'short'],
  [['Pod', 'target_port'], undefined],
  [[], undefined],
])('the longest key that fits %j counts', (path, entry) => {
  expect(entryFor(TABLE, path)).toBe(entry);
});
