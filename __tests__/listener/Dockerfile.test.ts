import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PORTS } from '@file-processing/contract/listener-interface.ts';
import { expect, it } from 'vitest';
import { ROOT } from '../support/run-main.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const dockerfile = read('listener/Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', '');

it('the base is pinned by a digest', () => {
  expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:[\d.]+-\S+@sha256:[0-9a-f]{64}$/m);
});

it('the base has the Node.js that the tests run on', () => {
  const { optionalDependencies } = JSON.parse(read('package.json'));
  const [, version] = /^ARG NODE_IMAGE=node:([\d.]+)-/m.exec(dockerfile) ?? [];
  expect(version).toBe(process.versions.node);
  expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([version]));
});

it('nothing runs in the last stage, so that no platform needs emulation', () => {
  const stages = dockerfile.split(/^FROM /m).slice(1);
  expect(stages.at(0)).toMatch(/^--platform=\$BUILDPLATFORM [\s\S]*^RUN /m);
  expect(stages.at(-1)).not.toMatch(/^RUN /m);
});

it('the ports that it names are those of the listener', () => {
  expect(dockerfile).toMatch(new RegExp(`^EXPOSE ${PORTS.http} ${PORTS.metrics}$`, 'm'));
});

it('the context holds what is copied from it, and little else', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, sources = '']) => sources.split(' ').map((source) => source.replace(/\/$/, '')),
  );
  const outermost = copied.filter((path) => !copied.some((other) => path.startsWith(`${other}/`)));
  const [everything, ...admitted] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(everything).toBe('*');
  expect(admitted.map((line) => line.replace(/^!/, '')).sort()).toEqual(outermost.sort());
  expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
