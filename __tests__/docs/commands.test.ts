import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentationPages } from '../../docs/generate/pages.ts';
import { OPERATIONS } from '../../src/operations/operations.ts';
import { cli } from '../listener/support/cli.ts';
import { manage } from '../support/manage.ts';
import { ROOT } from '../support/run-main.ts';
import { commandsIn, type DocumentedCommand } from './support/commands.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const help = read('help');
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
const pages = documentationPages(ROOT).map(({ path, text }) => ({
  path,
  commands: commandsIn(text),
}));
const documented = pages.flatMap(({ path, commands }) =>
  commands.map((command) => ({ path, command })),
);

/** Names after a prefix that a text runs, such as those of npm's scripts. */
function namesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].sort();
}

/** Names of package.json's scripts that a text runs. */
function scriptsIn(text: string): string[] {
  const names = namesIn(text, /npm (?:run (?:--silent )?)?([a-z]+(?::[a-z]+)*)/g);
  return names.filter((name) => name !== 'ci');
}

/** Documented commands of one program. */
function of(program: string): { path: string; command: DocumentedCommand }[] {
  return documented.filter(({ command }) => command.name.startsWith(`${program} `));
}

/** Commands that the listener's own help lists. */
async function listenerCommands(): Promise<string[]> {
  const { out } = await cli(['--help']);
  const [, commands = ''] = out.split(/^Commands:$/m);
  return namesIn(commands, /^ {2}([a-z]+)/gm).filter((name) => name !== 'help');
}

describe('help', () => {
  it('lists every script of package.json', () => {
    expect(scriptsIn(help)).toEqual(scripts.toSorted());
  });

  it('lists every command of manage', () => {
    const names = OPERATIONS.map(({ name }) => name).sort();
    expect(namesIn(help, /npm run manage -- ([a-z][a-z0-9-]*)/g)).toEqual(names);
  });

  it('lists every command of the listener', async () => {
    expect(namesIn(help, /npx file-processing ([a-z]+)/g)).toEqual(await listenerCommands());
  });
});

describe('the pages run only', () => {
  it('scripts that there are', () => {
    for (const { path, command } of of('npm')) {
      const [script = ''] = scriptsIn(command.name);
      if (command.name !== 'npm ci') expect(scripts, `${path}: ${command.name}`).toContain(script);
    }
  });

  it('commands of cdktf that help lists, with their stack', () => {
    const listed = namesIn(help, /npx (cdktf [a-z]+(?: [a-z-]+)?)/g);
    for (const { path, command } of of('cdktf')) {
      const [stack = ''] = command.parameters;
      expect(listed, path).toContain(`${command.name} ${stack}`.trim());
    }
  });

  it('commands and options of manage that there are', async () => {
    for (const { path, command } of of('manage')) {
      const name = command.name.replace('manage ', '');
      const { code, out } = await manage([name, '--help']);
      expect(code, `${path}: ${command.name}`).toBe(0);
      for (const option of optionsOf(command)) {
        expect(out, `${path}: ${command.name} ${option}`).toContain(option);
      }
    }
  });

  it('commands and options of the listener that there are', async () => {
    for (const { path, command } of of('file-processing')) {
      const words = command.name.split(' ').slice(1);
      const { code, out } = await cli([...words, '--help']);
      expect(code, `${path}: ${command.name}`).toBe(0);
      expect(out, path).toContain(`Usage: ${command.name}`);
      for (const option of optionsOf(command)) {
        expect(out, `${path}: ${command.name} ${option}`).toContain(option);
      }
    }
  });
});

function optionsOf({ parameters }: DocumentedCommand): readonly string[] {
  return parameters.filter((word) => /^--?[a-z]/.test(word));
}

