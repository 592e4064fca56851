import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import type { Target } from '../target.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Looks at the way of a file: its bucket, then the topic and who is subscribed. */
export function deliveryDiagnoses(
  { clients, environment, region }: Target,
  topicArn: string,
): readonly Promise<Diagnosis>[] {
  const bucket = environment.fileProcessing.bucket_name;
  return [
    diagnose('bucket', async () => {
      const s3 = await clients.s3();
      const answer = await s3.send(new HeadBucketCommand({ Bucket: bucket })).catch((error) => {
        if (error.name === 'NotFound') return undefined;
        throw error;
      });
      if (answer === undefined) {
        const next = 'the stack does not make it: create it, or correct bucket_name';
        return { state: 'red', found: `there is no bucket ${bucket}`, next };
      }
      const found = answer.BucketRegion ?? region;
      return found === region
        ? { state: 'ok', found: bucket }
        : {
            state: 'red',
            found: `${bucket} is in ${found}, not in ${region}`,
            next: 'S3 notifies topics of its own region only: correct aws_region or bucket_name',
          };
    }),
    diagnose('topic', async () => {
      const sns = await clients.sns();
      const answer = await sns
        .send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn }))
        .catch((error) => {
          if (error.name === 'NotFoundException') return undefined;
          throw error;
        });
      if (answer === undefined) {
        return { state: 'red', found: `there is no ${topicArn}`, next: 'npm run manage -- apply' };
      }
      const { Subscriptions = [] } = answer;
      const pending = Subscriptions.filter(
        ({ SubscriptionArn }) => SubscriptionArn === 'PendingConfirmation',
      );
      if (Subscriptions.length === 0) {
        const next = 'set sns_endpoint_url (or delivery = "sqs") and apply';
        return { state: 'warn', found: `nobody is subscribed to ${topicArn}`, next };
      }
      const found = `${topicArn}: ${Subscriptions.length} subscribed, ${pending.length} unconfirmed`;
      return pending.length === 0
        ? { state: 'ok', found }
        : { state: 'red', found, next: 'npm run manage -- sns-probe' };
    }),
  ];
}
