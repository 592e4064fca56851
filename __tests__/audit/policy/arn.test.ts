import { describe, expect, it } from 'vitest';
import { arnOf, canonical } from '../../../audit/policy/arn.ts';
import { modelOf } from '../../../src/synthesized/model/model.ts';

const ACCOUNT = '${data.aws_caller_identity.current.account_id}';
const [stack] = modelOf([
  {
    name: 'one',
    path: 'one.json',
    json: {
      provider: { aws: [{ region: 'us-gov-west-1' }] },
      data: { aws_caller_identity: { current: {} } },
      locals: { issuer: '${replace(aws_eks_cluster.it.issuer, "https://", "")}' },
      resource: {
        aws_sns_topic: { files: { name: 'files' } },
        aws_kms_key: { messages: {} },
        aws_cloudwatch_log_group: { failures: { name: `sns/${ACCOUNT}/files` } },
      },
    },
  },
]).stacks;
if (stack === undefined) throw new Error('There is no stack');

describe('canonical', () => {
  it.each([
    ['${aws_sns_topic.files.arn}', 'arn:aws-us-gov:sns:us-gov-west-1:<account>:files'],
    [
      `arn:aws-us-gov:sns:us-gov-west-1:${ACCOUNT}:files`,
      'arn:aws-us-gov:sns:us-gov-west-1:<account>:files',
    ],
    ['${aws_sns_topic.files.arn}:x', 'arn:aws-us-gov:sns:us-gov-west-1:<account>:files:x'],
    ['${aws_kms_key.messages.arn}', '${aws_kms_key.messages.arn}'],
    ['${local.issuer}:sub', '${replace(aws_eks_cluster.it.issuer, "https://", "")}:sub'],
    ['${aws_sns_topic.gone.arn}', '${aws_sns_topic.gone.arn}'],
    [8080, '8080'],
    [undefined, ''],
  ])('spells %s as %s', (value, expected) => {
    expect(canonical(stack, value)).toBe(expected);
  });
});

describe('arnOf', () => {
  it('spells the account in a name too', () => {
    const group = stack.at('aws_cloudwatch_log_group.failures');
    expect(group && arnOf(stack, group)).toBe(
      'arn:aws-us-gov:logs:us-gov-west-1:<account>:log-group:sns/<account>/files',
    );
  });

  it('has none for what only AWS names', () => {
    const key = stack.at('aws_kms_key.messages');
    expect(key && arnOf(stack, key)).toBeUndefined();
  });
});
