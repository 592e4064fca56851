import { describe, expect, it } from 'vitest';
import {
  isSwitchedOn,
  judgeNodes,
  judgePolicies,
} from '../../../../src/operations/doctor/existing-cluster.ts';

const node = (id: string, ...groups: readonly string[]) => ({
  InstanceId: id,
  SecurityGroups: groups.map((GroupId) => ({ GroupId })),
});

describe('NetworkPolicies of a cluster of others', () => {
  it.each([
    ['{"enableNetworkPolicy":"true"}', true],
    ['enableNetworkPolicy: true\nenv:\n  A: b', true],
    ['{"enableNetworkPolicy":"false"}', false],
    ['{"env":{}}', false],
    ['{', false],
    ['', false],
    [undefined, false],
  ])('are switched on by the configuration %j: %s', (values, on) => {
    expect(isSwitchedOn(values)).toBe(on);
  });

  it('that nobody enforces are a warning', () => {
    expect(judgePolicies(true)).toMatchObject({ state: 'ok' });
    expect(judgePolicies(false)).toMatchObject({
      state: 'warn',
      next: expect.stringContaining('enableNetworkPolicy'),
    });
  });
});

describe('nodes of a cluster of others', () => {
  const two = [node('i-1', 'sg-a', 'sg-b'), node('i-2', 'sg-b')];

  it('are fine where all have the security group', () => {
    expect(judgeNodes(two, 'sg-b', true)).toMatchObject({ state: 'ok' });
  });

  it('of another security group cannot reach a database that the stack lets them in to', () => {
    expect(judgeNodes(two, 'sg-a', true)).toMatchObject({
      state: 'red',
      found: '1 of 2 lack the security group sg-a: i-2',
      next: expect.stringContaining('node_security_group_id'),
    });
  });

  it('of another security group are a warning where no rule is about it', () => {
    expect(judgeNodes(two, 'sg-c', false)).toMatchObject({ state: 'warn' });
  });

  it('that cannot be seen are a warning', () => {
    expect(judgeNodes([], 'sg-a', true)).toMatchObject({ state: 'warn' });
  });
});
