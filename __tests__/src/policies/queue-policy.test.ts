import { expect, it } from 'vitest';
import { queuePolicy } from '../../../src/policies/queue-policy.ts';

it('a queue lets one topic send, and nobody without TLS', () => {
  const [allow, deny] = queuePolicy('arn:queue', 'arn:topic');
  expect(allow).toMatchObject({
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Condition: { ArnEquals: { 'aws:SourceArn': 'arn:topic' } },
  });
  expect(deny).toMatchObject({ Effect: 'Deny', Action: 'sqs:*' });
});
