import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

const BUILD = fileURLToPath(new URL('../../../listener/build.ts', import.meta.url));
const PROGRAM = fileURLToPath(
  new URL('../../../listener/bin/file-processing.cjs', import.meta.url),
);

/** Fails a process that loads the program from its sources. */
const NO_SOURCES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) {
    if (url.endsWith('.ts')) throw new Error('loads ' + url);
    return next(url, context);
  } });`)}`;

/** Builds the bundle. */
export async function buildBundle(): Promise<void> {
  await promisify(execFile)(process.execPath, [BUILD]);
}

/** Runs a command in a process of its own, and from the bundle alone. */
export function bundledCli(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; out: string; err: string }> {
  const env = { ...COMPILE_CACHE, PATH: process.env.PATH, ...environment };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', NO_SOURCES, PROGRAM, ...parameters],
      { env },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}
