import type { SNSClient } from '@aws-sdk/client-sns';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import {
  BUCKET_DEFAULT,
  type EventOptions,
  eventTarget,
  namedBucket,
  oneBucket,
  withTopicOption,
} from '../topics/event-target.ts';
import { topicAttributes } from '../topics/subscriptions.ts';
import {
  accountSubscribes,
  bucketPublishes,
  mergeStatement,
  type Statement,
} from '../topics/topic-policy.ts';

interface Options extends EventOptions {
  readonly bucket?: string;
  readonly account?: string;
  readonly sid?: string;
  readonly dryRun: boolean;
}

/** `manage sns-set-topic-policy`: allows a bucket to publish to a topic. */
export const snsSetTopicPolicy: Operation<Options> = {
  name: 'sns-set-topic-policy',
  summary:
    'allow a bucket to publish to an existing topic: merge one statement, or print it if another account owns the topic',
  describe: (command) =>
    withTopicOption(command)
      .option('--bucket <name>', `the bucket ${BUCKET_DEFAULT}`)
      .option(
        '--account <id>',
        "the bucket's account (default: ACCOUNT_ID, else that of the tfvars, else the signed-in one)",
      )
      .option('--sid <sid>', "the statement's Sid (default: made from the bucket's name)")
      .option('--dry-run', 'show the difference, set nothing', false),
  execute: async (context, options) => {
    const named = namedBucket(options.bucket, context.env);
    const givenAccount = accountOf(options.account, context.env.ACCOUNT_ID);
    const target = await eventTarget(context, options, (settings) => oneBucket(named, settings));
    const { topic, settings } = target;
    if (target.isMadeByStack) {
      throw new OperationError(
        `the stack owns the policy of ${topic.arn}: Terraform would take back what is set here`,
        {
          code: EXIT.refused,
          next: 'npm run manage -- apply allows the buckets of the tfvars to publish; for a topic of others, give --topic-arn',
        },
      );
    }
    const { name: bucket, account: owner } = oneBucket(named, settings);
    const account = givenAccount ?? (owner || target.account);
    if (topic.account !== target.account) {
      const { arn: topicArn, partition } = topic;
      const { sid } = options;
      return printForOwner(context, options, topic.account, [
        bucketPublishes({ topicArn, partition, bucket, account, ...(sid && { sid }) }),
        accountSubscribes({ topicArn, partition, account: target.account }),
      ]);
    }
    const sns = await target.clients.sns();
    const attributes = await topicAttributes(sns, topic.arn);
    const { arn: topicArn, partition } = topic;
    const { sid } = options;
    const merged = mergeStatement(
      attributes.Policy,
      bucketPublishes({ topicArn, partition, bucket, account, ...(sid && { sid }) }),
    );
    if (attributes.KmsMasterKeyId?.endsWith('alias/aws/sns')) {
      context.stderr.write(
        `warning: ${topicArn} is encrypted with alias/aws/sns, which S3 cannot use: give it a key of your own that s3.amazonaws.com may use\n`,
      );
    }
    if (!merged.unchanged && !options.dryRun) await setPolicy(sns, topicArn, merged.policy);
    const { statement, replaced, unchanged } = merged;
    if (options.json) {
      const result = { topicArn, changed: !unchanged, dryRun: options.dryRun, statement, replaced };
      context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      return EXIT.ok;
    }
    if (replaced) context.stdout.write(`- ${JSON.stringify(replaced)}\n`);
    if (!unchanged) context.stdout.write(`+ ${JSON.stringify(statement)}\n`);
    const outcome = options.dryRun ? 'would change (dry run: nothing was set)' : 'changed';
    context.stdout.write(`${topicArn}: policy ${unchanged ? 'unchanged' : outcome}\n`);
    return EXIT.ok;
  },
};

/** Only the owner of a topic may set its policy: prints what to add to it. */
function printForOwner(
  { stdout, stderr }: OperationContext,
  { json }: Options,
  owner: string,
  statements: readonly Statement[],
): ExitCode {
  stderr.write(
    `the topic is account ${owner}'s: its owner adds these statements to its policy, and lets s3.amazonaws.com use its KMS key (kms:Decrypt, kms:GenerateDataKey*) if it has one\n`,
  );
  const shown = json
    ? { changed: false, statements }
    : { Version: '2012-10-17', Statement: statements };
  stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  return EXIT.ok;
}

function accountOf(option: string | undefined, variable: string | undefined): string | undefined {
  const account = option ?? (variable || undefined);
  if (account === undefined || /^\d{12}$/.test(account)) return account;
  throw new OperationError(
    `${option === undefined ? 'ACCOUNT_ID' : '--account'} ${JSON.stringify(account)} is not an account: twelve digits`,
    { code: EXIT.usage },
  );
}

async function setPolicy(sns: SNSClient, topicArn: string, policy: string): Promise<void> {
  const { SetTopicAttributesCommand } = await import('@aws-sdk/client-sns');
  await sns.send(
    new SetTopicAttributesCommand({
      TopicArn: topicArn,
      AttributeName: 'Policy',
      AttributeValue: policy,
    }),
  );
}
