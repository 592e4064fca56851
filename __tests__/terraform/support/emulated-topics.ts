import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  type SNSClient,
} from '@aws-sdk/client-sns';
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { subscriptionAttributes } from '../../../src/operations/topics/subscriptions.ts';
import { type ManageResult, manage } from '../../support/manage.ts';
import { ROOT } from '../../support/run-main.ts';
import { ACCOUNT, REGION } from './aws-account.ts';
import { type AwsEmulator, emptyAwsEmulator } from './aws-emulator.ts';
import { emulatedAws } from './emulated-aws.ts';

/** An emulator, and what the tests of the topic's commands do with it. */
export interface EmulatedTopics {
  readonly emulator: AwsEmulator;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  /** @param name - @default a new one @returns the topic's ARN */
  createTopic(name?: string): Promise<string>;
  createQueue(name: string): Promise<{ readonly arn: string; readonly url: string }>;
  /** The queue that the stack would make for a topic's undelivered messages. */
  createDeadLetterQueue(topicArn: string): Promise<{ readonly arn: string; readonly url: string }>;
  /** A topic's subscriptions with all their attributes, as SNS answers them. */
  subscriptionsOf(topicArn: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Runs a command of `manage` against the emulator. */
  run(
    parameters: readonly string[],
    env?: Record<string, string>,
    root?: string,
  ): Promise<ManageResult>;
  stop(): Promise<void>;
}

/** Starts an emulator of its own. */
export async function startEmulatedTopics(): Promise<EmulatedTopics> {
  const emulator = await emptyAwsEmulator();
  const clients = emulatedAws(emulator)({ region: REGION, profile: '' });
  const [sns, sqs] = [await clients.sns(), await clients.sqs()];
  let topics = 0;
  const createQueue: EmulatedTopics['createQueue'] = async (name) => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
    return { arn: `arn:aws-us-gov:sqs:${REGION}:${ACCOUNT}:${name}`, url: QueueUrl };
  };
  return {
    emulator,
    sns,
    sqs,
    createQueue,
    createTopic: async (name) => {
      topics += 1;
      const command = new CreateTopicCommand({ Name: name ?? `topic-${topics}` });
      return (await sns.send(command)).TopicArn ?? '';
    },
    createDeadLetterQueue: (topicArn) => createQueue(`${topicArn.split(':').at(-1)}-dead-letter`),
    subscriptionsOf: async (topicArn) => {
      const answer = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn }));
      return Promise.all(
        (answer.Subscriptions ?? []).map(async (subscription) => ({
          ...subscription,
          attributes: await subscriptionAttributes(sns, subscription.SubscriptionArn ?? ''),
        })),
      );
    },
    run: (parameters, env = {}, root = ROOT) =>
      manage(parameters, { aws: emulatedAws(emulator), env, root }),
    stop: () => emulator.stop(),
  };
}
