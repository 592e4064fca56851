import { describe, expect, it } from 'vitest';
import { addresses, resourceAt, statementsAt } from '../../support/synthesized.ts';
import { synthesizeFoundationNetwork } from './synthesize-foundation-network.ts';

const ACCOUNT = '${data.aws_caller_identity.current.account_id}';

describe('FlowLogs', () => {
  const json = synthesizeFoundationNetwork({
    name_prefix: 'city',
    log_retention_days: 90,
    kms_deletion_window_days: 14,
  });

  it('record all traffic of the VPC every minute', () => {
    expect(resourceAt(json, 'aws_flow_log.vpc')).toMatchObject({
      vpc_id: '${aws_vpc.main.id}',
      traffic_type: 'ALL',
      max_aggregation_interval: 60,
      log_destination_type: 'cloud-watch-logs',
      log_destination: '${aws_cloudwatch_log_group.vpc_flow_logs.arn}',
      iam_role_arn: '${aws_iam_role.flow_logs_writer.arn}',
    });
  });

  it('start only when the role may write', () => {
    expect(resourceAt(json, 'aws_flow_log.vpc')).toHaveProperty('depends_on', [
      'aws_iam_role_policy.write_flow_logs',
    ]);
  });

  it('go to an encrypted log group that expires', () => {
    expect(resourceAt(json, 'aws_cloudwatch_log_group.vpc_flow_logs')).toStrictEqual({
      name: '/aws/vpc/flow-logs/city',
      retention_in_days: 90,
      kms_key_id: '${aws_kms_key.flow_logs.arn}',
    });
  });

  it('have a key of their own that rotates', () => {
    expect(resourceAt(json, 'aws_kms_key.flow_logs')).toMatchObject({
      enable_key_rotation: true,
      deletion_window_in_days: 14,
    });
    expect(resourceAt(json, 'aws_kms_alias.flow_logs_key')).toStrictEqual({
      name: 'alias/city-flow-logs',
      target_key_id: '${aws_kms_key.flow_logs.key_id}',
    });
  });

  it('let nobody use the key but the account and CloudWatch Logs for this log group', () => {
    const policy = statementsAt(json, 'aws_kms_key.flow_logs');
    expect(policy.map(({ Principal, Condition }) => ({ Principal, Condition }))).toStrictEqual([
      { Principal: { AWS: `arn:aws-us-gov:iam::${ACCOUNT}:root` }, Condition: undefined },
      {
        Principal: { Service: 'logs.us-gov-west-1.amazonaws.com' },
        Condition: {
          ArnEquals: {
            'kms:EncryptionContext:aws:logs:arn': [
              `arn:aws-us-gov:logs:us-gov-west-1:${ACCOUNT}:log-group:/aws/vpc/flow-logs/city`,
            ],
          },
        },
      },
    ]);
  });

  it('have a role that only the flow logs of this account and region can assume', () => {
    expect(statementsAt(json, 'aws_iam_role.flow_logs_writer', 'assume_role_policy')).toStrictEqual(
      [
        {
          Sid: 'AssumeRole',
          Effect: 'Allow',
          Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: {
            StringEquals: { 'aws:SourceAccount': ACCOUNT },
            ArnLike: {
              'aws:SourceArn': `arn:aws-us-gov:ec2:us-gov-west-1:${ACCOUNT}:vpc-flow-log/*`,
            },
          },
        },
      ],
    );
  });

  it('give the role the right to write into this log group', () => {
    expect(resourceAt(json, 'aws_iam_role_policy.write_flow_logs')).toHaveProperty(
      'role',
      '${aws_iam_role.flow_logs_writer.id}',
    );
    const logGroup = `arn:aws-us-gov:logs:us-gov-west-1:${ACCOUNT}:log-group:/aws/vpc/flow-logs/city`;
    expect(statementsAt(json, 'aws_iam_role_policy.write_flow_logs')).toContainEqual(
      expect.objectContaining({ Sid: 'WriteFlowLogs', Resource: [logGroup, `${logGroup}:*`] }),
    );
  });
});

describe('FlowLogs in China', () => {
  const json = synthesizeFoundationNetwork({ aws_region: 'cn-north-1' });

  it('let CloudWatch Logs of China use the key', () => {
    expect(statementsAt(json, 'aws_kms_key.flow_logs')).toContainEqual(
      expect.objectContaining({ Principal: { Service: 'logs.cn-north-1.amazonaws.com.cn' } }),
    );
  });

  it('are trusted under the same name as elsewhere', () => {
    expect(
      statementsAt(json, 'aws_iam_role.flow_logs_writer', 'assume_role_policy'),
    ).toContainEqual(
      expect.objectContaining({ Principal: { Service: 'vpc-flow-logs.amazonaws.com' } }),
    );
  });
});

describe('FlowLogs switched off', () => {
  const json = synthesizeFoundationNetwork({ flow_logs: false });

  it('leave behind neither key, role, log group nor a question for the account', () => {
    expect(
      addresses(json).filter((address) => /flow|kms|iam|cloudwatch|caller/.test(address)),
    ).toEqual([]);
  });
});
