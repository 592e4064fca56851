import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../listener/src/config/read-variables.ts';
import { readConfig } from '../../../../listener/src/config.ts';

const NOTHING = { database: false, httpIntake: false };
const GRANTS = '[{"group":"data-team","rights":["look","act"]}]';
const OIDC = {
  CONSOLE_ORIGIN: 'https://console.example.org/',
  CONSOLE_GRANTS: GRANTS,
  CONSOLE_OIDC_ISSUER: 'https://login.example.org/realms/agency',
  CONSOLE_OIDC_CLIENT_ID: 'file-processing',
  CONSOLE_OIDC_CLIENT_SECRET: 's3cret-of-the-client',
};
const PROXY_SECRET = 's3cret-of-the-proxy-0123456789abcdef';
const TOKEN = { name: 'ci', sha256: '0a'.repeat(32), rights: ['look'] };

const consoleOf = (environment: Record<string, string>) => readConfig(environment, NOTHING).console;

function faultsOf(environment: Record<string, string>): string[] {
  try {
    consoleOf(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ variable }) => variable);
    throw error;
  }
}

test('only this machine reaches the console unless another address is named', () => {
  expect(consoleOf({})).toMatchObject({ host: '127.0.0.1', isLocal: true, oidc: undefined });
  expect(consoleOf({ CONSOLE_HOST: '0.0.0.0' })).toMatchObject({ isLocal: false });
  expect(consoleOf({ CONSOLE_HOST: '::1' })).toMatchObject({ isLocal: true });
});

test('a session ends after half an hour without a request, and after twelve', () => {
  expect(consoleOf({})).toMatchObject({ idleSeconds: 1_800, sessionSeconds: 43_200 });
});

describe('signing in at a provider', () => {
  test('takes all of its settings, and shows the secret to nobody', () => {
    const settings = consoleOf(OIDC);
    expect(settings).toMatchObject({
      origin: 'https://console.example.org',
      grants: [{ group: 'data-team', rights: ['look', 'act'] }],
      oidc: { nameClaim: 'email', groupsClaim: 'groups', scopes: 'openid profile email' },
    });
    expect(settings.oidc?.clientSecret.reveal()).toBe(OIDC.CONSOLE_OIDC_CLIENT_SECRET);
    expect(JSON.stringify(settings)).not.toContain('s3cret');
  });

  test('names everything that is missing, at once', () => {
    expect(faultsOf({ CONSOLE_OIDC_ISSUER: OIDC.CONSOLE_OIDC_ISSUER })).toEqual([
      'CONSOLE_ORIGIN',
      'CONSOLE_GRANTS',
      'CONSOLE_OIDC_CLIENT_ID',
      'CONSOLE_OIDC_CLIENT_SECRET',
    ]);
  });

  test('is not asked for by parts of it', () => {
    expect(faultsOf({ CONSOLE_OIDC_CLIENT_ID: 'x', CONSOLE_GRANTS: GRANTS })).toEqual([
      'CONSOLE_OIDC_CLIENT_ID',
      'CONSOLE_GRANTS',
    ]);
  });

  test('goes not together with a proxy that does it', () => {
    expect(faultsOf({ ...OIDC, CONSOLE_PROXY_SECRET: PROXY_SECRET })).toEqual([
      'CONSOLE_PROXY_SECRET',
    ]);
  });
});

test('a proxy that has people sign in needs an origin and grants', () => {
  expect(faultsOf({ CONSOLE_PROXY_SECRET: PROXY_SECRET })).toEqual([
    'CONSOLE_ORIGIN',
    'CONSOLE_GRANTS',
  ]);
});

describe('what is refused', () => {
  test.each([
    ['CONSOLE_HOST', 'localhost'],
    ['CONSOLE_ORIGIN', 'http://console.example.org'],
    ['CONSOLE_ORIGIN', 'https://console.example.org/path'],
    ['CONSOLE_ORIGIN', 'https://user@console.example.org'],
    ['CONSOLE_IDLE_MINUTES', '0'],
    ['CONSOLE_SESSION_HOURS', '169'],
    ['CONSOLE_OIDC_SCOPES', 'email'],
    ['CONSOLE_TOKENS', '[]'],
    ['CONSOLE_TOKENS', JSON.stringify([{ ...TOKEN, sha256: 'a-token-in-the-clear' }])],
    ['CONSOLE_TOKENS', JSON.stringify([{ ...TOKEN, rights: [] }])],
    ['CONSOLE_TOKENS', JSON.stringify([{ ...TOKEN, clients: [] }])],
    ['CONSOLE_TOKENS', JSON.stringify([{ ...TOKEN, client: 'nm' }])],
    ['CONSOLE_TOKENS', JSON.stringify([TOKEN, TOKEN])],
  ])('%s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([name]);
  });

  test.each([
    'not JSON',
    '{}',
    '[null]',
    '[{"rights":["look"]}]',
    '[{"group":"a","user":"b","rights":["look"]}]',
    '[{"group":"a","rights":["look","look"]}]',
    '[{"group":"a","rights":["own"]}]',
    '[{"group":" a","rights":["look"]}]',
    '[{"user":"a\\u202e","rights":["look"]}]',
  ])('CONSOLE_GRANTS=%s', (grants) => {
    expect(faultsOf({ ...OIDC, CONSOLE_GRANTS: grants })).toEqual(['CONSOLE_GRANTS']);
  });

  test.each([
    ['CONSOLE_OIDC_ISSUER', 'http://login.example.org'],
    ['CONSOLE_OIDC_CLIENT_SECRET', 'short'],
  ])('%s=%s, whatever else is right', (name, value) => {
    expect(faultsOf({ ...OIDC, [name]: value })).toEqual([name]);
  });

  test('without a word of a secret', () => {
    const environment = { CONSOLE_PROXY_SECRET: 's3cret', CONSOLE_TOKENS: 's3cret' };
    expect(() => consoleOf(environment)).toThrow(/^(?!.*s3cret)[\s\S]*CONSOLE_PROXY_SECRET/);
  });
});
