import { describe, expect, it } from 'vitest';
import { checkNotices } from '../../../src/settings/check-notices.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { fileProcessingSettings } from '../../support/settings.ts';

type Overrides = Partial<FileProcessingSettings>;

const SES: Overrides = { notice_email: 'ses', notice_email_from: 'data@etl.example.gov' };
const SMTP: Overrides = { ...SES, notice_email: 'smtp', notice_smtp_host: 'smtp.example.gov' };
const HOOK: Overrides = {
  notice_webhook_urls: ['https://tickets.example.gov/x'],
  notice_secret_name: 'notices',
};
const topic = (name: string) => `arn:aws-us-gov:sns:us-gov-west-1:123456789012:${name}`;
const KEY = 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/abc';

const check = (overrides: Overrides) => checkNotices({ ...fileProcessingSettings(), ...overrides });

describe('notices', () => {
  it.each([
    ['none', {}],
    ['SES as the domain of the sender', SES],
    ['SES as a domain above it', { ...SES, notice_ses_identity: 'example.gov' }],
    ['SES as the sender', { ...SES, notice_ses_identity: 'data@etl.example.gov' }],
    ['an SMTP server', SMTP],
    ['a webhook', { ...HOOK, notice_webhook_private_hosts: ['tickets.example.gov'] }],
    ['a topic with its key', { notice_topic_arn: topic('n'), notice_topic_kms_key_arn: KEY }],
  ] satisfies [string, Overrides][])('may go by %s', (_way, overrides) => {
    expect(check(overrides)).toEqual([]);
  });

  it.each([
    ['operators without a way', { notice_operators: ['a@b.gov'] }, 'notice_operators'],
    ['a sender without a way', { notice_email_from: 'a@b.gov' }, 'notice_email_from'],
    ['no sender', { notice_email: 'ses' }, 'notice_email_from'],
    ['no server', { ...SMTP, notice_smtp_host: '' }, 'notice_smtp_host'],
    ['a server beside SES', { ...SES, notice_smtp_host: 'smtp.example.gov' }, 'notice_smtp_host'],
    ['an identity of others', { ...SES, notice_ses_identity: 'other.gov' }, 'notice_ses_identity'],
    [
      'an identity of half a label',
      { ...SES, notice_ses_identity: 'l.example.gov' },
      'notice_ses_identity',
    ],
    [
      'an identity without SES',
      { ...SMTP, notice_ses_identity: 'example.gov' },
      'notice_ses_identity',
    ],
    ['a webhook without a secret', { ...HOOK, notice_secret_name: '' }, 'notice_secret_name'],
    [
      'a private host of none',
      { ...HOOK, notice_webhook_private_hosts: ['b.gov'] },
      'notice_webhook_private_hosts',
    ],
    ['a key without its topic', { notice_topic_kms_key_arn: KEY }, 'notice_topic_kms_key_arn'],
    [
      'the topic of deliveries',
      { notice_topic_arn: topic('file-processing-topic') },
      'notice_topic_arn',
    ],
    [
      'that of others',
      { existing_topic_arn: topic('n'), notice_topic_arn: topic('n') },
      'notice_topic_arn',
    ],
  ] satisfies [string, Overrides, string][])('may not have %s', (_what, overrides, variable) => {
    expect(check(overrides).map((finding) => finding.variable)).toEqual([variable]);
  });
});
