import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { build, type Plugin } from 'esbuild';
import { digestOf } from './bin/bundle.cjs';
import { CHECKER_SCRIPTS } from './src/console/checker/scripts.ts';

/**
 * Writes what `validate` needs of the program, and a thread that reads a part of a large file, into a few files, since
 * loading hundreds of modules takes longer than judging a megabyte, and the scripts of the page that `checker` writes:
 * `dist/<digest>/`, and `dist/inputs.json`, which lists what it was made from and the digest of that, by which
 * bin/bundle.cjs knows whether it is stale. Beside the program is what V8 has compiled of it, which takes a third of its
 * time otherwise. Two builds at the same time write what does the same.
 */

const LISTENER = import.meta.dirname;
const ROOT = dirname(LISTENER);
const DIST = join(LISTENER, 'dist');
/** Where the bundle is as far as its references to other files go. */
const OUTPUT = join(DIST, 'bundle');

/** Of the commands only `validate` runs from here: what others need is not taken in. */
const onlyValidate: Plugin = {
  name: 'only-validate',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...options }) => {
      if (options.kind === 'entry-point' || pluginData === RESOLVED) return undefined;
      const otherCommand = /^\.\/cli\//.test(path) && options.kind === 'dynamic-import';
      if (otherCommand && path !== './cli/validate.ts') {
        return { path: slashed(relative(OUTPUT, join(options.resolveDir, path))), external: true };
      }
      // Modules declare and do nothing: one that nothing is used of is left out.
      const { resolveDir, kind, importer, namespace } = options;
      const pluginOptions = { resolveDir, kind, importer, namespace, pluginData: RESOLVED };
      return { ...(await resolve(path, pluginOptions)), sideEffects: false };
    });
  },
};

const RESOLVED = Symbol('resolved');

/** A module that looks for files beside it finds those of its source. */
const sourceUrls: Plugin = {
  name: 'source-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const source = JSON.stringify(slashed(relative(OUTPUT, path)));
      const url = `new URL(${source}, require('node:url').pathToFileURL(__filename)).href`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

function slashed(path: string): string {
  return path.split(sep).join('/');
}

/** Has V8 write down what it compiles of the program for a file that is sound and one that is not. */
async function cacheCompiled(script: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'file-processing-build-'));
  const [sound, faulty, schema] = ['sound.csv', 'faulty.csv', 'schema.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const row = (id: number) =>
    `${id},"said ""no"" ${id % 97}",AB-${100 + (id % 900)},${id / 4},2026-01-${10 + (id % 20)},true,a`;
  const rows = Array.from({ length: SAMPLE_ROWS }, (_, index) => row(index + 1));
  const header = SAMPLE_FIELDS.map(({ name }) => name).join(',');
  const wrong = ['1,,ab,x,2026-02-30,maybe,z', '7', '"x"y,,,,,,'];
  await writeFile(sound, `${[header, ...rows].join('\n')}\n`);
  await writeFile(faulty, `${[header, ...rows, ...wrong, ...rows].join('\n')}\n`);
  await writeFile(schema, JSON.stringify({ fields: SAMPLE_FIELDS, primaryKey: 'id' }));
  const code = `require(${JSON.stringify(join(LISTENER, 'bin/bundle.cjs'))}).cacheBundle(process.argv[1])`;
  const parameters = ['validate', sound, faulty, '--schema', schema];
  const { status, stderr } = spawnSync(process.execPath, ['-e', code, script, ...parameters], {
    // By the settings of nobody: neither variables nor a .env.
    env: {},
    cwd: folder,
    encoding: 'utf8',
  });
  await rm(folder, { recursive: true });
  if (status !== EXIT.bad) throw new Error(`the bundle ends with ${status}: ${stderr}`);
}

/** As many as WebAssembly reads. */
const SAMPLE_ROWS = 4_000;

/** One of each of the usual types. */
const SAMPLE_FIELDS = [
  { name: 'id', type: 'integer', constraints: { required: true, minimum: 1 } },
  { name: 'text', type: 'string', constraints: { maxLength: 40 } },
  { name: 'code', type: 'string', constraints: { pattern: '[A-Z]{2}-\\d{3}' } },
  { name: 'number', type: 'number', constraints: { minimum: 0 } },
  { name: 'day', type: 'date' },
  { name: 'flag', type: 'boolean' },
  { name: 'kind', type: 'string', constraints: { enum: ['a', 'b'] } },
];

const program = await build({
  entryPoints: {
    main: join(LISTENER, 'src/main.ts'),
    'range-thread': join(LISTENER, 'src/jobs/range-thread.ts'),
  },
  outdir: OUTPUT,
  outExtension: { '.js': '.cjs' },
  absWorkingDir: ROOT,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  // A twentieth of the time. Names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  metafile: true,
  write: false,
  logLevel: 'warning',
  plugins: [onlyValidate, sourceUrls],
});

/** The programs of the page that `checker` writes: a script each, for browsers of the last two years. */
const pages = await build({
  entryPoints: Object.values(CHECKER_SCRIPTS).map(({ source, file }) => ({
    in: join(LISTENER, source),
    out: basename(file, '.js'),
  })),
  outdir: OUTPUT,
  absWorkingDir: ROOT,
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: ['chrome128', 'firefox128', 'safari18'],
  minify: true,
  metafile: true,
  write: false,
  logLevel: 'warning',
});

const outputFiles = [...program.outputFiles, ...pages.outputFiles];
// A package is what its version says.
const inputs = [program, pages]
  .flatMap(({ metafile }) => Object.keys(metafile.inputs))
  .map((input) =>
    input.replace(/(node_modules\/(?:@[^/]+\/)?[^/]+)\/(?!.*node_modules).*/, '$1/package.json'),
  );
const files = [...new Set([...inputs, 'listener/build.ts'])].sort();
const digest = digestOf(ROOT, files);
await mkdir(DIST, { recursive: true });
const made = await mkdtemp(join(DIST, 'new-'));
for (const { path, contents } of outputFiles) await writeFile(join(made, basename(path)), contents);
await cacheCompiled(join(made, 'main.cjs'));
const list = `${made}.json`;
await writeFile(list, `${JSON.stringify({ digest, files }, null, 1)}\n`);
await rename(made, join(DIST, digest)).catch(async (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  // It is there where another build was faster; or it is of another Node.js, or damaged, and this is what mends it.
  for (const name of await readdir(made)) await rename(join(made, name), join(DIST, digest, name));
});
// Last, and at once: a build that was interrupted is none.
await rename(list, join(DIST, 'inputs.json'));
for (const name of await readdir(DIST)) {
  const current = name === digest || name === 'inputs.json';
  // What else begins with new- is another build's.
  if (!current && (name === basename(made) || !name.startsWith('new-'))) {
    await rm(join(DIST, name), { recursive: true, force: true });
  }
}
