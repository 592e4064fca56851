import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './support/run-main.ts';

const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const root = read('package.json');
const lock = read('package-lock.json');

test('one version of Node.js comes to every platform', () => {
  const versions = Object.entries<string>(root.optionalDependencies)
    .filter(([name]) => name.startsWith('node-'))
    .map(([, version]) => version);
  expect(versions).toHaveLength(5);
  expect(new Set(versions).size).toBe(1);
});

test('npm ci on Node.js 20 has no reason to warn about our own packages', () => {
  expect(root.engines).toEqual({ node: '>=20' });
  for (const workspace of root.workspaces) {
    expect(read(`${workspace}/package.json`)).not.toHaveProperty('engines');
    expect(lock.packages[workspace]).not.toHaveProperty('engines');
  }
});

test('the lock file names no host that packages come from', () => {
  const places = Object.values<{ resolved?: string }>(lock.packages).map(
    ({ resolved }) => resolved,
  );
  expect(new Set(places)).toEqual(new Set([undefined, ...root.workspaces]));
});

test('the cdktf CLI runs what npm run synth runs, on the Node.js of the project', () => {
  expect(read('cdktf.json').app).toBe(`PATH=node_modules/.bin:$PATH ${root.scripts.synth}`);
});

test.each([
  ['@sentry/node', '@sentry/minimal'],
  ['jsii-rosetta', '@favware/skip-dependency'],
  ['yoga-layout-prebuilt', '@react-pdf/yoga'],
])('what the cdktf CLI loads at each start as %s is the light %s', (name, replacement) => {
  const installed = Object.entries<{ name?: string }>(lock.packages).filter(([path]) =>
    path.endsWith(`node_modules/${name}`),
  );
  expect(installed.map(([, entry]) => entry.name)).toEqual([replacement]);
});

test('no polyfill of deep-equal 2 is loaded by the cdktf CLI', () => {
  expect(lock.packages).not.toHaveProperty(['node_modules/es-get-iterator']);
});

test.each([
  [
    'no package that the cdktf CLI loads starts a Go program before there is use for it',
    `require('@cdktf/hcl-tools'); require('@cdktf/hcl2json');
     setImmediate(() => process.stdout.write(typeof globalThis.Go));`,
    'undefined',
  ],
  [
    'what the cdktf CLI writes code with is not loaded before there is use for it',
    `require('@cdktf/hcl2cdk');
     const isLoaded = Object.keys(require.cache).some((path) => path.includes('prettier'));
     process.stdout.write(String(isLoaded));`,
    'false',
  ],
])('%s', (_, program, output) => {
  const { stdout } = spawnSync(process.execPath, ['-e', program], { cwd: ROOT, encoding: 'utf8' });
  expect(stdout).toBe(output);
});
