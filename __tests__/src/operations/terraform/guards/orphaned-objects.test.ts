import { expect, test } from 'vitest';
import { refuseOrphanedObjects } from '../../../../../src/operations/terraform/guards/orphaned-objects.ts';

const held = (...addresses: readonly string[]) =>
  addresses.map((address) => ({ address, type: '', values: {} }));

const NAMESPACE = 'kubernetes_namespace_v1.ns';
const AWS = { resource: { aws_eks_cluster: { this: {} } } };

test('Kubernetes objects in the state of the AWS half alone are refused, by their addresses', () => {
  expect(refuseOrphanedObjects(AWS, held('aws_eks_cluster.this', NAMESPACE))).toEqual([
    {
      reason: `manage_kubernetes = false, but the state still holds ${NAMESPACE}`,
      next: expect.stringContaining('terraform state rm'),
    },
  ]);
});

test('a stack that makes others may have them', () => {
  const json = { resource: { ...AWS.resource, kubernetes_service_v1: { sns_listener: {} } } };
  expect(refuseOrphanedObjects(json, held(NAMESPACE))).toEqual([]);
});

test('a state without any is fine', () => {
  expect(refuseOrphanedObjects(AWS, held('aws_eks_cluster.this'))).toEqual([]);
});
