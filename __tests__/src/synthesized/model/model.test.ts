import { describe, expect, it } from 'vitest';
import { blocksOf, graphOf, modelOf, valueAt } from '../../../../src/synthesized/model/model.ts';
import { modelOfJson, stackModelOf } from '../../../audit/support/stack-model.ts';

const stack = stackModelOf({
  provider: { aws: [{ region: 'cn-north-1', default_tags: [{ tags: { A: 'b' } }] }] },
  variable: { image: { default: 'app:1' }, count: { default: 3 }, secret: { default: null } },
  locals: { name: 'x-${var.count}', loop: '${local.loop}' },
  data: { aws_subnets: { private: {} } },
  resource: {
    aws_sns_topic: { t: { name: '${local.name}' } },
    kubernetes_namespace_v1: {
      ns: { metadata: { name: 'etl' } },
      list: { metadata: [{ name: 'l' }] },
    },
    aws_a_b: { one: { x: '${aws_a_b.other.x}' }, other: { x: '${aws_a_b.one.x}' } },
  },
});

describe('a stack', () => {
  it('knows region, partition and default tags', () => {
    expect(stack).toMatchObject({
      region: 'cn-north-1',
      partition: 'aws-cn',
      defaultTags: { A: 'b' },
    });
  });

  it('finds resources and data sources by address', () => {
    expect(stack.at('aws_sns_topic.t')?.mode).toBe('managed');
    expect(stack.at('data.aws_subnets.private')?.mode).toBe('data');
    expect(stack.at('aws_sns_topic.none')).toBeUndefined();
  });

  it('knows what a value is an attribute of', () => {
    expect(stack.target('${aws_sns_topic.t.arn}')?.address).toBe('aws_sns_topic.t');
    expect(stack.target('arn:aws:sns:a:b:t')).toBeUndefined();
  });
});

describe('resolving', () => {
  it.each([
    ['a variable, with its type', '${var.count}', 3],
    ['a local, and what it is made from', '${local.name}', 'x-3'],
    ['an attribute that is literal', '${aws_sns_topic.t.name}', 'x-3'],
    ['an attribute of a block', '${kubernetes_namespace_v1.ns.metadata[0].name}', 'etl'],
    ['an attribute of a block in a list', '${kubernetes_namespace_v1.list.metadata[0].name}', 'l'],
    ['text around', 'a-${var.image}-${aws_sns_topic.t.arn}', 'a-app:1-${aws_sns_topic.t.arn}'],
    ['keys and lists', { '${var.image}': ['${var.count}'] }, { 'app:1': [3] }],
  ])('replaces %s', (_, value, resolved) => {
    expect(stack.resolve(value)).toEqual(resolved);
  });

  it.each([
    '${aws_sns_topic.t.arn}',
    '${var.secret}',
    '${var.none}',
    '${local.loop}',
    '${aws_a_b.one.x}',
    '${sha256(var.image)}',
    '$${var.image}',
    'echo $${HOME}',
  ])('leaves %s', (value) => {
    expect(stack.resolve(value)).toBe(value);
  });
});

describe('a model', () => {
  const model = modelOfJson({
    a: { resource: { aws_vpc: { v: {} } } },
    b: { resource: { aws_vpc: { v: {} } } },
  });

  it('has the resources of all stacks', () => {
    expect(model.ofType('aws_vpc').map(({ stack: name }) => name)).toEqual(['a', 'b']);
    expect(model.ofType('aws_subnet')).toEqual([]);
  });

  it('knows the stack of a resource, and says so when there is none', () => {
    expect(model.stackOf({ stack: 'b' }).name).toBe('b');
    expect(() => model.stackOf({ stack: 'c' })).toThrow('There is no stack c');
  });
});

describe('blocks and values', () => {
  it('are the same for one block as for a list of one', () => {
    expect(blocksOf({ a: 1 })).toStrictEqual(blocksOf([{ a: 1 }]));
    expect(blocksOf(undefined)).toEqual([]);
    expect(valueAt({ spec: [{ a: { b: 1 } }] }, 'spec.a.b')).toBe(1);
    expect(valueAt({ c: [{ a: 1 }, { a: 2 }] }, 'c.1.a')).toBe(2);
    expect(valueAt({ a: 'text' }, 'a.b')).toBeUndefined();
  });
});

const [ordered] = modelOf([
  {
    name: 'one',
    path: 'one.json',
    json: {
      locals: { gateway: '${aws_nat_gateway.it.id}' },
      resource: {
        aws_vpc: { it: {} },
        aws_subnet: { it: { vpc_id: '${aws_vpc.it.id}' } },
        aws_nat_gateway: { it: { depends_on: ['aws_subnet.it'] } },
        aws_route: { it: { nat_gateway_id: '${local.gateway}' } },
      },
    },
  },
]).stacks;
if (ordered === undefined) throw new Error('There is no stack');
const graph = graphOf(ordered);

describe('users', () => {
  it.each([
    ['aws_vpc.it', ['aws_subnet.it']],
    ['aws_subnet.it', ['aws_nat_gateway.it']],
    ['aws_route.it', []],
  ])('of %s are %j', (address, expected) => {
    expect(graph.users(address).map((user) => user.address)).toEqual(expected);
  });
});

describe('waitsFor', () => {
  it.each([
    ['aws_subnet.it', 'aws_vpc.it', true],
    ['aws_route.it', 'aws_vpc.it', true],
    ['aws_vpc.it', 'aws_route.it', false],
    ['aws_vpc.it', 'aws_vpc.it', false],
  ])('from %s to %s is %s', (from, to, expected) => {
    expect(graph.waitsFor(from, to)).toBe(expected);
  });
});
