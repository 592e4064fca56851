import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { controlPlaneBinaries } from './binaries.ts';

const PROGRAMS = [
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'],
];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('KUBEBUILDER_ASSETS is taken as it is when nothing is missing there', async () => {
  for (const program of PROGRAMS) await writeFile(join(folder, program), '');
  const environment = { KUBEBUILDER_ASSETS: folder };
  expect(await controlPlaneBinaries({ environment })).toBe(folder);
});

test('what is missing in KUBEBUILDER_ASSETS is named', async () => {
  for (const program of PROGRAMS.slice(0, 3)) await writeFile(join(folder, program), '');
  const environment = { KUBEBUILDER_ASSETS: folder };
  await expect(controlPlaneBinaries({ environment })).rejects.toThrow(
    `KUBEBUILDER_ASSETS is ${folder}, where kube-scheduler, kwok is missing`,
  );
});

test('without Go the error says what to install', async () => {
  const environment = { XDG_CACHE_HOME: folder, PATH: folder };
  const error = await controlPlaneBinaries({ environment }).catch((reason: Error) => reason);
  expect(error).toMatchObject({
    message: expect.stringMatching(/install Go 1\.26 or newer .+KUBEBUILDER_ASSETS/),
    cause: expect.objectContaining({ message: 'go was not found on PATH' }),
  });
  expect(await readdir(join(folder, 'file-processing-infra'))).toEqual([]);
});

test('what Go says of a build that fails is in the error, and nothing is left', async () => {
  const environment = await withGo('echo "requires go >= 1.26" >&2; exit 1');
  await expect(controlPlaneBinaries({ environment })).rejects.toThrow(
    /etcd was not built:\nrequires go >= 1\.26/,
  );
  expect(await readdir(join(folder, 'file-processing-infra'))).toEqual([]);
});

test('two runs at the same time both get everything, and a third one builds nothing', async () => {
  const environment = await withGo(BUILDS);
  const [one, other] = await Promise.all([
    controlPlaneBinaries({ environment }),
    controlPlaneBinaries({ environment }),
  ]);
  expect(one).toBe(other);
  expect((await readdir(one)).toSorted()).toEqual(PROGRAMS);
  expect(await readdir(dirname(one))).toHaveLength(1);
  const builds = await readFile(join(folder, 'builds'), 'utf8');
  expect(await controlPlaneBinaries({ environment })).toBe(one);
  expect(await readFile(join(folder, 'builds'), 'utf8')).toBe(builds);
});

test('the version that kubectl is told is that of the module', async () => {
  const environment = await withGo(BUILDS);
  await controlPlaneBinaries({ environment });
  const builds = await readFile(join(folder, 'builds'), 'utf8');
  const apiServer = builds.split('\n').find((line) => line.endsWith('cmd/kube-apiserver'));
  expect(apiServer).toMatch(/version\.gitVersion=v1\.(\d+)\.\d+ .*version\.gitMinor=\1 /);
});

/** Writes down what it is asked, and then the program, without the minutes in between. */
const BUILDS = `
echo "$*" >> "$XDG_CACHE_HOME/builds"
while [ "$1" != -o ]; do shift; done
: > "$2"`;

/** An environment whose `go` is this script: a real build of everything takes minutes. */
async function withGo(script: string): Promise<NodeJS.ProcessEnv> {
  const go = join(folder, 'go');
  await writeFile(go, `#!/bin/sh\n${script}\n`);
  await chmod(go, 0o755);
  return { XDG_CACHE_HOME: folder, PATH: folder };
}
