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
