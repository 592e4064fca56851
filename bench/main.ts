/**
 * Measures what is named, or everything: `npm run bench -- intake drain`. Each benchmark is a program of its own,
 * so that none is measured with what another one has left in memory.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Every benchmark: its file, and what it measures. */
export const BENCHMARKS = {
  synth: {
    file: 'synth.ts',
    measures: 'CPU of a synth of two stacks and of three, against cdktf alone',
  },
  start: { file: 'start.ts', measures: 'seconds until npm start is ready' },
  intake: {
    file: 'intake/intake.ts',
    measures: 'messages taken, against node:http with one INSERT',
  },
  drain: {
    file: 'intake/drain.ts',
    measures: "one client's waiting jobs worked off, another's deliveries beside them",
  },
  load: {
    file: 'load.ts',
    measures:
      'a burst, steady intake, memory, one file of 1 MB; statements on 10 million judgements',
  },
  pages: { file: 'pages.ts', measures: 'pages of the console, live views beside the intake' },
  rules: { file: 'rules.ts', measures: 'seconds to apply a rule set of 2,000 files' },
  storage: { file: 'storage/read.ts', measures: 'an object read in parts, against one stream' },
  quality: { file: 'quality/scanner.ts', measures: 'MB that the engine checks, against peers' },
} as const;

type BenchmarkName = keyof typeof BENCHMARKS;

/** What a command line asks for. */
export type BenchmarkRequest =
  | { readonly list: true }
  | { readonly names: readonly BenchmarkName[]; readonly options: readonly string[] };

/**
 * Reads a command line: names, and options that go to the one benchmark that is named.
 *
 * @throws with one line that says what is allowed
 */
export function benchmarkRequest(parameters: readonly string[]): BenchmarkRequest {
  const first = parameters.findIndex((parameter) => parameter.startsWith('-'));
  const names = first === -1 ? parameters : parameters.slice(0, first);
  const options = first === -1 ? [] : parameters.slice(first);
  if (names.length === 0 && options.length === 1 && options[0] === '--list') return { list: true };
  const known = Object.keys(BENCHMARKS);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`unknown benchmark '${unknown.join("', '")}': known are ${known.join(', ')}`);
  }
  if (options.length > 0 && names.length !== 1) {
    throw new Error(`'${options[0]}' is an option of one benchmark: name it, or give --list alone`);
  }
  return { names: (names.length === 0 ? known : names) as BenchmarkName[], options };
}

/** The table for a reader. */
export function benchmarkList(): string {
  return Object.entries(BENCHMARKS)
    .map(([name, { measures }]) => `${name.padEnd(8)} ${measures}\n`)
    .join('');
}

function main(parameters: readonly string[]): number {
  let request: BenchmarkRequest;
  try {
    request = benchmarkRequest(parameters);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  if ('list' in request) {
    process.stdout.write(benchmarkList());
    return 0;
  }
  for (const name of request.names) {
    if (request.names.length > 1) process.stdout.write(`# ${name}\n`);
    const file = join(import.meta.dirname, BENCHMARKS[name].file);
    const { status } = spawnSync(process.execPath, [file, ...request.options], {
      stdio: 'inherit',
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main(process.argv.slice(2));
}
