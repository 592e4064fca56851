import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../listener/src/config/read-variables.ts';
import { readConfig } from '../../../../listener/src/config.ts';

const NOTHING = { database: false, httpIntake: false };
const MAIL = {
  NOTICE_EMAIL: 'smtp',
  NOTICE_EMAIL_FROM: 'data-quality@example.org',
  NOTICE_SMTP_HOST: 'smtp.example.org',
};

const noticesOf = (environment: Record<string, string>) => readConfig(environment, NOTHING).notices;

function faultsOf(environment: Record<string, string>): unknown[] {
  try {
    readConfig(environment, NOTHING);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ variable }) => variable);
    throw error;
  }
}

test('all ways are off unless they are asked for', () => {
  expect(noticesOf({})).toMatchObject({ isOn: false, mail: undefined });
});

describe('e-mail by SMTP', () => {
  test('needs a sender and a server', () => {
    expect(noticesOf(MAIL)).toMatchObject({
      isOn: true,
      mail: { from: 'data-quality@example.org', smtp: { host: 'smtp.example.org', port: 587 } },
    });
    expect(faultsOf({ NOTICE_EMAIL: 'smtp' })).toEqual(['NOTICE_EMAIL_FROM', 'NOTICE_SMTP_HOST']);
  });

  test('signs in with both user and password, and shows the password to nobody', () => {
    const notices = noticesOf({ ...MAIL, NOTICE_SMTP_USER: 'u', NOTICE_SMTP_PASSWORD: 'pass' });
    expect(notices.mail?.smtp?.password?.reveal()).toBe('pass');
    expect(JSON.stringify(notices)).not.toContain('pass"');
    expect(faultsOf({ ...MAIL, NOTICE_SMTP_USER: 'u' })).toEqual(['NOTICE_SMTP_USER']);
  });

  test('has plain addresses alone, whose line nothing can end', () => {
    const operators = (value: string) => faultsOf({ ...MAIL, NOTICE_OPERATORS: value });
    expect(operators('a@example.org,b@example.org')).toEqual([]);
    expect(operators('A <a@example.org>')).toEqual(['NOTICE_OPERATORS']);
    expect(operators('a@example.org\r\nBcc: b@example.org')).toEqual(['NOTICE_OPERATORS']);
  });

  test('that is set up and not switched on is a fault', () => {
    const { NOTICE_EMAIL: _, ...rest } = MAIL;
    expect(faultsOf(rest)).toEqual(['NOTICE_EMAIL_FROM', 'NOTICE_SMTP_HOST']);
  });
});

test('only known states are told of', () => {
  expect(noticesOf({ NOTICE_STATES: 'failed,warned' }).states).toEqual(['failed', 'warned']);
  expect(faultsOf({ NOTICE_STATES: 'failed,lost' })).toEqual(['NOTICE_STATES']);
});

describe('e-mail by SES', () => {
  const SES = { NOTICE_EMAIL: 'ses', NOTICE_EMAIL_FROM: 'a@example.org', AWS_REGION: 'us-east-1' };

  test('needs a region and no server', () => {
    expect(noticesOf(SES).mail).toEqual({ from: 'a@example.org', smtp: undefined });
    const { AWS_REGION: _, ...rest } = SES;
    expect(faultsOf({ ...rest, NOTICE_SMTP_HOST: 'smtp.example.org' })).toEqual([
      'AWS_REGION',
      'NOTICE_SMTP_HOST',
    ]);
  });
});

describe('webhooks', () => {
  const HOOK = {
    NOTICE_WEBHOOK_URLS: 'https://a.example.org/x,http://127.0.0.1:8000/',
    NOTICE_WEBHOOK_SECRETS: `whsec_${'a'.repeat(32)}`,
  };
  const secrets = (value: string) => faultsOf({ ...HOOK, NOTICE_WEBHOOK_SECRETS: value });

  test('need a secret', () => {
    expect(noticesOf(HOOK)).toMatchObject({ isOn: true, webhook: { privateHosts: [] } });
    expect(faultsOf({ NOTICE_WEBHOOK_URLS: 'https://a.example.org/' })).toEqual([
      'NOTICE_WEBHOOK_SECRETS',
    ]);
    const { NOTICE_WEBHOOK_URLS: _, ...rest } = HOOK;
    expect(faultsOf(rest)).toEqual(['NOTICE_WEBHOOK_SECRETS']);
  });

  test('may have two secrets while they are changed, of 24 to 64 bytes', () => {
    const [old, young] = [`whsec_${'a'.repeat(32)}`, `whsec_${'b'.repeat(86)}==`];
    expect(secrets(`${young} ${old}`)).toEqual([]);
    for (const wrong of ['a'.repeat(32), `whsec_${'a'.repeat(28)}`, `whsec_${'a'.repeat(31)}`]) {
      expect(secrets(wrong)).toEqual(['NOTICE_WEBHOOK_SECRETS']);
    }
    expect(JSON.stringify(noticesOf(HOOK))).not.toContain('aaaa');
  });

  test.each([
    ...['http://a.example.org/', 'https://user:pass@a.example.org/', 'https://a.example.org/?t=1'],
    ...['ftp://a.example.org/', 'a.example.org'],
  ])('go to no address such as %s', (url) => {
    expect(faultsOf({ ...HOOK, NOTICE_WEBHOOK_URLS: url })).toEqual(['NOTICE_WEBHOOK_URLS']);
  });

  test('have private hosts among their own alone', () => {
    const hosts = (value: string) => faultsOf({ ...HOOK, NOTICE_WEBHOOK_PRIVATE_HOSTS: value });
    expect(hosts('a.example.org')).toEqual([]);
    expect(hosts('b.example.org')).toEqual(['NOTICE_WEBHOOK_PRIVATE_HOSTS']);
  });
});

test('the topic of notices is none whose messages are taken', () => {
  const arn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
  const environment = { NOTICE_TOPIC_ARN: arn('notices'), SNS_TOPIC_ARNS: arn('files') };
  expect(noticesOf(environment)).toMatchObject({ isOn: true, topic: { name: 'notices' } });
  expect(faultsOf({ ...environment, SNS_TOPIC_ARNS: arn('notices') })).toEqual([
    'NOTICE_TOPIC_ARN',
  ]);
});
