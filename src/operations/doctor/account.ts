import {
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type Filter,
} from '@aws-sdk/client-ec2';
import {
  GetBucketNotificationConfigurationCommand,
  HeadBucketCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { GetAccountCommand, GetEmailIdentityCommand } from '@aws-sdk/client-sesv2';
import { GetTopicAttributesCommand, ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { TopicArn } from '@file-processing/contract/arn.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { type Bucket, bucketsOf } from '../../settings/buckets.ts';
import {
  privateSubnetFilters,
  privateSubnetsWanted,
  vpcName,
} from '../../settings/existing-network.ts';
import { hasEndpoint, hasQueue, usesEventBridge } from '../../settings/file-processing/delivery.ts';
import { sesIdentity } from '../../settings/file-processing/notices.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { Target } from '../target.ts';
import {
  type DeadLetters,
  deadLettersOf,
  deliveryQueueOf,
  queueDepth,
} from '../topics/dead-letter-queue.ts';
import { depthText, messagesIn, queueName } from '../topics/queue-drain.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** The tag of subnets for load balancers that face the internet (Amazon EKS User Guide, "VPC and subnet requirements"). */
const PUBLIC_ROLE = 'kubernetes.io/role/elb';

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
        found: `${Arn} by ${from} belongs to another partition than ${region} (${partition})`,
        next: 'name a profile of that partition by --profile, or correct aws_region',
      };
    }
    account = Account;
    return { state: 'ok', found: `${Arn} by ${from}, region ${region}` };
  });
  return { credentials, account };
}

/** Looks for the network that file-processing finds: its VPC, private subnets in two zones, and a place for the load balancer. */
export function networkDiagnosis({ clients, region, environment }: Target): Promise<Diagnosis> {
  const settings = environment.fileProcessing;
  const { vpc_id } = settings;
  return diagnose('network', async () => {
    if (!settings.create_cluster) {
      return { state: 'skipped', found: 'belongs to the cluster, which others own' };
    }
    const ec2 = await clients.ec2();
    const wanted = vpc_id || vpcName(settings);
    const { Vpcs = [] } = await ec2.send(
      new DescribeVpcsCommand({
        Filters: [{ Name: vpc_id === '' ? 'tag:Name' : 'vpc-id', Values: [wanted] }],
      }),
    );
    const [vpc, ...others] = Vpcs;
    if (vpc?.VpcId === undefined || others.length > 0) {
      const next =
        vpc_id === ''
          ? 'npm run manage -- apply foundation-network, or check foundation_name_prefix'
          : 'check vpc_id and aws_region';
      return { state: 'red', found: `${Vpcs.length} VPCs are ${wanted} in ${region}`, next };
    }
    const subnetsWith = async (filters: readonly Filter[]) => {
      const { Subnets = [] } = await ec2.send(
        new DescribeSubnetsCommand({
          Filters: [{ Name: 'vpc-id', Values: [vpc.VpcId ?? ''] }, ...filters],
        }),
      );
      return Subnets;
    };
    const subnets = await subnetsWith(
      privateSubnetFilters(settings).map(({ name, values }) => ({ Name: name, Values: values })),
    );
    const zones = new Set(subnets.map(({ AvailabilityZone }) => AvailabilityZone));
    const { count, exactly, problem, next } = privateSubnetsWanted(settings);
    if (exactly ? subnets.length !== count : subnets.length < count) {
      return { state: 'red', found: `${problem}: there are ${subnets.length}`, next };
    }
    const found = `${wanted} (${vpc.VpcId}) with ${subnets.length} private subnets`;
    if (zones.size < 2) {
      return {
        state: 'red',
        found: `${found}, all in ${[...zones][0]}: EKS needs two zones`,
        next,
      };
    }
    return await judgePlace(ec2, settings, vpc.VpcId, found);
  });
}

/** Judges whether the load balancer, where there is one, finds public subnets in a VPC. */
export async function judgePlace(
  ec2: EC2Client,
  settings: FileProcessingSettings,
  vpcId: string,
  found: string,
): Promise<Omit<Diagnosis, 'name'>> {
  if (!hasEndpoint(settings) || settings.ingress_class_name !== '') return { state: 'ok', found };
  const { Subnets = [] } = await ec2.send(
    new DescribeSubnetsCommand({
      Filters: [
        { Name: 'vpc-id', Values: [vpcId] },
        { Name: 'tag-key', Values: [PUBLIC_ROLE] },
      ],
    }),
  );
  if (Subnets.length > 0) return { state: 'ok', found };
  return {
    state: 'warn',
    found: `${found}, but no subnet has the tag ${PUBLIC_ROLE}: the load balancer has no subnet to use`,
    next: `tag the public subnets with ${PUBLIC_ROLE} = 1, one a zone`,
  };
}

