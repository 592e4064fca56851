import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readmeWithTables } from '../documentation/readme.ts';
import { OPERATIONS } from '../src/operations/operations.ts';
import { ROOT, runMain } from './support/run-main.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const readme = read('README.md');
const help = read('help');
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

/** Names of package.json's scripts that a text runs. */
function scriptsRunBy(text: string): Set<string> {
  const runs = text.matchAll(/npm (?:run (?:--silent )?)?([a-z]+(?::[a-z]+)*)/g);
  return new Set([...runs].map(([, name = '']) => name).filter((name) => name !== 'ci'));
}

/** Commands of cdktf that a text runs, with their stack. */
function cdktfCommandsIn(text: string): Set<string> {
  return new Set(
    [...text.replaceAll(/\s+/g, ' ').matchAll(/npx cdktf ([a-z]+(?: [a-z-]+)?)/g)].map(
      ([, command = '']) => command,
    ),
  );
}

/** Commands of `manage` that a text runs. */
function operationsIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/npm run (?:--silent )?manage -- ([a-z][a-z0-9-]*)/g)].map(
      ([, name = '']) => name,
    ),
  );
}

/** Commands of the listener that a text runs. */
function listenerCommandsIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/npx file-processing ([a-z]+)/g)].map(([, command = '']) => command),
  );
}

/** Commands that the listener's own help lists. */
function listenerCommands(): string[] {
  const program = join(ROOT, 'listener/src/main.ts');
  const { stdout } = spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' });
  const [, commands = ''] = stdout.split(/^Commands:$/m);
  const names = [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help').sort();
}

describe('help', () => {
  it('lists every script of package.json', () => {
    expect([...scriptsRunBy(help)].sort()).toEqual([...scripts].sort());
  });
});

describe('the README', () => {
  it('runs only scripts that there are', () => {
    for (const script of scriptsRunBy(readme)) expect(scripts).toContain(script);
  });

  it('runs only commands of cdktf that help lists', () => {
    const listed = cdktfCommandsIn(help);
    for (const command of cdktfCommandsIn(readme)) expect(listed).toContain(command);
  });

  it('runs only commands of manage that there are, and help lists them all', () => {
    const names = OPERATIONS.map(({ name }) => name).sort();
    expect([...operationsIn(help)].sort()).toEqual(names);
    for (const command of operationsIn(readme)) expect(names).toContain(command);
  });

  it('runs only commands of the listener that there are, and help lists them all', () => {
    const commands = listenerCommands();
    expect([...listenerCommandsIn(help)].sort()).toEqual(commands);
    for (const command of listenerCommandsIn(readme)) expect(commands).toContain(command);
  });

  it('names only files and folders that there are', () => {
    const layout = readme.match(/```\n(main\.ts[^`]*)```/)?.[1] ?? '';
    const paths = layout.split('\n').flatMap((line) => line.split(' ')[0] || []);
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it('has the tables of variables and outputs as they are now (npm run docs)', () => {
    const { json } = runMain({});
    const outputs = {
      'foundation-network': JSON.parse(json['foundation-network']).output,
      'file-processing': JSON.parse(json['file-processing']).output,
    };
    expect(readme).toBe(readmeWithTables(readme, outputs));
  });
});
