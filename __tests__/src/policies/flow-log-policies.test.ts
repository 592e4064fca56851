import { partitionOf } from '@file-processing/contract/partition.ts';
import { describe, expect, it } from 'vitest';
import { flowLogsOf, writeFlowLogs } from '../../../src/policies/flow-log-policies.ts';

const NAME = '/aws/vpc/flow-logs/city';

describe.each([
  ['us-gov-west-1', 'arn:aws-us-gov'],
  ['us-east-1', 'arn:aws'],
  ['cn-north-1', 'arn:aws-cn'],
])('flow logs in %s', (region, arn) => {
  const logGroup = { partition: partitionOf(region), region, account: '123456789012', name: NAME };
  const policy = writeFlowLogs(logGroup);

  it('write into their own log group and its streams only', () => {
    const resource = `${arn}:logs:${region}:123456789012:log-group:${NAME}`;
    const writing = policy.filter(({ Action }) => /Put|CreateLogStream/.test(String(Action)));
    expect(writing.map(({ Resource }) => Resource)).toEqual([[resource, `${resource}:*`]]);
  });

  it('have ARNs of the account and the region', () => {
    expect(flowLogsOf(logGroup)).toBe(`${arn}:ec2:${region}:123456789012:vpc-flow-log/*`);
  });
});

describe('writeFlowLogs', () => {
  const policy = writeFlowLogs({
    partition: partitionOf('us-gov-west-1'),
    region: 'us-gov-west-1',
    account: '123456789012',
    name: NAME,
  });
  const actions = policy.flatMap(({ Action }) => Action);

  it('allows what delivery needs and nothing more', () => {
    expect([...actions].sort()).toEqual([
      'logs:CreateLogStream',
      'logs:DescribeLogGroups',
      'logs:DescribeLogStreams',
      'logs:PutLogEvents',
    ]);
  });

  it('does not let the service make a log group without our key', () => {
    expect(actions).not.toContain('logs:CreateLogGroup');
  });

  it('is never about every resource', () => {
    expect(policy.flatMap(({ Resource }) => Resource)).not.toContain('*');
  });
});
