import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { putInPlace } from './put-in-place.ts';
import { run } from './run-program.ts';

/** Installs the others: a quarter of pip's time for the largest. */
const uvRequirements = join(import.meta.dirname, '../../test-support/uv/requirements.txt');

/**
 * The Python of a virtual environment that holds a requirements file's packages. It is made once
 * per content of that file, below the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`).
 *
 * @param interpreter program that makes it @default 'python3'
 * @returns the path of its `python`
 * @throws Error with pip's own message when the interpreter is missing or a package can't be
 * installed.
 */
export async function pythonEnvironment(
  requirementsFile: string,
  interpreter = 'python3',
): Promise<string> {
  const requirements = await readFile(requirementsFile);
  const hash = createHash('sha256').update(requirements).digest('hex').slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const directory = join(cache, 'file-processing-infra', `python-${hash}`);
  const python = join(directory, 'bin', 'python');
  // The link is dangling when the Python that it was made from is gone.
  if (existsSync(python)) return python;

  await mkdir(dirname(directory), { recursive: true });
  const unfinished = await mkdtemp(join(dirname(directory), `${basename(directory)}.`));
  try {
    await succeed(interpreter, ['-m', 'venv', unfinished]);
    await install(requirementsFile, join(unfinished, 'bin', 'python'), interpreter);
    await putInPlace(unfinished, directory, () => existsSync(python));
  } catch (error) {
    if (!existsSync(python)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return python;
}

async function install(
  requirementsFile: string,
  python: string,
  interpreter: string,
): Promise<void> {
  if (requirementsFile !== uvRequirements) {
    const uv = join(dirname(await pythonEnvironment(uvRequirements, interpreter)), 'uv');
    const compiled = ['pip', 'install', '--quiet', '--compile-bytecode', '--python', python];
    const { exitCode } = await run(uv, [...compiled, '--requirement', requirementsFile]);
    if (exitCode === 0) return;
  }
  // Pip also reads settings of its own, such as a mirror or a certificate, and says what is wrong.
  await succeed(python, [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
    ...['--requirement', requirementsFile],
  ]);
}

async function succeed(program: string, programArguments: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await run(program, programArguments);
  if (exitCode !== 0) {
    throw new Error(`${program} ${programArguments.join(' ')} failed:\n${stdout}${stderr}`);
  }
}
