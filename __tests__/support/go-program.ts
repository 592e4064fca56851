import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { putInPlace } from './put-in-place.ts';
import { run } from './run-program.ts';

/** A program that Go builds from a module of ours, which requires the one that it is in. */
export interface GoProgram {
  /** Name of its file. */
  readonly program: string;
  /** Folder of the go.mod and go.sum. */
  readonly directory: string;
  /** Go package of its `main`. */
  readonly source: string;
  /** Values of variables of the program's packages, which its publisher sets when building. @default none */
  readonly variables?: Readonly<Record<string, string>>;
  /** Build tags, such as leave parts of it out. @default none */
  readonly tags?: readonly string[];
}

/**
 * A folder below `XDG_CACHE_HOME` (`~/.cache`) with programs, which is filled by `go build` once per content of
 * their go.mod and go.sum files, and of sources beside these. It appears whole or not at all: another run may build, or use it, at the same time.
 *
 * @param name - first part of the folder's name
 * @param advice - what to install when they can't be built
 * @param isWhole - whether a folder has all of them
 * @throws Error with Go's output and the advice
 */
export async function goPrograms(
  name: string,
  programs: readonly GoProgram[],
  advice: string,
  isWhole: (folder: string) => boolean,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const cache = environment.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'file-processing-infra', `${name}-${await hashOf(programs)}`);
  if (isWhole(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(join(dirname(folder), `${basename(folder)}.`));
  try {
    for (const program of programs) await build(program, unfinished, advice, environment);
    await putInPlace(unfinished, folder, () => isWhole(folder));
  } catch (error) {
    if (!isWhole(folder)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function hashOf(programs: readonly GoProgram[]): Promise<string> {
  const what = programs.map(({ program, directory, source, tags }) => {
    return { program, module: basename(directory), source, tags };
  });
  const hash = createHash('sha256').update(JSON.stringify(what));
  for (const directory of new Set(programs.map((program) => program.directory))) {
    const sources = (await readdir(directory)).filter((name) => name.endsWith('.go')).sort();
    for (const name of ['go.mod', 'go.sum', ...sources]) {
      hash.update(await readFile(join(directory, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(
  { program, directory, source, variables = {}, tags = [] }: GoProgram,
  folder: string,
  advice: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const set = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  const parameters = [
    ...['build', '-mod=readonly', '-buildvcs=false', '-trimpath'],
    ...['-ldflags', ['-s', '-w', ...set].join(' ')],
    ...(tags.length === 0 ? [] : ['-tags', tags.join(',')]),
    ...['-o', join(folder, program), source],
  ];
  const { exitCode, stdout, stderr } = await run('go', parameters, {
    directory,
    // A Go that is too old says so, and does not fetch another one.
    environment: {
      ...environment,
      // The compiler collects no garbage before it is large: a tenth of the build's time.
      GOGC: 'off',
      GOMEMLIMIT: '3GiB',
      CGO_ENABLED: '0',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOFLAGS: '',
    },
    deadline: 30 * 60_000,
  }).catch((cause: unknown) => {
    throw new Error(advice, { cause });
  });
  if (exitCode !== 0) throw new Error(`${program} was not built:\n${stdout}${stderr}\n${advice}`);
}
