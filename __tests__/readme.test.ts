import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readmeWithTables } from '../src/documentation/readme.ts';
import { ROOT, runMain } from './support/run-main.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const readme = read('README.md');
const help = read('help');
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

/** Names of package.json's scripts that a text runs. */
function scriptsRunBy(text: string): Set<string> {
  const runs = text.matchAll(/npm (?:run (?:--silent )?)?([a-z:]+)/g);
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
