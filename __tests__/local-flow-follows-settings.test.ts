import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Testing } from 'cdktf';
import { expect, it } from 'vitest';
import { localSettings } from '../listener/local/synthesized-settings.ts';
import { FileProcessingStack } from '../src/file-processing/stack.ts';
import { loadEnvironment } from '../src/settings/environment.ts';

/** What the local flow takes from the stack that a tfvars file is synthesized to. */
function localSettingsOf(tfvars: string) {
  const root = mkdtempSync(join(tmpdir(), 'environment-'));
  const folder = join(root, 'environments/dev');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'foundation_network.tfvars'), '');
  writeFileSync(join(folder, 'file_processing.tfvars'), tfvars);
  const { name, fileProcessing } = loadEnvironment(root, 'dev');
  rmSync(root, { recursive: true });
  const stack = new FileProcessingStack(Testing.app(), 'file-processing', {
    environment: name,
    settings: fileProcessing,
  });
  return localSettings(JSON.parse(Testing.synth(stack)));
}

const BUCKET = 'bucket_name = "drop-box"\ncreate_s3_notifications = true\n';

it.each([
  ['bucket_name = "other-box"\n', 'other-box'],
  [`${BUCKET}s3_prefixes = ["incoming/"]\n`, 'incoming/'],
  [`${BUCKET}s3_suffix = ".tsv"\n`, '.tsv'],
  [`${BUCKET}sns_topic_name = "other-topic"\n`, 'other-topic'],
  [`${BUCKET}worker_concurrency = 7\n`, '"WORKER_CONCURRENCY":"7"'],
  [`${BUCKET}report_prefix = "verdicts/"\n`, '"REPORT_PREFIX":"verdicts/"'],
  [`${BUCKET}report_prefix = ""\n`, '"WRITE_REPORTS":"false"'],
])('what runs locally follows the tfvars line %j', (tfvars, expected) => {
  expect(JSON.stringify(localSettingsOf(BUCKET))).not.toContain(expected);
  expect(JSON.stringify(localSettingsOf(tfvars))).toContain(expected);
});

it('of several buckets each has a folder, with the keys that it is notified of', () => {
  const { buckets } = localSettingsOf(`buckets = [
    { name = "drop-box", create_notifications = true },
    { name = "letter-box", prefixes = ["in/year=2026/", "late/"], suffix = "(1) a.csv", create_notifications = true },
    { name = "their-box", account_id = "210987654321", suffix = ".csv" },
  ]`);
  const suffix = '(1) a.csv';
  expect(buckets).toEqual([
    { name: 'drop-box', filters: [{ prefix: 'from_client/', suffix: '' }] },
    {
      name: 'letter-box',
      filters: [
        { prefix: 'in/year=2026/', suffix },
        { prefix: 'late/', suffix },
      ],
    },
    { name: 'their-box', filters: [{ prefix: 'from_client/', suffix: '.csv' }] },
  ]);
});

it('tells nobody whom the settings name of files that are tried here', () => {
  const { environment } = localSettingsOf(`${BUCKET}
notice_email = "smtp"
notice_email_from = "data-quality@example.gov"
notice_operators = ["data-team@example.gov"]
notice_smtp_host = "smtp.example.gov"
notice_webhook_urls = ["https://tickets.example.gov/hooks"]
notice_topic_arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:notices"
notice_secret_name = "file-processing-notices"
`);
  expect(Object.keys(environment).filter((name) => name.startsWith('NOTICE_'))).toEqual([]);
});
