import { describe, expect, it } from 'vitest';
import {
  driftedCopy,
  isAgainstSettings,
} from '../../../../src/operations/terraform/drifted-copy.ts';
import type { PlanJson, StateJson } from '../../../../src/operations/terraform/plan-json.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:events';
const ROLE = { id: 'reader', name: 'reader', arn: 'arn:aws-us-gov:iam::123456789012:role/reader' };

const POLICY = {
  Statement: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: '${aws_sns_topic.events.arn}' }],
};

const JSON_OF_STACK = {
  resource: {
    aws_sns_topic: { events: { name: 'events', tags: { Name: 'events' } } },
    aws_sns_topic_policy: {
      events: { arn: '${aws_sns_topic.events.arn}', policy: JSON.stringify(POLICY) },
    },
    aws_iam_role: { reader: { name: 'reader' } },
    aws_eks_node_group: { nodes: { scaling_config: { desired_size: 2, max_size: 4 } } },
  },
};

const STATE: StateJson = {
  resources: [
    {
      mode: 'managed',
      type: 'aws_sns_topic',
      name: 'events',
      instances: [{ attributes: { arn: TOPIC } }],
    },
    { mode: 'managed', type: 'aws_iam_role', name: 'reader', instances: [{ attributes: ROLE }] },
    {
      mode: 'managed',
      type: 'aws_iam_role_policy_attachment',
      name: 'own',
      instances: [
        { attributes: { role: 'reader', policy_arn: 'arn:aws-us-gov:iam::aws:policy/Own' } },
      ],
    },
  ],
};

type Change = NonNullable<PlanJson['resource_changes']>[number];

function change(address: string, before: object | null, after: object | null, more = {}): Change {
  const actions = after === null ? ['delete'] : before === null ? ['create'] : ['update'];
  const [type = ''] = address.split('.');
  return { address, type, change: { actions, before, after, ...more } } as Change;
}

function copyOf(plan: PlanJson) {
  const { json, drifts } = driftedCopy(JSON_OF_STACK, plan, STATE);
  // biome-ignore lint/suspicious/noExplicitAny: what is in the JSON is asserted.
  return { resource: json.resource as any, drifts };
}

/** A plan that would change one argument. */
const changed = (address: string, name: string, is: unknown, wanted: unknown, more = {}) =>
  copyOf({ resource_changes: [change(address, { [name]: is }, { [name]: wanted }, more)] });

describe('the copy of a stack', () => {
  it('is the JSON where nothing drifted', () => {
    const { json, drifts } = driftedCopy(JSON_OF_STACK, {}, STATE);
    expect(json).toStrictEqual(JSON_OF_STACK);
    expect(drifts).toEqual([]);
  });

  it('has what is there in place of what the settings say', () => {
    const { resource, drifts } = changed(
      'aws_sns_topic.events',
      'tags',
      { Name: 'events', Team: 'x' },
      { Name: 'events' },
    );
    expect(resource.aws_sns_topic.events.tags).toStrictEqual({ Name: 'events', Team: 'x' });
    expect(drifts).toStrictEqual([
      {
        address: 'aws_sns_topic.events',
        argument: 'tags',
        kind: 'changed',
        is: '{"Name":"events","Team":"x"}',
        wanted: '{"Name":"events"}',
      },
    ]);
  });

  it('keeps expressions in what did not drift, and maps ids of what did back to expressions', () => {
    const wanted = { Statement: [{ ...POLICY.Statement[0], Resource: TOPIC }] };
    const open = { Effect: 'Allow', Principal: '*', Action: 'sns:*', Resource: `${TOPIC}/x` };
    const is = { Statement: [wanted.Statement[0], open] };
    const { resource } = changed(
      'aws_sns_topic_policy.events',
      'policy',
      JSON.stringify(is),
      JSON.stringify(wanted),
    );
    const policy = JSON.parse(resource.aws_sns_topic_policy.events.policy);
    expect(policy.Statement).toStrictEqual([
      POLICY.Statement[0],
      { ...open, Resource: '${aws_sns_topic.events.arn}/x' },
    ]);
  });

  it('escapes what Terraform would take for an expression', () => {
    const { resource } = changed('aws_sns_topic.events', 'display_name', '${aws:username}', '');
    expect(resource.aws_sns_topic.events.display_name).toBe('$${aws:username}');
  });

  it('keeps the form of a block that is written as an object', () => {
    const of = (desired_size: number) => [{ desired_size, max_size: 4, min_size: null }];
    const { resource } = changed('aws_eks_node_group.nodes', 'scaling_config', of(9), of(2));
    expect(resource.aws_eks_node_group.nodes.scaling_config).toStrictEqual({
      desired_size: 9,
      max_size: 4,
    });
  });

  it('has no resource that is not there any more', () => {
    const { resource, drifts } = copyOf({
      resource_changes: [change('aws_sns_topic.events', null, {})],
    });
    expect(resource.aws_sns_topic).not.toHaveProperty('events');
    expect(drifts).toMatchObject([{ address: 'aws_sns_topic.events', kind: 'missing' }]);
  });

  it('neither has nor shows a sensitive value', () => {
    const { resource, drifts } = changed('aws_sns_topic.events', 'secret', 'hush', 'other', {
      before_sensitive: { secret: true },
    });
    expect(resource.aws_sns_topic.events).not.toHaveProperty('secret');
    expect(drifts).toMatchObject([
      { kind: 'not judged', is: '(sensitive)', wanted: '(sensitive)' },
    ]);
    expect(JSON.stringify(drifts)).not.toContain('hush');
  });

  it('does not take for drift what an apply will tell', () => {
    const { drifts } = changed('aws_sns_topic.events', 'arn', TOPIC, undefined, {
      after_unknown: { arn: true },
    });
    expect(drifts).toEqual([]);
  });

  it('has a resource that the JSON has no more, without what AWS tells and what is sensitive', () => {
    const held = { id: 'q', arn: 'arn:q', name: 'gone', tags: {}, policy: TOPIC, secret: 'hush' };
    const { resource, drifts } = copyOf({
      resource_changes: [
        change('aws_sqs_queue.gone', held, null, { before_sensitive: { secret: true } }),
      ],
    });
    expect(resource.aws_sqs_queue).toStrictEqual({
      gone: { name: 'gone', policy: '${aws_sns_topic.events.arn}' },
    });
    expect(drifts).toMatchObject([{ address: 'aws_sqs_queue.gone', kind: 'added' }]);
  });

  it('names an object in the cluster that the JSON has no more', () => {
    const { resource, drifts } = copyOf({
      resource_changes: [change('kubernetes_secret_v1.gone', {}, null)],
    });
    expect(resource).not.toHaveProperty('kubernetes_secret_v1');
    expect(drifts).toMatchObject([{ address: 'kubernetes_secret_v1.gone', kind: 'foreign' }]);
  });
});

