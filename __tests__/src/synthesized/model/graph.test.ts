import { describe, expect, it } from 'vitest';
import { graphOf } from '../../../../src/synthesized/model/graph.ts';
import { modelOf } from '../../../../src/synthesized/model/model.ts';

const [stack] = modelOf([
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
if (stack === undefined) throw new Error('There is no stack');
const graph = graphOf(stack);

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