/** Looks for messages in the queue that the listener fetches from, or fetched from before delivery was switched. */
function queueDiagnosis(
  clients: AwsClients,
  settings: FileProcessingSettings,
  arn: string,
): Promise<Diagnosis> {
  return diagnose('queue', async () => {
    const depth = await queueDepth(await clients.sqs(), arn);
    const name = queueName(arn);
    if (depth === undefined) {
      return hasQueue(settings)
        ? { state: 'red', found: `there is no ${name}`, next: 'npm run manage -- apply' }
        : { state: 'ok', found: 'none, and none is needed' };
    }
    const found = `${name}: ${depthText(depth)}`;
    if (depth.problem !== undefined) return { state: 'red', found };
    if (hasQueue(settings)) return { state: 'ok', found };
    return {
      state: 'warn',
      found: `left by a switch of delivery; nothing fetches from it: ${found}`,
      next:
        messagesIn(depth) === 0
          ? 'npm run manage -- queue-delete'
          : 'set both_deliveries = true and apply, so that the listener fetches them; then npm run manage -- queue-delete',
    };
  });
}

/** Counts what waits in a dead-letter queue. */
function deadLettersDiagnosis(
  clients: AwsClients,
  { arn, holds }: DeadLetters,
): Promise<Diagnosis> {
  const name = queueName(arn);
  return diagnose('dead letters', async () => {
    const depth = await queueDepth(await clients.sqs(), arn);
    if (depth === undefined) {
      return { state: 'red', found: `there is no ${name}`, next: 'npm run manage -- apply' };
    }
    const found = `${name}, for ${holds}: ${depthText(depth)}`;
    if (depth.problem !== undefined) return { state: 'red', found };
    if (messagesIn(depth) === 0) return { state: 'ok', found };
    return { state: 'warn', found, next: 'npm run manage -- sqs-redrive has them processed again' };
  });
}

/**
 * Looks at the way of a file: its bucket, the queues, then the topic and who is subscribed.
 *
 * @param ownTopic - gives the queues their names, whoever makes the topic
 */