describe('what no plan would change', () => {
  const beside = (address: string, state: object, now: object) =>
    copyOf({ resource_drift: [change(address, state, now)] });

  it('is put into the copy where the settings leave it to others, and is not against them', () => {
    const { resource, drifts } = beside(
      'aws_eks_node_group.nodes',
      { scaling_config: [{ desired_size: 2, max_size: 4 }] },
      { scaling_config: [{ desired_size: 3, max_size: 4 }] },
    );
    expect(resource.aws_eks_node_group.nodes.scaling_config.desired_size).toBe(3);
    expect(drifts).toMatchObject([{ kind: 'ignored' }]);
    expect(drifts.some(isAgainstSettings)).toBe(false);
  });

  it('is listed where AWS tells it and nobody sets it', () => {
    const { drifts } = beside('aws_sns_topic.events', { owner: '' }, { owner: '123456789012' });
    expect(drifts).toMatchObject([{ argument: 'owner', kind: 'computed' }]);
    expect(drifts.some(isAgainstSettings)).toBe(false);
  });

  it.each([
    [
      'a policy that somebody attached',
      {
        managed_policy_arns: [
          'arn:aws-us-gov:iam::aws:policy/Own',
          'arn:aws-us-gov:iam::aws:policy/Admin',
        ],
      },
      'aws_iam_role_policy_attachment',
      { role: '${aws_iam_role.reader.name}', policy_arn: 'arn:aws-us-gov:iam::aws:policy/Admin' },
    ],
    [
      'a policy that somebody wrote into a role',
      { inline_policy: [{ name: 'more', policy: '{"Statement":[]}' }] },
      'aws_iam_role_policy',
      { role: '${aws_iam_role.reader.name}', name: 'more', policy: '{"Statement":[]}' },
    ],
  ])('is judged as a resource of its own: %s', (_, lists, type, block) => {
    const json = {
      resource: {
        ...JSON_OF_STACK.resource,
        aws_iam_role_policy_attachment: { own: { role: '${aws_iam_role.reader.name}' } },
      },
    };
    const plan = { resource_drift: [change('aws_iam_role.reader', ROLE, { ...ROLE, ...lists })] };
    const { json: copy, drifts } = driftedCopy(json, plan, STATE);
    // biome-ignore lint/suspicious/noExplicitAny: what is in the JSON is asserted.
    expect((copy.resource as any)[type].drifted_reader_1).toStrictEqual(block);
    expect(drifts.filter(isAgainstSettings)).toMatchObject([{ kind: 'added' }]);
  });

  it('is nothing where the members of a list are resources of the stack', () => {
    const lists = { managed_policy_arns: ['arn:aws-us-gov:iam::aws:policy/Own'] };
    const { drifts } = beside('aws_iam_role.reader', ROLE, { ...ROLE, ...lists });
    expect(drifts.filter(isAgainstSettings)).toEqual([]);
  });

  it('is a route and a rule that somebody added', () => {
    const { resource } = copyOf({
      resource_drift: [
        change(
          'aws_route_table.private',
          {},
          {
            id: 'rtb-1',
            route: [{ cidr_block: '0.0.0.0/0', gateway_id: 'igw-1', nat_gateway_id: '' }],
          },
        ),
        change(
          'aws_security_group.api',
          {},
          {
            id: 'sg-1',
            ingress: [{ protocol: 'tcp', from_port: 22, to_port: 22, cidr_blocks: ['0.0.0.0/0'] }],
          },
        ),
      ],
    });
    expect(resource.aws_route.drifted_private_1).toStrictEqual({
      route_table_id: 'rtb-1',
      destination_cidr_block: '0.0.0.0/0',
      gateway_id: 'igw-1',
    });
    expect(resource.aws_vpc_security_group_ingress_rule.drifted_api_1).toStrictEqual({
      security_group_id: 'sg-1',
      ip_protocol: 'tcp',
      from_port: 22,
      to_port: 22,
      cidr_ipv4: '0.0.0.0/0',
    });
  });
});
