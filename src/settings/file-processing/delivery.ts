import { isArnOf, parseTopicArn } from '@file-processing/contract/arn.ts';
import { BUCKET_NAME, isOwnBucketName } from '@file-processing/contract/s3-object.ts';
import { alarmTopic } from '../common-variables.ts';
import { choice, flag, integer, text } from '../variable.ts';
import { DNS_LABEL, isDnsLabel, isHostName, isLabelKey } from './forms.ts';

/** Whether a text is an absolute http or https URL that SNS could deliver to. */
function isEndpointUrl(value: string): boolean {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { username, password, hash } = new URL(value);
  return username === '' && password === '' && hash === '';
}

/** The ways of the messages that are open. */
interface Ways {
  readonly delivery: 'http' | 'sqs';
  readonly both_deliveries: boolean;
}

/** Whether SNS posts to an endpoint: there is a load balancer or an Ingress then. */
export function hasEndpoint({ delivery, both_deliveries }: Ways): boolean {
  return delivery === 'http' || both_deliveries;
}

/** Whether the listener fetches from a queue. */
export function hasQueue({ delivery, both_deliveries }: Ways): boolean {
  return delivery === 'sqs' || both_deliveries;
}

/** How buckets may tell of new objects. */
interface Notifications {
  readonly notification: 'sns' | 'eventbridge';
  readonly both_notifications: boolean;
}

/** Whether a rule of EventBridge sends events of the buckets to the queue. */
export function usesEventBridge({ notification, both_notifications }: Notifications): boolean {
  return notification === 'eventbridge' || both_notifications;
}

/** Whether buckets have event notifications to the topic. */
export function notifiesTopic({ notification, both_notifications }: Notifications): boolean {
  return notification === 'sns' || both_notifications;
}

/** The way of a message from the topic to the listener. */
export const deliveryVariables = {
  sns_topic_name: text({
    description: 'Name of the topic, and the beginning of the names of queues and alarms.',
    default: 'file-processing-topic',
    example: 'file-processing-topic',
    allowed:
      '1 to 68 letters, digits, hyphens and underscores (a FIFO topic takes no S3 notifications; names of queues append to it)',
    accepts: (value) => /^[\w-]{1,68}$/.test(value),
  }),
  existing_topic_arn: text({
    description:
      'Existing topic that the messages come from, in this account or a trusted one. The stack then creates none: policy, key, signature version and delivery log are up to its owner, and no alarm watches it; sns_topic_name still names queues and alarms. An account that is neither account_id nor in trusted_accounts is a finding of the audit.',
    default: '',
    example: 'arn:aws-us-gov:sns:us-gov-west-1:210987654321:new-files',
    allowed: 'the ARN of an SNS standard topic',
    accepts: (value) => parseTopicArn(value) !== undefined,
  }),
  delivery: choice(['http', 'sqs'], {
    description:
      'How the messages reach the listener: posted to a load balancer, or received from a queue, which needs no public endpoint and loses nothing while the listener is unavailable.',
    default: 'http',
    example: 'sqs',
  }),
  both_deliveries: flag({
    description:
      'Keeps both paths open while delivery is switched: endpoint and queue, each with its subscription; delivery says which one stays. A message that comes both ways is judged once. Until the endpoint is subscribed, the audit reports an entry point that nobody uses yet.',
    default: false,
    example: true,
  }),
  notification: choice(['sns', 'eventbridge'], {
    description:
      'How buckets announce new objects: through their event notifications to the topic, or through Amazon EventBridge to the queue, which needs delivery = "sqs" and account_id. Those events are not signed: the policy of the queue says who may send them.',
    default: 'sns',
    example: 'eventbridge',
  }),
  both_notifications: flag({
    description:
      'Keeps both paths open while notification is switched: event notifications to the topic, and the EventBridge rule; notification says which one stays. An object announced both ways is judged once if its bucket keeps versions, or if S3 gives both events one sequencer; otherwise twice.',
    default: false,
    example: true,
  }),
  sns_endpoint_url: text({
    description:
      'URL that SNS posts to. Leave it empty on the first deploy: the load balancer must exist before a name can point at it. Until it is set, the topic without a subscription is a finding of the audit.',
    default: '',
    example: 'https://files.example.gov/',
    allowed: 'an http or https URL without user name, password or fragment',
    accepts: isEndpointUrl,
    unwise: (url) =>
      /^http:/i.test(url)
        ? 'messages travel unencrypted; use https with tls_certificate_arn or an Ingress'
        : undefined,
  }),
  sns_retry_min_delay_seconds: integer(1, 3600, {
    description: 'Shortest wait between two attempts to deliver a message over HTTP.',
    unit: 'seconds',
    default: 5,
    example: 5,
  }),
  sns_retry_max_delay_seconds: integer(1, 3600, {
    description: 'Longest wait between two attempts to deliver a message over HTTP.',
    unit: 'seconds',
    default: 60,
    example: 60,
  }),
  sns_retries: integer(0, 100, {
    description:
      'Attempts after the first one. SNS gives up after an hour in all, so the waits must fit into 3600 seconds.',
    default: 65,
    example: 65,
  }),
  sns_max_receives_per_second: integer(0, 100_000, {
    description: 'Most deliveries a second to the endpoint; 0 sets no limit.',
    unit: 'messages a second',
    default: 0,
    example: 100,
  }),
  sns_confirmation_timeout_minutes: integer(1, 60, {
    description: 'How long a deploy waits for the endpoint to confirm its subscription.',
    unit: 'minutes',
    default: 5,
    example: 5,
  }),
  queue_visibility_timeout_seconds: integer(30, 43_200, {
    description:
      'How long a message received from the queue stays hidden before SQS delivers it again.',
    unit: 'seconds',
    default: 300,
    example: 300,
  }),
  queue_max_receive_count: integer(1, 1000, {
    description: 'Deliveries from the queue before a message goes to the dead-letter queue.',
    default: 5,
    example: 5,
  }),
  alarm_topic_arn: alarmTopic('on lost deliveries'),

  tls_certificate_arn: text({
    description:
      'ACM certificate of the load balancer; with it, it listens on 443 with TLS instead of on 80.',
    default: '',
    example:
      'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of an ACM certificate',
    accepts: isArnOf('acm', /^certificate\/[\w-]+$/),
  }),
  access_logs_bucket: text({
    description:
      "Bucket of the load balancer's access logs (written for TLS listeners only). Empty writes none.",
    default: '',
    example: 'etl-access-logs',
    allowed: BUCKET_NAME,
    accepts: isOwnBucketName,
  }),
  load_balancer_class: text({
    description:
      "Controller that creates the load balancer, for a new Service: service.k8s.aws/nlb is the AWS Load Balancer Controller, which must run in the cluster, eks.amazonaws.com/nlb EKS Auto Mode's; another is a finding of the audit. Empty leaves it to EKS's own, or to what the cluster sets. An existing Service keeps its class, unless manage apply --replace-load-balancer moves to a new one, with a new host name.",
    default: '',
    example: 'service.k8s.aws/nlb',
    allowed:
      "a label's key, such as service.k8s.aws/nlb: an optional DNS name and a slash, then 1 to 63 letters, digits, hyphens, underscores and dots",
    accepts: isLabelKey,
  }),
  ingress_class_name: text({
    description:
      'Class of an Ingress instead of the load balancer, for a cluster that has a controller for it.',
    default: '',
    example: 'alb',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
  ingress_host: text({
    description: 'Host of the Ingress. Empty takes it from sns_endpoint_url.',
    default: '',
    example: 'files.example.gov',
    allowed: 'a host name',
    accepts: isHostName,
  }),
};
