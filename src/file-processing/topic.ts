import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { SnsTopic } from '@cdktf/provider-aws/lib/sns-topic/index.js';
import { SnsTopicPolicy } from '@cdktf/provider-aws/lib/sns-topic-policy/index.js';
import { type ITerraformDependable, TerraformLocal } from 'cdktf';
import { Construct } from 'constructs';
import { logDeliveries, topicPolicy } from '../policies/messaging-policies.ts';
import { policyJson } from '../policies/policy-document.ts';
import { trustServiceFor } from '../policies/trust-policies.ts';
import { roleIdentity } from '../stack/role-identity.ts';
import { bucketOwners, type Context, regionalArn } from './context.ts';

/** What the topic depends on. */
export interface TopicProps {
  readonly context: Context;
  /** Key of the messages. */
  readonly keyArn: string;
  /** Key of the log groups. */
  readonly logsKeyArn: string;
}

/** The topic that the messages come from: the stack's own, or one of others. */
export interface EventTopic {
  readonly arn: string;
  /** Name of the stack's own; absent where others watch over the topic. */
  readonly ownName?: string;
  /** S3 and SNS refuse what the topic's policy does not allow yet. */
  readonly dependsOn: readonly ITerraformDependable[];
}

/** A topic that others made and look after: its policy, key, signature and delivery log are theirs. */
export class ExistingTopic extends Construct implements EventTopic {
  readonly arn: string;
  readonly dependsOn = [];

  constructor(scope: Construct, arn: string) {
    super(scope, 'existing-topic');
    // One place for the ARN, so that all that names the topic names the same one.
    this.arn = new TerraformLocal(this, 'existing_topic_arn', arn).asString;
  }
}

/** ARN of the topic, without a reference to it, for what must exist before it. */
export function topicArn(context: Context): string {
  return (
    context.settings.existing_topic_arn ||
    regionalArn(context, 'sns', context.settings.sns_topic_name)
  );
}

/** Names of the log groups in which SNS logs deliveries: those that worked and those that failed. */
export function deliveryLogGroupNames({
  region,
  account,
  settings,
}: Context): readonly [string, string] {
  const name = `sns/${region}/${account}/${settings.sns_topic_name}`;
  return [name, `${name}/Failure`];
}

/** The topic that takes the bucket's event notifications, and the log of its deliveries. */
export class Topic extends Construct implements EventTopic {
  readonly resource: SnsTopic;
  /** S3 refuses a notification to a topic that it may not publish to. */
  readonly policy: SnsTopicPolicy;
  readonly arn: string;
  readonly ownName: string;
  readonly dependsOn: readonly ITerraformDependable[];

  constructor(scope: Construct, { context, keyArn, logsKeyArn }: TopicProps) {
    super(scope, 'topic');
    const { settings } = context;
    const role = feedbackRole(this, context, logsKeyArn);
    this.resource = new SnsTopic(this, 'file_processing', {
      name: settings.sns_topic_name,
      kmsMasterKeyId: keyArn,
      signatureVersion: 2,
      httpSuccessFeedbackRoleArn: role.arn,
      httpSuccessFeedbackSampleRate: 100,
      httpFailureFeedbackRoleArn: role.arn,
      sqsSuccessFeedbackRoleArn: role.arn,
      sqsSuccessFeedbackSampleRate: 100,
      sqsFailureFeedbackRoleArn: role.arn,
    });
    this.policy = new SnsTopicPolicy(this.resource, 'default', {
      arn: this.resource.arn,
      policy: policyJson(topicPolicy(this.resource.arn, bucketOwners(context))),
    });
    this.arn = this.resource.arn;
    this.ownName = this.resource.name;
    this.dependsOn = [this.policy];
  }
}

function feedbackRole(scope: Construct, context: Context, logsKeyArn: string): IamRole {
  const { settings, account } = context;
  const [succeeded, failed] = deliveryLogGroupNames(context);
  const logGroups = { sns_delivered: succeeded, sns_failed: failed };
  for (const [id, name] of Object.entries(logGroups)) {
    new CloudwatchLogGroup(scope, id, {
      name,
      retentionInDays: settings.log_retention_days,
      kmsKeyId: logsKeyArn,
    });
  }
  const role = new IamRole(scope, 'sns_feedback', {
    ...roleIdentity(settings, `${settings.cluster_name}-sns-feedback`),
    description: `Logs how the deliveries of ${settings.sns_topic_name} ended`,
    assumeRolePolicy: policyJson(trustServiceFor('sns.amazonaws.com', account, topicArn(context))),
  });
  new IamRolePolicy(role, 'sns_feedback', {
    name: 'log-deliveries',
    role: role.id,
    policy: policyJson(
      logDeliveries(
        [succeeded, failed].map((name) => regionalArn(context, 'logs', `log-group:${name}`)),
      ),
    ),
  });
  return role;
}
