import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { expect, test } from 'vitest';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../../listener/src/main.ts', import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program as a process in a folder. */
function program(cwd: string, parameters: string[], nodeOptions: string[] = []): Promise<Ended> {
  const env = { ...COMPILE_CACHE, PATH: process.env.PATH };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...nodeOptions, MAIN, ...parameters],
      { cwd, env },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

test('the exit code of a command is the exit code of the process', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'a.csv'), 'a,b\n1\n');
  expect(await program(folder, ['validate', 'a.csv'])).toMatchObject({ code: EXIT.bad });
});

test('a .env in the working folder is loaded', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, '.env'), 'DATABASE_URL=postgresql://u:p@127.0.0.1:1/from_dotenv\n');
  expect(await program(folder, ['runs', 'list'])).toMatchObject({ code: EXIT.unavailable });
});

test('an exception that nobody caught ends with 70', async () => {
  const folder = await temporaryFolder();
  const preload = join(folder, 'preload.mjs');
  await writeFile(preload, "setTimeout(() => { throw new Error('boom'); }, 0);\n");
  const { code, err } = await program(folder, ['validate', '/dev/zero'], ['--import', preload]);
  expect(code).toBe(EXIT.unexpected);
  expect(err).toContain('boom');
});

test('a module that is broken ends with 70', async () => {
  const folder = await temporaryFolder();
  const preload = join(folder, 'preload.mjs');
  await writeFile(
    preload,
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve(specifier, context, next) {
       if (specifier === './cli.ts') throw new Error('no such module');
       return next(specifier, context);
     } });\n`,
  );
  const { code, err } = await program(folder, ['--help'], ['--import', preload]);
  expect(code).toBe(EXIT.unexpected);
  expect(err).toContain('no such module');
});
