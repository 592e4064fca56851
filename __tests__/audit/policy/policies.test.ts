import { describe, expect, it } from 'vitest';
import {
  arnOf,
  canonical,
  policiesOf,
  statementsAbout,
  statementsOfRole,
} from '../../../audit/policy/policies.ts';
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

const policy = (Sid: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid, Effect: 'Allow' }] });
const model = modelOf([
  {
    name: 'one',
    path: 'one.json',
    json: {
      resource: {
        aws_iam_role: { reader: { assume_role_policy: policy('Trust') }, other: {} },
        aws_iam_role_policy: {
          inline: { role: '${aws_iam_role.reader.id}', policy: policy('Inline') },
        },
        aws_iam_policy: {
          attached: { policy: policy('Attached') },
          loose: { policy: policy('Loose') },
        },
        aws_iam_role_policy_attachment: {
          it: { role: '${aws_iam_role.reader.name}', policy_arn: '${aws_iam_policy.attached.arn}' },
        },
        aws_sns_topic: { files: { name: 'files' } },
        aws_sns_topic_policy: {
          files: { arn: '${aws_sns_topic.files.arn}', policy: policy('Topic') },
        },
        aws_sqs_queue: { files: { policy: '${jsonencode({})}' } },
      },
    },
  },
]);
const at = (address: string) => {
  const resource = model.stacks[0]?.at(address);
  if (resource === undefined) throw new Error(`There is no ${address}`);
  return resource;
};

describe('policiesOf', () => {
  it('finds the policy of every place, with its kind', () => {
    expect(policiesOf(model).map(({ address, kind }) => [address, kind])).toEqual([
      ['aws_iam_role.reader', 'trust'],
      ['aws_iam_role_policy.inline', 'identity'],
      ['aws_iam_policy.attached', 'identity'],
      ['aws_iam_policy.loose', 'identity'],
      ['aws_sns_topic_policy.files', 'topic'],
      ['aws_sqs_queue.files', 'queue'],
    ]);
  });

  it('keeps a policy that cannot be read, without a document', () => {
    const [unread] = policiesOf(model).filter(({ kind }) => kind === 'queue');
    expect(unread?.document).toBeUndefined();
  });
});

describe('statementsAbout', () => {
  it('finds the policy that is a resource of its own', () => {
    expect(statementsAbout(model, at('aws_sns_topic.files')).map(({ sid }) => sid)).toEqual([
      'Topic',
    ]);
  });

  it('leaves out who may assume a role', () => {
    expect(statementsAbout(model, at('aws_iam_role.reader'))).toEqual([]);
  });
});

describe('statementsOfRole', () => {
  it('finds inline and attached policies', () => {
    const sids = statementsOfRole(model, at('aws_iam_role.reader')).map(
      ({ statement }) => statement.sid,
    );
    expect(sids).toEqual(['Inline', 'Attached']);
  });

  it('finds none of another role', () => {
    expect(statementsOfRole(model, at('aws_iam_role.other'))).toEqual([]);
  });
});
