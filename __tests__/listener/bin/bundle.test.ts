import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf, freshBundle, runBundle } from '../../../listener/bin/bundle.cjs';
import { builtScripts } from '../../../listener/src/console/checker/scripts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const BUNDLE = join(import.meta.dirname, '../../../listener/bin/bundle.cjs');
const FILES = ['listener/src/main.ts', 'quality/inspect.ts'];

let root: string;
let listener: string;

beforeEach(async () => {
  root = await temporaryFolder();
  listener = join(root, 'listener');
  for (const file of FILES) await write(file, file);
  const list = { files: FILES, digest: digestOf(root, FILES) };
  await write('listener/dist/inputs.json', JSON.stringify(list));
});

async function write(file: string, content: string) {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), content);
}

it('a bundle is loaded that was made from the sources as they are', () => {
  expect(freshBundle(listener)).toBe(join(listener, 'dist', digestOf(root, FILES), 'main.cjs'));
});

it.each([
  ['a source was changed', () => write('quality/inspect.ts', 'another')],
  [
    'a line went from one source to the next',
    async () => {
      await write('listener/src/main.ts', 'listener/src/main.t');
      await write('quality/inspect.ts', 'squality/inspect.ts');
    },
  ],
  ['a source is gone', () => rm(join(root, 'quality/inspect.ts'))],
  ['its list is gone', () => rm(join(listener, 'dist/inputs.json'))],
  ['its list is cut off', () => write('listener/dist/inputs.json', '{"files": [')],
])('no bundle is loaded where %s', async (_, change) => {
  await change();
  expect(freshBundle(listener)).toBeUndefined();
});

describe('a script of the bundle', () => {
  const ran = globalThis as { scriptRan?: string };
  let script: string;

  beforeEach(async () => {
    delete ran.scriptRan;
    script = join(listener, 'dist/main.cjs');
    const text =
      "#!/usr/bin/env node\nglobalThis.scriptRan = require('node:path').basename(__filename);";
    await write('listener/dist/main.cjs', text);
  });

  it('is run by what V8 has compiled of it before', () => {
    const program = `require(${JSON.stringify(BUNDLE)}).cacheBundle(process.argv[1])`;
    execFileSync(process.execPath, ['-e', program, script]);
    expect([runBundle(script), ran.scriptRan]).toEqual([true, 'main.cjs']);
  });

  it('is compiled anew where V8 does not take that', async () => {
    await write(`listener/dist/main.${process.arch}.cache`, 'of another version');
    expect([runBundle(script), ran.scriptRan]).toEqual([false, 'main.cjs']);
  });

  it('is compiled where that is missing, as for another processor', () => {
    expect([runBundle(script), ran.scriptRan]).toEqual([false, 'main.cjs']);
  });
});

it('the scripts of a checker are built where they are missing', async () => {
  await rm(join(listener, 'dist'), { recursive: true });
  const built = join('dist', digestOf(root, FILES));
  await write(
    'listener/build.ts',
    `import { mkdirSync, writeFileSync } from 'node:fs';
     process.chdir(import.meta.dirname);
     mkdirSync('${built}', { recursive: true });
     writeFileSync('${built}/checker-page.js', 'the page');
     writeFileSync('${built}/checker-worker.js', 'the worker');
     writeFileSync('dist/inputs.json', '${JSON.stringify({ files: FILES, digest: digestOf(root, FILES) })}');`,
  );
  expect(await builtScripts(listener)).toEqual({ page: 'the page', worker: 'the worker' });
});

it('scripts that cannot be built are one line with the reason', async () => {
  await rm(join(listener, 'dist'), { recursive: true });
  await write('listener/build.ts', "\nthrow new Error('esbuild is not there');");
  await expect(builtScripts(listener)).rejects.toThrow(
    /^npm run build fails: .*esbuild is not there.*$/,
  );
});
