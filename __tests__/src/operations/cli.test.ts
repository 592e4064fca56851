import { describe, expect, test } from 'vitest';
import { manage } from '../../support/manage.ts';

const COMMANDS = [...['init', 'plan', 'apply', 'destroy', 'outputs', 'oidc-import', 'kubeconfig']];

test('--help lists every command and the exit codes', async () => {
  const { code, out } = await manage(['--help']);
  expect(code).toBe(0);
  for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(out).toMatch(/^ {2}77 +refused or declined/m);
});

test.each(COMMANDS)('%s --help names the options that every command has', async (command) => {
  const { code, out } = await manage([command, '--help']);
  expect(code).toBe(0);
  for (const option of ['--environment', '--profile', '--region', '--json']) {
    expect(out).toContain(option);
  }
});

test.each([
  ['plan', ['--target', '--var', '--allow-cluster-replacement']],
  ['apply', ['--auto-approve', '--dry-run', '--target', '--var', '--wait']],
  ['destroy', ['--auto-approve', '--dry-run', '--wait']],
  ['oidc-import', ['--dry-run']],
  ['init', ['--upgrade', '--migrate-state']],
])('%s has its own options', async (command, options) => {
  const { out } = await manage([command, '--help']);
  for (const option of options) expect(out).toContain(option);
});

describe('usage ends with 64', () => {
  test.each([
    ['no such command', ['nothing'], "unknown command 'nothing'"],
    ['no such option', ['plan', '--nothing'], "unknown option '--nothing'"],
    ['too many arguments', ['plan', 'file-processing', 'more'], 'too many arguments'],
    [
      'no such stack',
      ['plan', 'network'],
      'foundation-network, postgres-on-demand, file-processing',
    ],
    ['a wait that is not a number', ['apply', '--wait', 'long'], 'A whole number of seconds'],
    ['a variable without a value', ['apply', '--var', 'image'], '--var must be name=value'],
    ['no such environment', ['plan', '--environment', 'prod'], 'environments/prod'],
  ])('%s', async (_, parameters, message) => {
    const { code, out, err } = await manage(parameters);
    expect(err).toContain(message);
    expect(out).toBe('');
    expect(code).toBe(64);
  });
});

test('the environment comes from ENVIRONMENT, where no option names one', async () => {
  const { err } = await manage(['plan'], { env: { ENVIRONMENT: 'prod' } });
  expect(err).toContain('environments/prod');
});

test('an error that nobody foresaw ends with 70', async () => {
  const run = async () => {
    throw new Error('surprise');
  };
  const { code, err } = await manage(['plan', '--profile', ''], { run });
  expect(err).toContain('unexpected error: Error: surprise');
  expect(code).toBe(70);
});

test.each([
  ['manifests', '--outputs-file', 'package.json'],
  ['job-manifest', '--key', 'from_client/a.csv'],
])('a folder that is named and not there is one line and 64: %s', async (...parameters) => {
  const { code, out, err } = await manage([...parameters, '--from', '/nowhere']);
  expect([code, out]).toEqual([64, '']);
  expect(err).toBe('error: /nowhere/manifest.json does not exist; run npm run synth first\n');
});

test("a folder that can't be written is one line, without a stack", async () => {
  const run = async () => {
    throw Object.assign(new Error('EROFS: read-only'), { code: 'EROFS', path: '/srv/clone' });
  };
  const { code, err } = await manage(['plan', '--profile', ''], { run });
  expect(err).toContain("error: /srv/clone can't be used (EROFS)\nnext: ");
  expect(code).toBe(1);
});
