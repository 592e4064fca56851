import type { Partition } from '@file-processing/contract/partition.ts';
import type { PolicyStatement } from './policy-document.ts';

/** The one log group that flow logs are written to. */
export interface FlowLogGroup {
  readonly partition: Partition;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

/**
 * Allows flow logs to write into their log group (Amazon VPC User Guide, "IAM role for publishing flow logs
 * to CloudWatch Logs"). `logs:CreateLogGroup` is left out on purpose: a log group that the service
 * makes itself, after ours was deleted, would be neither encrypted nor ever expire.
 */
export function writeFlowLogs(logGroup: FlowLogGroup): readonly PolicyStatement[] {
  const { partition, region, account, name } = logGroup;
  const logGroups = `arn:${partition.name}:logs:${region}:${account}:log-group`;
  return [
    {
      Sid: 'WriteFlowLogs',
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      Resource: [`${logGroups}:${name}`, `${logGroups}:${name}:*`],
    },
    {
      Sid: 'FindLogGroup',
      Effect: 'Allow',
      Action: 'logs:DescribeLogGroups',
      Resource: `${logGroups}:*`,
    },
  ];
}

/** ARNs of an account's flow logs in one region, as a pattern for `aws:SourceArn`. */
export function flowLogsOf({ partition, region, account }: Omit<FlowLogGroup, 'name'>): string {
  return `arn:${partition.name}:ec2:${region}:${account}:vpc-flow-log/*`;
}
