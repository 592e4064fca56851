import { isRegion, type Partition, partitionOf } from './partition.ts';

/** The parts of an Amazon Resource Name. */
export interface Arn {
  readonly partition: Partition['name'];
  readonly service: string;
  /** Empty for what is global. */
  readonly region: string;
  /** Twelve digits; empty for S3, and `aws` for the policies that AWS keeps in IAM. */
  readonly account: string;
  /** All behind the fifth colon. */
  readonly resource: string;
}

/** The parts of the ARN of a topic of Amazon SNS. */
export interface TopicArn {
  /** The whole ARN. */
  readonly arn: string;
  readonly partition: Partition['name'];
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  readonly name: string;
}

const ARN = /^arn:(aws|aws-us-gov|aws-cn):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|(?<=:iam::)aws|):(.+)$/;
const TOPIC_NAME = /^[\w-]{1,256}$/;
const QUEUE_NAME = /^[\w-]{1,80}$/;

/** Accounts of AWS's own registries (Amazon EKS User Guide, "View Amazon container image registries for Amazon EKS add-ons"). */
const ADD_ON_REGISTRIES = [
  ...['602401143452', '013241004608', '151742754352', '918309763551', '961992271922'],
  ...['066635153087', '121268973566', '151610086707', '296578399912', '333609536671'],
  ...['455263428931', '491585149902', '533267051163', '558608220178', '590381155156'],
  ...['730335286997', '759879836304', '761377655185', '800184023465', '877085696533'],
  ...['900612956339', '900889452093'],
];

/** Takes an ARN apart; undefined for what is not an ARN of a partition that we support. */
export function parseArn(text: string): Arn | undefined {
  const [, partition, service = '', region = '', account = '', resource = ''] =
    ARN.exec(text) ?? [];
  if (partition === undefined) return undefined;
  return { partition: partition as Partition['name'], service, region, account, resource };
}

/** Tells ARNs of a service, and of one kind of its resources, in an account. */
export function isArnOf(service: string, resource: RegExp): (text: string) => boolean {
  return (text) => {
    const arn = parseArn(text);
    return arn?.service === service && arn.account !== '' && resource.test(arn.resource);
  };
}

/**
 * Takes the ARN of a standard topic apart. S3 sends to no FIFO topic.
 *
 * Its region must be one of its partition: the host that signs its messages is made from both, and
 * must be one of AWS.
 *
 * @returns undefined where the text is not the ARN of such a topic
 */
export function parseTopicArn(text: string): TopicArn | undefined {
  const arn = regionalArn(text, 'sns', TOPIC_NAME);
  if (arn === undefined) return undefined;
  const { partition, region, account, resource } = arn;
  return { arn: text, partition, region, account, name: resource };
}

/** The topic of a name in an account's region. */
export function topicIn(region: string, account: string, name: string): TopicArn {
  const partition = partitionOf(region).name;
  const arn = `arn:${partition}:sns:${region}:${account}:${name}`;
  return { arn, partition, region, account, name };
}

/** Whether a text is the ARN of a standard queue of Amazon SQS. */
export function isQueueArn(text: string): boolean {
  return regionalArn(text, 'sqs', QUEUE_NAME) !== undefined;
}

/**
 * The accounts whose ARNs and image registries occur in a text, each once. Those of AWS's own registries, which EKS
 * pulls its add-ons from, are not among them.
 */
export function accountsIn(text: string): readonly string[] {
  const arns = text.matchAll(/\barn:(?:aws|aws-us-gov|aws-cn):[a-z0-9-]+:[a-z0-9-]*:(\d{12}):/g);
  const registries = text.matchAll(/\b(\d{12})\.dkr[.-]ecr\b/g);
  const named = [
    ...[...arns].map(([, account = '']) => account),
    ...[...registries]
      .map(([, account = '']) => account)
      .filter((account) => !ADD_ON_REGISTRIES.includes(account)),
  ];
  return [...new Set(named)];
}

/** Whether a text is the ARN of an IAM role, with or without a path. */
export const isRoleArn = isArnOf('iam', /^role\/[\w+=,.@/-]+$/);

function regionalArn(text: string, service: string, name: RegExp): Arn | undefined {
  const arn = parseArn(text);
  if (arn?.service !== service || arn.account === '' || !name.test(arn.resource)) return undefined;
  return isRegion(arn.region) && partitionOf(arn.region).name === arn.partition ? arn : undefined;
}
