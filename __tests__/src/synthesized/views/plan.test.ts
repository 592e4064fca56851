import { describe, expect, it } from 'vitest';
import type { TerraformJson } from '../../../../src/synthesized/synthesized-stack.ts';
import { planOf } from '../../../../src/synthesized/views/plan.ts';
import { modelOfJson, stackModelOf } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';

const planned = (json: TerraformJson) => planOf(stackModelOf(json));

/** Values and unknowns of the only resource. */
function only(type: string, attributes: Record<string, unknown>, others: TerraformJson = {}) {
  const plan = planned({ ...others, resource: { ...others.resource, [type]: { a: attributes } } });
  const at = `${type}.a`;
  return {
    values: plan.planned_values.root_module.resources.find(({ address }) => address === at)?.values,
    unknown: plan.resource_changes.find(({ address }) => address === at)?.change.after_unknown,
    expressions: plan.configuration.root_module.resources.find(({ address }) => address === at)
      ?.expressions,
  };
}

describe('planned values', () => {
  it('have blocks as lists and maps as maps', () => {
    const { values } = only('aws_x', {
      vpc_config: { a: 1 },
      tags: { Name: 'a' },
      timeouts: { create: '1m' },
    });
    expect(values).toStrictEqual({
      vpc_config: [{ a: 1 }],
      tags: { Name: 'a' },
      timeouts: { create: '1m' },
    });
  });

  it('have no argument of Terraform itself, and no write-only one', () => {
    const { values } = only('aws_x', {
      a: 1,
      depends_on: [],
      lifecycle: {},
      provider: 'aws.b',
      data_wo: { P: 'x' },
    });
    expect(values).toStrictEqual({ a: 1 });
  });

  it('keep a block that is called like an argument of Terraform', () => {
    const { values } = only('aws_x', { encryption_config: { provider: { key: 'k' } } });
    expect(values).toStrictEqual({ encryption_config: [{ provider: [{ key: 'k' }] }] });
  });

  it('leave out what is known after apply, in blocks too, and say so', () => {
    const { values, unknown } = only('aws_x', {
      key: '${aws_kms_key.k.arn}',
      config: {
        subnet_ids: ['${aws_subnet.s.id}', 'subnet-1'],
        role: '${aws_iam_role.r.arn}',
        on: true,
      },
    });
    expect(values).toStrictEqual({ config: [{ subnet_ids: [null, 'subnet-1'], on: true }] });
    expect(unknown).toStrictEqual({
      id: true,
      key: true,
      config: [{ subnet_ids: [true, false], role: true }],
    });
  });

  it('have what the JSON knows of another resource', () => {
    const resource = { aws_iam_role: { r: { name: 'writer' } } };
    expect(only('aws_x', { role: '${aws_iam_role.r.name}' }, { resource }).values).toStrictEqual({
      role: 'writer',
    });
  });

  it('have policies that are JSON, with ARNs of the right partition for what is not known', () => {
    const resource = {
      aws_sns_topic: { t: { name: 'topic' } },
      aws_kms_key: { k: {} },
      aws_eks_cluster: { c: { name: 'c' } },
    };
    const policy = JSON.stringify({
      topic: '${aws_sns_topic.t.arn}',
      key: '${aws_kms_key.k.arn}',
      account: 'arn:aws-us-gov:iam::${data.aws_caller_identity.current.account_id}:root',
      issuer: '${local.issuer}:sub',
    });
    const locals = {
      issuer: '${replace(aws_eks_cluster.c.identity[0].oidc[0].issuer, "https://", "")}',
    };
    const { values } = only('aws_iam_policy', { policy }, { resource, locals });
    expect(JSON.parse(String(values?.policy))).toStrictEqual({
      topic: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:topic',
      key: expect.stringMatching(
        /^arn:aws-us-gov:kms:us-gov-west-1:123456789012:key\/[0-9a-f-]{36}$/,
      ),
      account: 'arn:aws-us-gov:iam::123456789012:root',
      issuer: expect.stringMatching(/^oidc\.eks\.us-gov-west-1\.amazonaws\.com\/id\/\w{32}:sub$/),
    });
  });
});

describe('the configuration', () => {
  it('says what an argument refers to, nearest first, and what is constant', () => {
    const { expressions } = only('aws_x', {
      name: 'a',
      config: { key: '${aws_kms_key.k.arn}' },
      ids: ['${aws_subnet.s.id}'],
    });
    expect(expressions).toStrictEqual({
      name: { constant_value: 'a' },
      config: [{ key: { references: ['aws_kms_key.k.arn', 'aws_kms_key.k'] } }],
      ids: { references: ['aws_subnet.s.id', 'aws_subnet.s'] },
    });
  });
});

describe('the plan', () => {
  it('has no sensitive variable', () => {
    const { variables } = planned({
      variable: { image: { default: 'a' }, password: { default: 'MARKER', sensitive: true } },
    });
    expect(variables).toStrictEqual({ image: { value: 'a' } });
  });

  it('names the oldest Terraform that the stack takes', () => {
    const terraform = { required_version: '>= 1.12.3' };
    expect(planned({ terraform }).terraform_version).toBe('1.12.3');
  });

  it.each(['etl-playground', 'complete'] as const)(
    'of %s has every resource, and no expression in a value',
    (environment) => {
      for (const stack of modelOfJson(environmentStacks(environment)).stacks) {
        const { planned_values, resource_changes } = planOf(stack);
        const addresses = stack.resources.map(({ address }) => address);
        expect(addresses).not.toEqual([]);
        const { resources } = planned_values.root_module;
        expect(resources.map(({ address }) => address)).toEqual(addresses);
        expect(resource_changes.map(({ address }) => address)).toEqual(addresses);
        expect(JSON.stringify(resources)).not.toContain('${');
        for (const { values } of resources) {
          if (typeof values.policy === 'string') JSON.parse(values.policy);
        }
      }
    },
  );
});
