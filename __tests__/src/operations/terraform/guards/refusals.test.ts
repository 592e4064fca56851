import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../../../src/operations/operation-error.ts';
import {
  refuse,
  refuseClusterReplacement,
  refuseDatabaseDeletion,
  refuseIdentitySwitch,
  refuseNodesDeletedFirst,
  refuseOidcProviderReplacement,
  refuseOrphanedObjects,
  refuseRoleReplacement,
  refuseTakenNames,
} from '../../../../../src/operations/terraform/guards/refusals.ts';
import type { PlanJson } from '../../../../../src/operations/terraform/plan-json.ts';

test('no reason, no refusal', () => {
  expect(() => refuse([])).not.toThrow();
});

test('every reason and every way out are named at once', () => {
  expect.assertions(1);
  try {
    refuse([
      { reason: 'one thing', next: 'do this' },
      { reason: 'another', next: 'do that' },
    ]);
  } catch (error) {
    expect(error).toMatchObject({
      code: EXIT.refused,
      message: 'refused: one thing\nrefused: another',
      next: 'do this\nnext: do that',
    });
  }
});

function clusterPlan(actions: readonly string[], type = 'aws_eks_cluster') {
  const change = { actions, before: { name: 'etl' }, after: null };
  return { resource_changes: [{ address: `${type}.this`, type, change }] };
}

test.each([
  [['delete', 'create'], 'replace'],
  [['create', 'delete'], 'replace'],
  [['delete'], 'destroy'],
])('%j of the cluster is refused as "%s"', (actions, what) => {
  expect(refuseClusterReplacement(clusterPlan(actions))).toStrictEqual([
    {
      reason: expect.stringContaining(`would ${what} the cluster etl (aws_eks_cluster.this)`),
      next: expect.stringContaining('--allow-cluster-replacement'),
    },
  ]);
});

test('a cluster that is given to others can be taken out of the state instead', () => {
  const [refusal] = refuseClusterReplacement(clusterPlan(['delete']), false);
  expect(refusal?.next).toContain('terraform state rm aws_eks_cluster.this');
  expect(refusal?.next).toContain('create_cluster = true');
});

test.each([[['create']], [['update']], [['no-op']]])('%j of the cluster is fine', (actions) => {
  expect(refuseClusterReplacement(clusterPlan(actions))).toEqual([]);
});

test('what else is replaced is not the cluster', () => {
  expect(refuseClusterReplacement(clusterPlan(['delete', 'create'], 'aws_eks_node_group'))).toEqual(
    [],
  );
});

test('a way out of several things is told once', () => {
  const refusals = ['one thing', 'another'].map((reason) => ({ reason, next: 'do this' }));
  expect(() => refuse(refusals)).toThrow(
    expect.objectContaining({ message: 'refused: one thing\nrefused: another', next: 'do this' }),
  );
});

const rolePlan = (actions: readonly string[]) => clusterPlan(actions, 'aws_iam_role');

test('a role that is made anew is refused', () => {
  expect(refuseRoleReplacement(rolePlan(['delete', 'create']), 'postgres-on-demand')).toStrictEqual(
    [
      {
        reason: 'the plan would replace the role etl (aws_iam_role.this)',
        next: expect.stringMatching(/iam_path.*manage -- destroy postgres-on-demand,/),
      },
    ],
  );
});

test.each([[['create']], [['update']], [['delete']]])('%j of a role is fine', (actions) => {
  expect(refuseRoleReplacement(rolePlan(actions), 'file-processing')).toStrictEqual([]);
});

const nodesPlan = (actions: readonly string[]) => clusterPlan(actions, 'aws_eks_node_group');

test('nodes that are deleted before new ones are ready are refused', () => {
  expect(refuseNodesDeletedFirst(nodesPlan(['delete', 'create']))).toStrictEqual([
    {
      reason: expect.stringContaining('(aws_eks_node_group.this) before new ones are ready'),
      next: expect.stringContaining('forces replacement'),
    },
  ]);
});

test('so is a group of another name in the place of one: Terraform works on both at the same time', () => {
  const resource_changes = [
    ...nodesPlan(['delete']).resource_changes,
    { ...nodesPlan(['create']).resource_changes[0], address: 'aws_eks_node_group.nodes_spot' },
  ] as PlanJson['resource_changes'] & object;
  expect(refuseNodesDeletedFirst({ resource_changes })).toStrictEqual([
    {
      reason: expect.stringContaining('(aws_eks_node_group.this) before new ones are ready'),
      next: expect.stringContaining('keep it beside the new one'),
    },
  ]);
});

test.each([[['create', 'delete']], [['delete']], [['create']], [['update']]])(
  '%j of nodes is fine',
  (actions) => {
    expect(refuseNodesDeletedFirst(nodesPlan(actions))).toEqual([]);
  },
);

/** A plan that replaces something in an order, and gives it a name. */
function renamingPlan(type: string, actions: readonly string[], name: string) {
  const change = { actions, before: { name: 'etl' }, after: { name } };
  return { resource_changes: [{ address: `${type}.this`, type, change }] };
}

test.each(['aws_eks_cluster', 'aws_iam_role', 'aws_launch_template'])(
  'a second %s of the same name is refused',
  (type) => {
    const plan = renamingPlan(type, ['create', 'delete'], 'etl');
    expect(refuseTakenNames(plan, 'foundation-network')).toStrictEqual([
      {
        reason: expect.stringContaining(`a second etl (${type}.this) beside the first`),
        next: expect.stringContaining('manage -- destroy foundation-network,'),
      },
    ]);
  },
);

