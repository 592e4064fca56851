import { describe, expect, it } from 'vitest';
import { nodeChanges } from '../../../../src/operations/terraform/node-changes.ts';
import type { PlannedChange } from '../../../../src/operations/terraform/plan-json.ts';

type Values = Readonly<Record<string, unknown>>;

const GROUP = {
  node_group_name: 'nodes-1',
  version: '1.34',
  launch_template: [{ id: 'lt-1', version: '3' }],
  scaling_config: [{ desired_size: 2 }],
};
const TEMPLATE = {
  id: 'lt-1',
  latest_version: 3,
  tag_specifications: [],
  instance_type: 't3.medium',
};

function change(type: string, actions: readonly string[], before: Values, after: Values | null) {
  const planned: PlannedChange = {
    address: `${type}.this`,
    type,
    change: {
      actions,
      before: actions[0] === 'create' && actions.length === 1 ? null : before,
      after,
    },
  };
  return planned;
}

const group = (actions: readonly string[], after: Values | null) =>
  change('aws_eks_node_group', actions, GROUP, after);
const rolled = (values: Values = {}) =>
  group(['update'], { ...GROUP, launch_template: [{ id: 'lt-1' }], ...values });
const template = (values: Values) =>
  change('aws_launch_template', ['update'], TEMPLATE, { ...TEMPLATE, ...values });
const told = (...changes: readonly PlannedChange[]) => nodeChanges({ resource_changes: changes });

describe('nodeChanges', () => {
  it('says that a changed tag rolls all nodes', () => {
    expect(told(rolled(), template({ tag_specifications: [{ tags: { Owner: 'x' } }] }))).toEqual([
      'every node of nodes-1 is replaced, some at a time, because of a change of tags, which its launch template gives each node',
    ]);
  });

  it('names whatever else of the template has changed, and the version of Kubernetes', () => {
    expect(told(rolled({ version: '1.35' }), template({ instance_type: 'm6i.large' }))).toEqual([
      expect.stringMatching(/because of a change of version, instance_type$/),
    ]);
  });

  it('names the template where the plan does not say what of it has changed', () => {
    expect(told(rolled())).toEqual([expect.stringMatching(/a change of launch_template$/)]);
  });

  it('says that a replaced group has its successor beside it first', () => {
    expect(told(group(['create', 'delete'], { scaling_config: [{ desired_size: 4 }] }))).toEqual([
      'a new node group takes the place of nodes-1: it starts with 4 nodes beside the old one, which is drained and goes once the new one is ready',
    ]);
  });

  it('counts a successor of one node in the singular', () => {
    expect(told(group(['create', 'delete'], { scaling_config: [{ desired_size: 1 }] }))).toEqual([
      expect.stringContaining('it starts with 1 node beside the old one'),
    ]);
  });

  it('says where the pods of a group go that goes', () => {
    expect(told(group(['delete'], null))).toEqual([
      'the node group nodes-1 is drained and goes; its pods move to nodes of other groups',
    ]);
  });

  it.each([
    ['a group that is made', group(['create'], GROUP)],
    [
      'other sizes',
      group(['update'], { ...GROUP, scaling_config: [{ desired_size: 2, max_size: 9 }] }),
    ],
    ['tags of the group itself', group(['update'], { ...GROUP, tags: { Owner: 'x' } })],
    ['a template that no group follows', template({ tag_specifications: [1] })],
  ])('has nothing to say of %s', (_, planned) => {
    expect(told(planned)).toEqual([]);
  });

  it('says nothing of nodes whose cluster goes', () => {
    expect(told(group(['delete'], null), change('aws_eks_cluster', ['delete'], {}, null))).toEqual(
      [],
    );
  });
});
