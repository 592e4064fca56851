import { expect, test } from 'vitest';
import { refuseClusterReplacement } from '../../../../../src/operations/terraform/guards/cluster-replacement.ts';

function planOf(actions: readonly string[], type = 'aws_eks_cluster') {
  const change = { actions, before: { name: 'etl' }, after: null };
  return { resource_changes: [{ address: `${type}.this`, type, change }] };
}

test.each([
  [['delete', 'create'], 'replace'],
  [['create', 'delete'], 'replace'],
  [['delete'], 'destroy'],
])('%j of the cluster is refused as "%s"', (actions, what) => {
  expect(refuseClusterReplacement(planOf(actions))).toEqual([
    {
      reason: expect.stringContaining(`would ${what} the cluster etl (aws_eks_cluster.this)`),
      next: expect.stringContaining('--allow-cluster-replacement'),
    },
  ]);
});

test.each([[['create']], [['update']], [['no-op']]])('%j of the cluster is fine', (actions) => {
  expect(refuseClusterReplacement(planOf(actions))).toEqual([]);
});

test('what else is replaced is not the cluster', () => {
  expect(refuseClusterReplacement(planOf(['delete', 'create'], 'aws_eks_node_group'))).toEqual([]);
});
