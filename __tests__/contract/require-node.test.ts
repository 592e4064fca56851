import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/run-main.ts';

const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
).scripts;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a command of the checkout in a Node.js that says it is of this version. */
async function runOn(version: string, command: string) {
  const pretend = join(folder, `${version}.cjs`);
  const versions = `{ ...process.versions, node: '${version}' }`;
  await writeFile(pretend, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
  const env = { PATH: process.env.PATH, NODE_OPTIONS: `--require ${pretend}` };
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const CHECK = 'node -r ./contract/require-node.cjs';

test.each(['18.0.0', '20.20.2', '24.21.0', '25.9.0'])(
  'Node.js %s is refused in one line',
  async (version) => {
    expect(await runOn(version, `${CHECK} -p 1`)).toEqual({
      code: 2,
      stdout: '',
      stderr: `Node.js 26 or newer is needed and this is ${version}: run npm ci without --omit=optional, or install a newer Node.js\n`,
    });
  },
);

test.each(['26.0.0', '26.10.0', '100.0.0'])('Node.js %s is taken', async (version) => {
  expect(await runOn(version, `${CHECK} -p 1`)).toEqual({ code: 0, stdout: '1\n', stderr: '' });
});

describe('before any TypeScript', () => {
  const programs = Object.entries(SCRIPTS).filter(([, script]) => /\bnode .*\.ts\b/.test(script));

  test('there are scripts that run TypeScript', () => {
    expect(programs.length).toBeGreaterThanOrEqual(7);
  });

  test.each(programs)('npm run %s checks the version first', (_, script) => {
    // What begins with a synthesis is checked by that.
    expect(script).toMatch(
      /^(npm run --silent synth |(\S+=\S+ )?node -r \.\/contract\/require-node\.cjs )/,
    );
  });

  test.each([
    ['npm start', SCRIPTS.start ?? ''],
    ['npx file-processing', 'node listener/bin/file-processing.cjs --help'],
    ['npm test', 'node node_modules/vitest/vitest.mjs list --project unit __tests__/nothing'],
  ])('%s checks it', async (_, command) => {
    const { code, stderr } = (await runOn('20.20.2', command)) as { code: number; stderr: string };
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^Node\.js 26 or newer .*\n$/)]);
  });
});
