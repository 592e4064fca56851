import { DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Target } from '../target.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Looks who is signed in, and whether that is in the region's partition. */
export async function credentialsDiagnosis({ clients, region, profile }: Target): Promise<{
  readonly credentials: Diagnosis;
  /** 12 digits; undefined while nobody is signed in. */
  readonly account: string | undefined;
}> {
  let account: string | undefined;
  const credentials = await diagnose('credentials', async () => {
    const sts = await clients.sts();
    const { Arn = '', Account } = await sts.send(new GetCallerIdentityCommand({}));
    const from = profile === '' ? 'the environment' : `profile ${profile}`;
    const partition = partitionOf(region).name;
    if (!Arn.startsWith(`arn:${partition}:`)) {
      return {
        state: 'red',
        found: `${Arn} by ${from} is of another partition than ${region} (${partition})`,
        next: 'name a profile of that partition by --profile, or correct aws_region',
      };
    }
    account = Account;
    return { state: 'ok', found: `${Arn} by ${from}, region ${region}` };
  });
  return { credentials, account };
}

/** Looks for the network that file-processing finds by its names. */
export function networkDiagnosis({ clients, region, environment }: Target): Promise<Diagnosis> {
  const { vpc_id, foundation_name_prefix } = environment.fileProcessing;
  const next =
    'npm run manage -- apply foundation-network, or check foundation_name_prefix, vpc_id';
  return diagnose('network', async () => {
    const ec2 = await clients.ec2();
    const name = `${foundation_name_prefix}-vpc`;
    const { Vpcs = [] } = await ec2.send(
      new DescribeVpcsCommand({
        Filters: [
          vpc_id === ''
            ? { Name: 'tag:Name', Values: [name] }
            : { Name: 'vpc-id', Values: [vpc_id] },
        ],
      }),
    );
    const wanted = vpc_id || name;
    const [vpc, ...others] = Vpcs;
    if (vpc?.VpcId === undefined || others.length > 0) {
      return { state: 'red', found: `${Vpcs.length} VPCs are ${wanted} in ${region}`, next };
    }
    const { Subnets = [] } = await ec2.send(
      new DescribeSubnetsCommand({
        Filters: [
          { Name: 'vpc-id', Values: [vpc.VpcId] },
          { Name: 'tag:Name', Values: [`${foundation_name_prefix}-private-*`] },
        ],
      }),
    );
    const found = `${wanted} (${vpc.VpcId}) with ${Subnets.length} private subnets`;
    return Subnets.length >= 2 ? { state: 'ok', found } : { state: 'red', found, next };
  });
}

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
