import type { PolicyStatement } from './policy-document.ts';

/** The policy of a queue: one topic sends to it, and everybody only over TLS. */
export function queuePolicy(queueArn: string, topicArn: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'TopicSends',
      Effect: 'Allow',
      Principal: { Service: 'sns.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
    },
    {
      Sid: 'RefusePlainHttp',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sqs:*',
      Resource: queueArn,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ];
}
