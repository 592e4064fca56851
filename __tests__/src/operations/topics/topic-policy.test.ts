import { expect, test } from 'vitest';
import { bucketPublishes, mergeStatement } from '../../../../src/operations/topics/topic-policy.ts';

const statement = bucketPublishes({
  topicArn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:topic',
  partition: 'aws-us-gov',
  bucket: 'client.files',
  account: '123456789012',
});
const theirs = { Sid: 'Theirs', Effect: 'Deny' };

test('the statement names the bucket in its partition, and its account', () => {
  expect(statement).toMatchObject({
    Sid: 'BucketPublishes-client_files',
    Condition: {
      StringEquals: { 'aws:SourceAccount': '123456789012' },
      ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::client.files' },
    },
  });
});

test('a topic without a policy gets one', () => {
  expect(JSON.parse(mergeStatement(undefined, statement).policy)).toStrictEqual({
    Version: '2012-10-17',
    Statement: [statement],
  });
});

test('a single statement without a list becomes one of two', () => {
  const { policy } = mergeStatement(JSON.stringify({ Id: 'x', Statement: theirs }), statement);
  expect(JSON.parse(policy)).toStrictEqual({ Id: 'x', Statement: [theirs, statement] });
});

test('the statement of the same Sid is replaced in its place', () => {
  const old = { ...statement, Action: 'sns:*' };
  const merged = mergeStatement(JSON.stringify({ Statement: [old, theirs] }), statement);
  expect(merged.replaced).toEqual(old);
  expect(JSON.parse(merged.policy).Statement).toEqual([statement, theirs]);
});

test('the same statement under another Sid, keys in another order, is enough', () => {
  const { Sid, ...rest } = statement;
  const reversed = Object.fromEntries([...Object.entries(rest), ['Sid', 'Other']].reverse());
  const policy = JSON.stringify({ Statement: [reversed] });
  expect(mergeStatement(policy, statement)).toMatchObject({ unchanged: true, policy });
});

test.each(['{', '[]', 'null', '"text"'])('the policy %s is not overwritten', (policy) => {
  expect(() => mergeStatement(policy, statement)).toThrow('is not a JSON object');
});