test.each([
  ['of another name', renamingPlan('aws_iam_role', ['create', 'delete'], 'other')],
  ['made after the first is gone', renamingPlan('aws_iam_role', ['delete', 'create'], 'etl')],
  ['without a name', renamingPlan('aws_eks_node_group', ['create', 'delete'], 'etl')],
])('a second one %s is fine', (_, plan) => {
  expect(refuseTakenNames(plan, 'file-processing')).toEqual([]);
});

const ARN = 'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.example/id/1';

function providerPlan(actions: readonly string[], importing?: { readonly id: string }) {
  const type = 'aws_iam_openid_connect_provider';
  const change = { actions, before: {}, after: {}, ...(importing && { importing }) };
  return { resource_changes: [{ address: `${type}.eks`, type, change }] };
}

test('an import that ends in a replacement is refused', () => {
  expect(
    refuseOidcProviderReplacement(providerPlan(['delete', 'create'], { id: ARN })),
  ).toStrictEqual([
    {
      reason: expect.stringContaining(`would import ${ARN} and replace it`),
      next: expect.stringContaining('oidc-import'),
    },
  ]);
});

test.each([[['no-op']], [['update']]])('an import with %j is fine', (actions) => {
  expect(refuseOidcProviderReplacement(providerPlan(actions, { id: ARN }))).toEqual([]);
});

test("a replacement of the stack's own provider is the cluster's business", () => {
  expect(refuseOidcProviderReplacement(providerPlan(['delete', 'create']))).toEqual([]);
});

const held = (...addresses: readonly string[]) =>
  addresses.map((address) => ({ address, type: '', values: {}, tainted: false }));

const NAMESPACE = 'kubernetes_namespace_v1.ns';
const AWS = { resource: { aws_eks_cluster: { this: {} } } };

test('Kubernetes objects in the state of the AWS resources alone are refused, by their addresses', () => {
  expect(refuseOrphanedObjects(AWS, held('aws_eks_cluster.this', NAMESPACE))).toStrictEqual([
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

describe('a switch of identity', () => {
  const IRSA = '{"Action":"sts:AssumeRoleWithWebIdentity"}';
  const PODS = '{"Principal":{"Service":"pods.eks.amazonaws.com"}}';
  const trusting = (before: string, isAssociated: boolean) => ({
    resource_changes: [
      {
        address: 'aws_eks_pod_identity_association.file_processing_sa',
        type: 'aws_eks_pod_identity_association',
        change: { actions: ['no-op'], before: isAssociated ? {} : null, after: {} },
      },
      {
        address: 'aws_iam_role.file_processing_sa',
        type: 'aws_iam_role',
        // The new policy may hold the ARN of a provider that is yet to be made.
        change: { actions: ['update'], before: { assume_role_policy: before }, after: {} },
      },
    ],
  });
  const irsa = { identity: 'irsa', both_identities: false } as const;
  const pods = { identity: 'pod_identity', both_identities: false } as const;

  test.each([
    ['irsa to pod_identity', IRSA, false, pods, 'trust pod_identity in place of irsa'],
    ['pod_identity to irsa', PODS, true, irsa, 'trust irsa in place of pod_identity'],
    ['both, taken by irsa, to pod_identity', IRSA + PODS, false, pods, 'in place of irsa'],
    ['both, taken by pod_identity, to irsa', IRSA + PODS, true, irsa, 'in place of pod_identity'],
  ])('from %s at once is refused with the way out', (_, before, isAssociated, settings, reason) => {
    expect(refuseIdentitySwitch(trusting(before, isAssociated), settings)).toStrictEqual([
      {
        reason: expect.stringContaining(reason),
        next: expect.stringMatching(/both_identities = true.*rollout restart/),
      },
    ]);
  });

  test.each([
    ['to both', IRSA, false, { ...pods, both_identities: true }],
    ['from both', IRSA + PODS, true, pods],
    ['back from both', IRSA + PODS, false, irsa],
    ['of nothing', PODS, true, pods],
    ['of a role that no pod has', '{"Principal":{"Service":"ec2.amazonaws.com"}}', false, pods],
  ])('%s is not', (_, before, isAssociated, settings) => {
    expect(refuseIdentitySwitch(trusting(before, isAssociated), settings)).toEqual([]);
  });
});

describe('a database', () => {
  type Change = readonly [type: string, actions: readonly string[]];
  const planOf = (changes: readonly Change[]) => ({
    resource_changes: changes.map(([type, actions]) => ({
      address: `${type}.database`,
      type,
      change: { actions, before: {}, after: {} },
    })),
  });
  const reasons = (...changes: readonly Change[]) =>
    refuseDatabaseDeletion(planOf(changes)).map(({ reason }) => reason);

  test.each(['aws_db_instance', 'aws_rds_cluster'])('is not replaced, as %s', (type) => {
    expect(reasons([type, ['delete', 'create']])).toEqual([
      expect.stringContaining(`replace the database ${type}.database`),
    ]);
  });

  test('is not renamed, which would replace the group of subnets that it is in', () => {
    expect(
      reasons(['aws_db_instance', ['update']], ['aws_db_subnet_group', ['delete', 'create']]),
    ).toEqual(['the plan would replace aws_db_subnet_group.database, which the database is in']);
  });

  test('may get another name while there is none yet', () => {
    expect(
      reasons(['aws_db_instance', ['create']], ['aws_db_subnet_group', ['delete', 'create']]),
    ).toEqual([]);
  });

  test('may be changed', () => {
    expect(reasons(['aws_rds_cluster', ['update']])).toEqual([]);
  });
});
