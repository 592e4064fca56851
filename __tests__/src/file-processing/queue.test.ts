import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt, statementsAt } from '../../support/synthesized.ts';
import {
  ACCOUNT,
  IMAGE,
  synthesizeFileProcessing,
} from '../../support/synthesized-file-processing.ts';

const TOPIC = '${aws_sns_topic.file_processing.arn}';
const QUEUES = `arn:aws-us-gov:sqs:us-gov-west-1:${ACCOUNT}`;

/** Only the topic sends, and nobody comes without TLS. */
function policyOf(queueArn: string) {
  return [
    {
      Sid: 'TopicSends',
      Effect: 'Allow',
      Principal: { Service: 'sns.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: { ArnEquals: { 'aws:SourceArn': TOPIC } },
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

describe('The dead-letter queue', () => {
  const json = synthesizeFileProcessing();

  it('is the only queue with delivery over HTTP', () => {
    expect(namesOf(json, 'aws_sqs_queue')).toEqual(['dead_letter']);
  });

  it('is encrypted with the key of the messages and keeps them as long as SQS can', () => {
    expect(resourceAt(json, 'aws_sqs_queue.dead_letter')).toMatchObject({
      name: 'file-processing-topic-dead-letter',
      kms_master_key_id: '${aws_kms_key.events.arn}',
      message_retention_seconds: 1_209_600,
    });
  });

  it('takes messages of the topic alone', () => {
    expect(statementsAt(json, 'aws_sqs_queue.dead_letter')).toEqual(
      policyOf(`${QUEUES}:file-processing-topic-dead-letter`),
    );
  });

  it('hands nothing on', () => {
    expect(resourceAt(json, 'aws_sqs_queue.dead_letter')).not.toHaveProperty('redrive_policy');
  });
});

describe('The delivery queue', () => {
  const json = synthesizeFileProcessing({
    delivery: 'sqs',
    sns_topic_name: 'drops',
    queue_visibility_timeout_seconds: 900,
    queue_max_receive_count: 3,
  });

  it('is encrypted, waits for messages, and hides them as long as the settings say', () => {
    expect(resourceAt(json, 'aws_sqs_queue.deliveries')).toMatchObject({
      name: 'drops-deliveries',
      kms_master_key_id: '${aws_kms_key.events.arn}',
      message_retention_seconds: 1_209_600,
      visibility_timeout_seconds: 900,
      receive_wait_time_seconds: 20,
    });
  });

  it('takes messages of the topic alone', () => {
    expect(statementsAt(json, 'aws_sqs_queue.deliveries')).toEqual(
      policyOf(`${QUEUES}:drops-deliveries`),
    );
  });

  it('hands a message that was tried too often to the dead-letter queue', () => {
    const { redrive_policy } = resourceAt(json, 'aws_sqs_queue.deliveries');
    expect(JSON.parse(String(redrive_policy))).toStrictEqual({
      deadLetterTargetArn: '${aws_sqs_queue.dead_letter.arn}',
      maxReceiveCount: 3,
    });
  });

  it('is the only one that the dead-letter queue serves', () => {
    const { redrive_allow_policy } = resourceAt(json, 'aws_sqs_queue.dead_letter');
    expect(JSON.parse(String(redrive_allow_policy))).toStrictEqual({
      redrivePermission: 'byQueue',
      sourceQueueArns: [`${QUEUES}:drops-deliveries`],
    });
  });
});

describe('A delivery queue that the stack has no longer', () => {
  it('is forgotten by Terraform, and not deleted with what waits in it', () => {
    expect(synthesizeFileProcessing().removed).toStrictEqual([
      { from: 'aws_sqs_queue.deliveries', lifecycle: [{ destroy: false }] },
    ]);
  });

  it('is still of the stack while both ways are open, and the listener fetches from it', () => {
    const json = synthesizeFileProcessing({ image: IMAGE, both_deliveries: true });
    expect(namesOf(json, 'aws_sqs_queue')).toEqual(['dead_letter', 'deliveries']);
    expect(resourceAt(json, 'kubernetes_config_map_v1.config').data).toMatchObject({
      SQS_QUEUE_URL: '${aws_sqs_queue.deliveries.url}',
    });
  });
});

describe('The dead-letter queue without a delivery queue', () => {
  it('serves no queue', () => {
    const { redrive_allow_policy } = resourceAt(
      synthesizeFileProcessing(),
      'aws_sqs_queue.dead_letter',
    );
    expect(JSON.parse(String(redrive_allow_policy))).toStrictEqual({
      redrivePermission: 'denyAll',
    });
  });
});
