import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freshBundle } from '../../../bin/bundle.cjs';

/** The two programs of a checker, each as one script that a browser runs. */
export interface CheckerScripts {
  readonly page: string;
  readonly worker: string;
}

/** Where they come from, and where the bundle that `npm run build` makes has them. */
export const CHECKER_SCRIPTS = {
  page: { source: 'src/console/checker/browser/page.ts', file: 'checker-page.js' },
  worker: { source: 'src/console/checker/browser/worker.ts', file: 'checker-worker.js' },
} as const satisfies Record<keyof CheckerScripts, object>;

const LISTENER = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The scripts from the bundle. In a checkout it is built, as by `npm run build`, where it is missing or older than the sources.
 *
 * @param listener its folder @default that of this file
 * @throws {Error} where it can't be built; the message is one line
 */
export async function builtScripts(listener = LISTENER): Promise<CheckerScripts> {
  const main = freshBundle(listener) ?? (await build(listener));
  const read = (name: keyof CheckerScripts) =>
    readFile(join(dirname(main), CHECKER_SCRIPTS[name].file), 'utf8');
  return { page: await read('page'), worker: await read('worker') };
}

async function build(listener: string): Promise<string> {
  const program = join(listener, 'build.ts');
  const { stderr } = await promisify(execFile)(process.execPath, [program]).catch((error) => error);
  const main = freshBundle(listener);
  if (main !== undefined) return main;
  const [reason = 'no reason was given'] = /^.*error.*$/im.exec(stderr) ?? [];
  throw new Error(`npm run build fails: ${reason}`);
}
