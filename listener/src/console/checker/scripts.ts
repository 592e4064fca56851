import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
 * The scripts from the bundle, where it is that of the sources beside it.
 *
 * @returns undefined where there is none
 */
export async function builtScripts(): Promise<CheckerScripts | undefined> {
  const main = freshBundle(LISTENER);
  if (main === undefined) return undefined;
  const read = (name: keyof CheckerScripts) =>
    readFile(join(dirname(main), CHECKER_SCRIPTS[name].file), 'utf8');
  return { page: await read('page'), worker: await read('worker') };
}