export function deliveryDiagnoses(
  { clients, environment, region }: Target,
  topicArn: string,
  ownTopic: TopicArn,
): readonly Promise<Diagnosis>[] {
  const settings = environment.fileProcessing;
  const { existing_topic_arn } = settings;
  const buckets = bucketsOf(settings);
  return [
    ...buckets.map((bucket) => {
      const name = buckets.length === 1 ? 'bucket' : `bucket ${bucket.name}`;
      return diagnose(
        name,
        async () => await lookAtBucket(await clients.s3(), bucket, { region, settings }),
      );
    }),
    queueDiagnosis(clients, settings, deliveryQueueOf(ownTopic)),
    ...deadLettersOf(settings, ownTopic).map((one) => deadLettersDiagnosis(clients, one)),
    diagnose('topic', async () => {
      const sns = await clients.sns();
      const answer = await sns
        .send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn }))
        .catch((error) => {
          if (error.name === 'NotFoundException') return undefined;
          throw error;
        });
      if (answer === undefined) {
        const next = existing_topic_arn
          ? 'correct existing_topic_arn, or ask its owner to create it'
          : 'npm run manage -- apply';
        return { state: 'red', found: `there is no ${topicArn}`, next };
      }
      if (existing_topic_arn) {
        const command = new GetTopicAttributesCommand({ TopicArn: topicArn });
        const { SignatureVersion = '1' } = (await sns.send(command)).Attributes ?? {};
        if (SignatureVersion !== '2') {
          return {
            state: 'red',
            found: `${topicArn} signs with version ${SignatureVersion}, SHA-1, which the listener refuses`,
            next: `its owner: aws sns set-topic-attributes --topic-arn ${topicArn} --attribute-name SignatureVersion --attribute-value 2`,
          };
        }
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

async function lookAtBucket(
  s3: S3Client,
  { name, account, createNotifications }: Bucket,
  { region, settings }: { readonly region: string; readonly settings: FileProcessingSettings },
): Promise<Omit<Diagnosis, 'name'>> {
  const owner = account === '' ? {} : { ExpectedBucketOwner: account };
  const answer = await s3
    .send(new HeadBucketCommand({ Bucket: name, ...owner }))
    .catch((error: Error) => {
      if (error.name === 'NotFound' || (account !== '' && error.name === '403')) return error.name;
      throw error;
    });
  if (answer === '403') {
    return {
      state: 'skipped',
      found: `${name} is not shown to you: account ${account}, if it owns it, lets the listener in`,
      next: 'npm run manage -- verify-irsa looks from a pod of the listener',
    };
  }
  if (typeof answer === 'string') {
    const next =
      account === ''
        ? 'the stack does not make it: create it, or correct bucket_name or buckets'
        : `account ${account} has to make it; or correct buckets`;
    return { state: 'red', found: `there is no bucket ${name}`, next };
  }
  const found = answer.BucketRegion ?? region;
  if (found !== region) {
    return {
      state: 'red',
      found: `${name} is in ${found}, not in ${region}`,
      next: 'S3 notifies topics of its own region only: correct aws_region, or name another bucket',
    };
  }
  if (usesEventBridge(settings)) {
    const command = new GetBucketNotificationConfigurationCommand({ Bucket: name, ...owner });
    const { EventBridgeConfiguration } = await s3.send(command);
    if (EventBridgeConfiguration === undefined) {
      return {
        state: 'red',
        found: `${name} sends no events to EventBridge`,
        next: createNotifications
          ? 'npm run manage -- apply'
          : 'npm run manage -- s3-configure-notifications --eventbridge, or have its owner switch it on',
      };
    }
  }
  return { state: 'ok', found: name };
}

/** Looks at the ways out of notices that AWS knows: whoever is told by them hears nothing where they are not ready. */
export function noticeDiagnoses({
  clients,
  environment,
  region,
}: Pick<Target, 'clients' | 'environment' | 'region'>): readonly Promise<Diagnosis>[] {
  const settings = environment.fileProcessing;
  const { notice_email, notice_topic_arn } = settings;
  return [
    ...(notice_email === 'ses'
      ? [
          diagnose('SES identity', () => lookAtIdentity(clients, sesIdentity(settings), region)),
          diagnose('SES account', () => lookAtSesAccount(clients, region)),
        ]
      : []),
    ...(notice_topic_arn === ''
      ? []
      : [diagnose('topic of notices', () => lookAtNoticeTopic(clients, notice_topic_arn))]),
  ];
}

async function lookAtIdentity(
  clients: AwsClients,
  identity: string,
  region: string,
): Promise<Omit<Diagnosis, 'name'>> {
  const ses = await clients.sesv2();
  const answer = await ses
    .send(new GetEmailIdentityCommand({ EmailIdentity: identity }))
    .catch((error: Error) => {
      if (error.name === 'NotFoundException') return undefined;
      throw error;
    });
  if (answer === undefined) {
    const next = `aws sesv2 create-email-identity --email-identity ${identity}, and prove that it is yours; or correct notice_email_from, notice_ses_identity`;
    return { state: 'red', found: `SES has no identity ${identity} in ${region}`, next };
  }
  if (answer.VerifiedForSendingStatus !== true) {
    return {
      state: 'red',
      found: `${identity} is not verified: SES refuses each mail`,
      next: identity.includes('@')
        ? 'open the link in the mail that SES has sent to it'
        : 'publish the DKIM records that SES shows for it',
    };
  }
  return { state: 'ok', found: `${identity} is verified` };
}

/** A new account is in the sandbox of each region (Amazon SES Developer Guide, "Request production access"). */
async function lookAtSesAccount(
  clients: AwsClients,
  region: string,
): Promise<Omit<Diagnosis, 'name'>> {
  const { ProductionAccessEnabled, SendingEnabled, SendQuota } = await (await clients.sesv2()).send(
    new GetAccountCommand({}),
  );
  if (SendingEnabled === false) {
    const next = 'the console of SES says why, under "Account dashboard"';
    return { state: 'red', found: `SES sends nothing for this account in ${region}`, next };
  }
  const quota =
    SendQuota?.Max24HourSend === undefined ? '' : `, ${SendQuota.Max24HourSend} mails a day`;
  if (ProductionAccessEnabled !== true) {
    return {
      state: 'warn',
      found: `in the sandbox in ${region}${quota}: each recipient must be a verified identity too`,
      next: 'aws sesv2 put-account-details asks for production access; until then verify notice_operators and contacts',
    };
  }
  return { state: 'ok', found: `out of the sandbox in ${region}${quota}` };
}

async function lookAtNoticeTopic(
  clients: AwsClients,
  arn: string,
): Promise<Omit<Diagnosis, 'name'>> {
  const sns = await clients.sns();
  const answer = await sns
    .send(new GetTopicAttributesCommand({ TopicArn: arn }))
    .catch((error: Error) => {
      if (error.name === 'NotFoundException') return undefined;
      throw error;
    });
  if (answer === undefined) {
    const next = 'correct notice_topic_arn, or ask its owner to create it';
    return { state: 'red', found: `there is no ${arn}`, next };
  }
  const { SubscriptionsConfirmed = '0' } = answer.Attributes ?? {};
  return { state: 'ok', found: `${arn}: ${SubscriptionsConfirmed} subscribed` };
}
