import type { S3Client } from '@aws-sdk/client-s3';
import {
  type CreatedObject,
  objectCreatedEvent,
  S3_SUBJECT,
  sequencerAt,
} from '@file-processing/contract/s3-event.ts';
import { checkKey } from '../command-options.ts';
import {
  type LocalStackOption,
  localStackTarget,
  withLocalStackOption,
} from '../localstack/localstack-target.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import {
  BUCKET_DEFAULT,
  type EventOptions,
  eventTarget,
  namedBucket,
  oneBucket,
  withTopicOption,
} from '../topics/event-target.ts';
import { noSuchTopic } from '../topics/subscriptions.ts';

interface Options extends EventOptions, LocalStackOption {
  readonly bucket?: string;
  readonly dryRun: boolean;
}

/** `manage sns-publish`: publishes the event that S3 sends for a new object. */
export const snsPublish: Operation<Options> = {
  name: 'sns-publish',
  summary: 'publish a test S3 event for a key of the bucket to the topic',
  describe: (command) =>
    withLocalStackOption(withTopicOption(command.argument('<key>', 'key of the object')))
      .option('--bucket <name>', `the bucket ${BUCKET_DEFAULT}`)
      .option('--dry-run', 'print the message, publish nothing', false),
  execute: async (context, options, operand = '') => {
    const key = checkKey(operand);
    const { clients, topic, account, bucket } = await placeOf(context, options);
    const facts = await factsOf(await clients.s3(), bucket, key);
    if (facts.problem) context.stderr.write(`warning: ${facts.problem}\n`);
    const time = context.clock.now();
    const event = objectCreatedEvent({
      ...{ bucket, key, region: topic.region, time, sequencer: sequencerAt(time) },
      ...facts.object,
      sender: { name: 'manage-sns-publish', account },
    });
    if (options.dryRun) {
      context.stdout.write(`${JSON.stringify(event, null, 2)}\n`);
      return EXIT.ok;
    }
    const { NotFoundException, PublishCommand } = await import('@aws-sdk/client-sns');
    const sns = await clients.sns();
    const { MessageId: messageId } = await sns
      .send(
        new PublishCommand({
          TopicArn: topic.arn,
          Subject: S3_SUBJECT,
          Message: JSON.stringify(event),
        }),
      )
      .catch((cause: unknown) => {
        throw cause instanceof NotFoundException ? noSuchTopic(topic.arn, cause) : cause;
      });
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ topicArn: topic.arn, messageId, bucket, key }, null, 2)}\n`
        : `published ${messageId} for s3://${bucket}/${key} to ${topic.arn}\n`,
    );
    return EXIT.ok;
  },
};

/** BUCKET is a bucket of AWS, so in LocalStack only the option counts. */
async function placeOf(context: OperationContext, options: Options) {
  const named = namedBucket(options.bucket, options.localstack ? {} : context.env);
  if (options.localstack) {
    const target = await localStackTarget(context, options);
    return { ...target, bucket: named ?? target.bucket };
  }
  const target = await eventTarget(context, options, (settings) => oneBucket(named, settings));
  return { ...target, bucket: oneBucket(named, target.settings).name };
}

/** What S3 would tell of the object; an event can be published for one that is not there. */
async function factsOf(
  s3: S3Client,
  bucket: string,
  key: string,
): Promise<{
  readonly object: Pick<CreatedObject, 'sizeBytes' | 'eTag' | 'versionId'>;
  readonly problem?: string;
}> {
  const { HeadObjectCommand, S3ServiceException } = await import('@aws-sdk/client-s3');
  try {
    const { ContentLength, ETag, VersionId } = await s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key }),
    );
    return {
      object: {
        sizeBytes: ContentLength,
        eTag: ETag?.replaceAll('"', ''),
        versionId: VersionId === 'null' ? undefined : VersionId,
      },
    };
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const status = error.$metadata.httpStatusCode;
    if (status !== 404 && status !== 403) throw error;
    const problem = status === 404 ? 'is not there' : 'may not be read by the signed-in identity';
    return {
      object: {},
      problem: `s3://${bucket}/${key} ${problem}; the event goes out without size and ETag, and the listener reads the object as it is then`,
    };
  }
}
