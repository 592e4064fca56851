import { readdirSync, readFileSync, statSync } from 'node:fs';
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
/** Without the one that npm runs by itself. */
const scripts = Object.keys(JSON.parse(read('package.json')).scripts).filter(
  (name) => name !== 'postinstall',
);
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
  return namesIn(commands, /^ {2}([a-z-]+)/gm).filter((name) => name !== 'help');
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
    expect(namesIn(help, /npx file-processing ([a-z-]+)/g)).toEqual(await listenerCommands());
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

/** Whether a test, or CI, runs a documented command: it is named there as a program's parameter. */
function isRun(name: string): boolean {
  const [program = '', ...words] = name.split(' ');
  const run = RUN_IN[program];
  return run?.as(words).test(textOf(run.in)) ?? false;
}

const asList = (words: readonly string[]) =>
  new RegExp(`\\[\\s*${words.map((word) => `'${word}'`).join(',\\s*')}`);
const asCall = (words: readonly string[]) => new RegExp(`\\w\\(\\[?\\s*'${words[0]}'`);

/** Where the commands of each program are run, and how they are written there. */
const RUN_IN: Readonly<
  Record<string, { in: readonly string[]; as: (words: readonly string[]) => RegExp }>
> = {
  npm: {
    in: ['.ci/run', 'package.json'],
    as: (words) => new RegExp(`npm ${words.join(' (?:--silent )?')}\\b`),
  },
  manage: {
    in: [
      '__tests__/terraform/operations',
      '__tests__/localstack/operations',
      '__tests__/cluster',
      '__tests__/src/operations/commands',
    ],
    as: ([word]) => new RegExp(`(?:manage\\w*\\(|\\[|COMMAND = )\\s*'${word}'`),
  },
  'file-processing': { in: ['__tests__/listener/src/cli'], as: asList },
  cdktf: { in: ['__tests__/terraform'], as: asCall },
  terraform: { in: ['__tests__/terraform/support'], as: asList },
  kubectl: { in: ['__tests__/cluster/support'], as: asList },
  cosign: { in: ['__tests__/cosign'], as: () => /run\(cosign, \[\s*\.\.\.\['verify-blob'/ },
};

/** The text of files, and of all TypeScript below folders. */
function textOf(paths: readonly string[]): string {
  return paths
    .flatMap((path) =>
      statSync(join(ROOT, path)).isFile()
        ? [path]
        : readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
            .filter((file) => file.endsWith('.ts'))
            .map((file) => join(path, file)),
    )
    .map(read)
    .join('\n');
}

/** Commands of the table "Commands that no test runs" in docs/contributing.md, which gives the reasons. */
const notRun = namesIn(
  read('docs/contributing.md').split('## Commands that no test runs')[1] ?? '',
  /^\| `([^`]+)` \| \S/gm,
).map((line) => line.replace(/^npx |^npm run manage -- /, ''));

describe('each command of the pages', () => {
  const names = [...new Set(documented.map(({ command }) => command.name))];

  it('is run by a test, or named as one that none runs', () => {
    expect(names).not.toEqual([]);
    expect(names.filter((name) => !isRun(name)).toSorted()).toEqual(notRun);
  });
});