/** Where a test, or CI, runs a documented command: the file names it in this form. */
const RUN_BY: Readonly<Record<string, readonly [file: string, as: string]>> = {
  'npm ci': ['.ci/run', 'npm ci'],
  'npm start': ['.ci/run', 'npm start -- --once'],
  'npm test': ['.ci/run', 'npm test'],
  'npm run audit': ['.ci/run', 'npm run audit'],
  'npm run imports': ['.ci/run', 'npm run imports'],
  'npm run lint': ['.ci/run', 'npm run lint'],
  'npm run synth': ['package.json', '"start": "npm run --silent synth'],
  'npm run test:audit': ['.ci/run', 'npm run test:audit'],
  'npm run test:cluster': ['.ci/run', 'npm run test:cluster'],
  'npm run test:image': ['.ci/run', 'npm run test:image'],
  'npm run test:localstack': ['.ci/run', 'npm run test:localstack'],
  'npm run test:terraform': ['.ci/run', 'npm run test:terraform'],
  'npm run types': ['.ci/run', 'npm run types'],
  'manage apply': ['__tests__/terraform/operations/lifecycle.test.ts', "'apply'"],
  'manage destroy': ['__tests__/terraform/operations/lifecycle.test.ts', "'destroy'"],
  'manage doctor': ['__tests__/terraform/operations/doctor.test.ts', "'doctor'"],
  'manage ecr-put': ['__tests__/terraform/operations/ecr-put.test.ts', "'ecr-put'"],
  'manage init': ['__tests__/terraform/operations/lifecycle.test.ts', "'init'"],
  'manage job-manifest': ['__tests__/cluster/job.test.ts', "'job-manifest'"],
  'manage manifests': ['__tests__/src/operations/commands/manifests.test.ts', "'manifests'"],
  'manage oidc-import': ['__tests__/terraform/operations/oidc-import.test.ts', "'oidc-import'"],
  'manage oidc-thumbprint': [
    '__tests__/src/operations/commands/oidc-thumbprint.test.ts',
    "'oidc-thumbprint'",
  ],
  'manage outputs': ['__tests__/terraform/operations/lifecycle.test.ts', "'outputs'"],
  'manage plan': ['__tests__/terraform/operations/lifecycle.test.ts', "'plan'"],
  'manage rollout': ['__tests__/cluster/operations/rollout.test.ts', "'rollout'"],
  'manage s3-configure-notifications': [
    '__tests__/terraform/operations/s3-configure-notifications.test.ts',
    "'s3-configure-notifications'",
  ],
  'manage setup-localstack': [
    '__tests__/localstack/operations/setup-localstack.test.ts',
    "'setup-localstack'",
  ],
  'manage sns-probe': ['__tests__/terraform/operations/sns-probe.test.ts', "'sns-probe'"],
  'manage sns-publish': ['__tests__/terraform/operations/sns-publish.test.ts', "'sns-publish'"],
  'manage sns-set-topic-policy': [
    '__tests__/terraform/operations/sns-set-topic-policy.test.ts',
    "'sns-set-topic-policy'",
  ],
  'manage sns-subscribe': [
    '__tests__/localstack/operations/sns-subscribe.test.ts',
    "'sns-subscribe'",
  ],
  'manage update-image': ['__tests__/terraform/operations/update-image.test.ts', "'update-image'"],
  'manage verify-irsa': ['__tests__/src/operations/commands/verify-irsa.test.ts', "'verify-irsa'"],
  'file-processing check': ['__tests__/listener/src/cli/check.test.ts', "'check'"],
  'file-processing migrate': ['__tests__/listener/src/cli/migrate.test.ts', "'migrate'"],
  'file-processing run': ['__tests__/listener/src/cli/run.test.ts', "'run'"],
  'file-processing runs list': ['__tests__/listener/src/cli/run.test.ts', "'runs', 'list'"],
  'file-processing runs show': ['__tests__/listener/src/cli/run.test.ts', "'runs', 'show'"],
  'file-processing seed': ['__tests__/listener/src/cli/seed.test.ts', "'seed'"],
  'file-processing serve': ['__tests__/listener/src/cli/serve.test.ts', "'serve'"],
  'file-processing validate': ['__tests__/listener/src/cli/validate.test.ts', "'validate'"],
  'cdktf deploy': ['__tests__/terraform/etl-playground.test.ts', "'deploy'"],
  'cdktf destroy': ['__tests__/terraform/etl-playground.test.ts', "'destroy'"],
  'terraform import': ['__tests__/terraform/support/terraform.ts', "'import'"],
  'terraform init': ['__tests__/terraform/support/terraform.ts', "'init'"],
  'terraform plan': ['__tests__/terraform/support/terraform.ts', "'plan'"],
  'kubectl apply': ['__tests__/cluster/support/kubectl.ts', "'apply'"],
};

/** Commands of the table "Commands that no test runs" in docs/contributing.md, which gives the reasons. */
const notRun = namesIn(
  read('docs/contributing.md').split('## Commands that no test runs')[1] ?? '',
  /^\| `([^`]+)` \| \S/gm,
).map((line) => line.replace(/^npx |^npm run manage -- /, ''));

describe('each command of the pages', () => {
  it('is run by a test, or named as one that none runs', () => {
    const names = new Set(documented.map(({ command }) => command.name));
    expect(names.size).toBeGreaterThan(30);
    for (const name of names) {
      expect([...Object.keys(RUN_BY), ...notRun], 'its test, or the reason').toContain(name);
    }
    for (const name of [...Object.keys(RUN_BY), ...notRun]) {
      expect([...names], 'a page that has it').toContain(name);
    }
  });

  it('is not both run by a test and named as one that none runs', () => {
    expect(notRun.filter((name) => name in RUN_BY)).toEqual([]);
  });

  it.each(Object.entries(RUN_BY))('%s is named where it is run', (_, [file, as]) => {
    expect(read(file)).toContain(as);
  });
});
