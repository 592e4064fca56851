import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pushRules } from '../../src/operations/commands/rules-push.ts';
import { ruleTextsIn } from '../../src/settings/rules-folder.ts';
import { createTestDatabase } from '../listener/support/postgres.ts';
import {
  OFFICERS,
  type RuleTexts,
  ruleFolder,
  rulesOfBucket,
  SAME_VERDICTS,
} from '../listener/support/rule-sets.ts';
import { createBucket, createTopic, putFile, subscribe } from './support/drop-box.ts';
import { runListenerCommand, startListener } from './support/listener-process.ts';
import { topicArnOf } from './support/localstack.ts';
import { endedRuns } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

/** Puts rules into a bucket of LocalStack as `manage rules-push` does. */
async function pushed(bucket: string, files: RuleTexts): Promise<string> {
  const { s3 } = await sharedLocalStack();
  const prefix = 'file-processing/';
  await pushRules(s3, { bucket, prefix }, ruleTextsIn(await ruleFolder(files)));
  return `s3://${bucket}/${prefix}`;
}

describe.each([
  ['a folder, as setup-localstack prints it', 'folder', ruleFolder],
  ['S3', 's3', (files: RuleTexts) => pushed('rules-of-same-verdicts', files)],
])('a listener that applies the rules of %s', (_, name, locationOf) => {
  // npm start's way and that of the manifests, with the same files: __tests__/listener/local/start.test.ts.
  test.each(SAME_VERDICTS)(
    'gives a %s file in LocalStack the verdict that it has on every way',
    async (kind, text, verdict) => {
      const localStack = await sharedLocalStack();
      const drop = `verdicts-by-${name}-${kind}`;
      await localStack.s3.send(new CreateBucketCommand({ Bucket: 'rules-of-same-verdicts' }));
      const testDatabase = await createTestDatabase('empty');
      onTestFinished(() => testDatabase.drop());
      const settings = {
        ...{ localStack, databaseUrl: testDatabase.url },
        environment: {
          SNS_TOPIC_ARNS: topicArnOf(drop),
          RULES_LOCATION: await locationOf(rulesOfBucket(drop)),
        },
      };
      const listener = await startListener(settings);
      onTestFinished(async () => void (await listener.stop()));
      const topicArn = await createTopic(localStack, drop);
      await subscribe(localStack, topicArn, listener.url);
      await createBucket(localStack, drop, topicArn);
      await putFile(localStack, drop, 'from_client/nm/officers.csv', text);

      const [run] = await endedRuns(testDatabase.database, drop);
      expect(run).toMatchObject({ status: 'finished', verdict, mappingName: 'officers' });
    },
  );
});

test('rules that were pushed to S3 to be tried are rehearsed on what was delivered', async () => {
  const localStack = await sharedLocalStack();
  const bucket = 'rehearsed-deliveries';
  await localStack.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const testDatabase = await createTestDatabase('migrated');
  onTestFinished(() => testDatabase.drop());
  const settings = { localStack, databaseUrl: testDatabase.url };
  const rules = rulesOfBucket(bucket);
  await runListenerCommand(settings, ['rules', 'apply', await ruleFolder(rules)]);
  await putFile(localStack, bucket, 'from_client/nm/officers.csv', 'n\n1\n');
  const object = { bucket: { name: bucket }, object: { key: 'from_client/nm/officers.csv' } };
  const event = JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: object }] });
  await runListenerCommand(settings, ['run', 's3_data_quality_job', '--event-json', event]);

  const place = await pushed(bucket, {
    ...rules,
    'mappings/officers.yaml': { ...OFFICERS, thresholds: { minRows: 0 } },
  });
  const rehearsal = ['rules', 'rehearse', place, '--last', '12'];
  expect(await runListenerCommand(settings, rehearsal)).toContain(
    'in all: 1 judged again, 0 verdicts would change; nothing was recorded',
  );
});
