import { parseTopicArn, type TopicArn, topicIn } from '@file-processing/contract/arn.ts';
import { BUCKET_NAME, isOwnBucketName } from '@file-processing/contract/s3-object.ts';
import type { Command as Commander } from 'commander';
import { type Bucket, bucketsOf } from '../../settings/buckets.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { CommonOptions, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { type Target, targetOf } from '../target.ts';
import { deadLetterQueueOf, deliveryQueueOf } from './dead-letter-queue.ts';

/** Options of the commands about the topic and its events. */
export interface EventOptions extends CommonOptions {
  /** @default SNS_TOPIC_ARN, else the topic of the stack */
  readonly topicArn?: string;
}

/** The topic that a command works on, and how it signs in there. */
export interface EventTarget extends Target {
  /** Account of the signed-in identity. */
  readonly account: string;
  readonly settings: FileProcessingSettings;
  readonly topic: TopicArn;
  /** The topic is the one that the stack of this environment subscribes to. */
  readonly isOfStack: boolean;
  /** The stack makes the topic too, and Terraform looks after it. */
  readonly isMadeByStack: boolean;
  /** ARN of the queue that takes what could not be delivered, by the name that the stack gives it. */
  readonly deadLetterArn: string;
  /** ARN of the queue that the listener fetches from, likewise. */
  readonly deliveryQueueArn: string;
}

/** Adds `--topic-arn`. */
export function withTopicOption(command: Commander): Commander {
  return command.option(
    '--topic-arn <arn>',
    'the topic (default: SNS_TOPIC_ARN, else the topic of the stack)',
  );
}

/**
 * Finds out which topic of which account is meant. Options take precedence over the
 * variables of the scripts that these commands succeed (SNS_TOPIC_ARN, AWS_PROFILE, AWS_REGION), and
 * these over the tfvars. A
 * topic by its ARN brings its region.
 *
 * @param judge - refuses options that do not go with the settings, before anything is asked of AWS
 * @throws SettingsError with every fault of the tfvars
 * @throws OperationError when the text is not the ARN of a topic, or --region contradicts it
 */
export async function eventTarget(
  context: OperationContext,
  options: EventOptions,
  judge: (settings: FileProcessingSettings) => void = () => undefined,
): Promise<EventTarget> {
  const { env } = context;
  const named = namedTopic(options.topicArn, env.SNS_TOPIC_ARN);
  if (named && options.region !== undefined && options.region !== named.region) {
    throw new OperationError(
      `--region ${options.region} contradicts the region of the topic ${named.arn}`,
      { code: EXIT.usage, next: 'leave --region out: the ARN says it' },
    );
  }
  const target = targetOf(context, {
    ...options,
    profile: options.profile ?? (env.AWS_PROFILE || undefined),
    region: named?.region ?? options.region ?? (env.AWS_REGION || undefined),
  });
  const settings = target.environment.fileProcessing;
  judge(settings);
  const account = await accountOf(target.clients);
  const ownTopic = topicIn(target.region, account, settings.sns_topic_name);
  const topicOfStack = parseTopicArn(settings.existing_topic_arn) ?? ownTopic;
  const topic = named ?? topicOfStack;
  const isOfStack = topic.arn === topicOfStack.arn;
  return {
    ...target,
    ...{ account, settings, topic, isOfStack },
    isMadeByStack: isOfStack && settings.existing_topic_arn === '',
    deadLetterArn: deadLetterQueueOf(isOfStack ? ownTopic : topic),
    deliveryQueueArn: deliveryQueueOf(isOfStack ? ownTopic : topic),
  };
}

function namedTopic(
  option: string | undefined,
  variable: string | undefined,
): TopicArn | undefined {
  if (option !== undefined) return topicOf(option, '--topic-arn');
  return variable ? topicOf(variable, 'SNS_TOPIC_ARN') : undefined;
}

function topicOf(arn: string, source: string): TopicArn {
  const topic = parseTopicArn(arn);
  if (topic !== undefined) return topic;
  throw new OperationError(
    `${source} ${JSON.stringify(arn)} is not the ARN of an SNS standard topic; one such as arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic is needed`,
    { code: EXIT.usage },
  );
}

async function accountOf(clients: AwsClients): Promise<string> {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const { Account } = await (await clients.sts()).send(new GetCallerIdentityCommand({}));
  if (Account === undefined) throw new OperationError('AWS STS names no account');
  return Account;
}

/**
 * The bucket that `--bucket`, else BUCKET names; undefined leaves it to the tfvars.
 *
 * @throws OperationError (usage)
 */
export function namedBucket(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (option !== undefined) return checkBucketName(option, '--bucket');
  return env.BUCKET ? checkBucketName(env.BUCKET, 'BUCKET') : undefined;
}

/** What the help says of a `--bucket` that {@link oneBucket} reads. */
export const BUCKET_DEFAULT = '(default: BUCKET, else the only one of the tfvars)';

/**
 * The bucket that is meant: the named one, else the only one of the settings; one that the settings don't know is of
 * the stack's account, and has the prefixes and the suffix of the only one.
 *
 * @throws OperationError (usage) where the settings leave a choice
 */
export function oneBucket(named: string | undefined, settings: FileProcessingSettings): Bucket {
  const buckets = bucketsOf(settings);
  const [only, ...others] = buckets;
  const found = named === undefined ? undefined : buckets.find(({ name }) => name === named);
  if (found !== undefined) return found;
  if (only !== undefined && others.length === 0) {
    return named === undefined
      ? only
      : { ...only, name: named, account: '', createNotifications: false };
  }
  const names = buckets.map(({ name }) => name).join(', ');
  if (named === undefined) {
    throw new OperationError(`the settings name several buckets: ${names}`, {
      code: EXIT.usage,
      next: 'say which by --bucket',
    });
  }
  const unknown = { keyArn: '', account: '', createNotifications: false };
  return { ...unknown, name: named, prefixes: [], suffix: '' };
}

/**
 * Checks the name of a bucket.
 *
 * @param source - the option or variable that gave it
 * @throws OperationError (usage)
 */
export function checkBucketName(name: string, source: string): string {
  if (isOwnBucketName(name)) return name;
  throw new OperationError(`${source} ${JSON.stringify(name)} is not ${BUCKET_NAME}`, {
    code: EXIT.usage,
  });
}
