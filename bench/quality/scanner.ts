/**
 * What the data-quality engine costs: MB per CPU-second (user and system, all threads) and peak memory, each
 * measured in a process of its own, and the ratio to peers on the same file in the same run.
 *
 *     npm run bench -- quality [--mb 300] [--peer-mb 30] [--large]
 *
 * `--large` reads 3 GB as well, to see that they take no more memory, and by threads, whose start is then of no account.
 *
 * What threads of one file save is told in elapsed time; run `npm run build` before, as the image does.
 *
 * The sample files and the peers (csv-parse from npm, frictionless and DuckDB from PyPI) go to a folder in the system's
 * temporary folder, where they are found again; a peer that can't be installed is left out and named.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  KEY_FIELD,
  SAMPLE_SCHEMA,
  type TextKind,
  writeKeyFile,
  writeSampleFile,
  writeTextFile,
  writeWideFile,
} from './sample-file.ts';

const CSV_PARSE = 'csv-parse@7.0.3';
const FRICTIONLESS = 'frictionless==5.21.0';
const DUCKDB = 'duckdb==2.0.0';
const ROOT = join(import.meta.dirname, '../..');
const KEYS = 5_000_000;
const WIDE_COLUMNS = 40_000;
const LARGE_MB = 3_000;
const TEXT_MB = 30;
/** Runs of the program, of which the quickest counts. */
const STARTS = 5;
/** Runs with and without threads, in turn. */
const TURNS = 3;

interface Figure {
  readonly name: string;
  /** From the first byte to the report; undefined of peers. */
  readonly seconds: number | undefined;
  readonly cpuSeconds: number;
  readonly mbPerCpuSecond: number;
  readonly peakMb: number;
}

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '300' },
    'peer-mb': { type: 'string', default: '30' },
    large: { type: 'boolean', default: false },
  },
});
const folder = join(tmpdir(), 'file-processing-bench-quality');
mkdirSync(folder, { recursive: true });
const large = sampleFile(Number(values.mb));
const small = sampleFile(Number(values['peer-mb']));

const measure = fileURLToPath(new URL('./measure.ts', import.meta.url));
const schema = join(folder, 'schema.json');
writeFileSync(schema, JSON.stringify(SAMPLE_SCHEMA));

const typed = node('types and constraints', large, [measure, 'typed', large]);
const keyed = node('the same and a primary key', large, [measure, 'keyed', large]);
const profiled = node('structure and profile alone', large, [measure, 'profile', large]);
const faulty = node('types, two faults in each row', large, [measure, 'faulty', large]);
print(
  `${values.mb} MB`,
  [typed, profiled, faulty, duckdb('duckdb_validate.py', large, 'typed'), csvParse(large)],
  typed,
);
print(
  `${values.mb} MB with a unique column`,
  [keyed, duckdb('duckdb_validate.py', large, 'keyed')],
  keyed,
);

const threaded = values.large ? sampleFile(LARGE_MB) : large;
for (const [mode, { name }] of Object.entries({ typed, keyed })) {
  const [alone, together] = quickestInTurn(
    () => node(name, threaded, [measure, mode, threaded]),
    () => node(`${name}, in threads`, threaded, [measure, `parallel-${mode}`, threaded]),
  );
  printThreads(alone, together);
}

const typedSmall = node('types, constraints, primary key', small, [measure, 'keyed', small]);
print(`${values['peer-mb']} MB`, [typedSmall, frictionless(small)], typedSmall);

const textKeys = keyFile('text');
const inMemory = node('texts', textKeys, [measure, 'keys-text', textKeys]);
const onDisk = node('texts, 16 MiB in memory', textKeys, [measure, 'keys-on-disk', textKeys]);
const integerKeys = keyFile('integer');
const integers = node('integers that count up', integerKeys, [
  measure,
  'keys-integer',
  integerKeys,
]);
print(`${KEYS / 1e6} million unique keys`, [inMemory, onDisk, integers], inMemory);
print('the texts by DuckDB', [duckdb('duckdb_keys.py', textKeys, KEY_FIELD)], inMemory);

const ascii = textFile('ascii');
const matched = node('ASCII', ascii, [measure, 'pattern', ascii]);
const beyondAscii = textFile('beyond-ascii');
const hard = textFile('hard');
print(
  `${TEXT_MB} MB matched by a pattern`,
  [
    matched,
    node('beyond ASCII', beyondAscii, [measure, 'pattern', beyondAscii]),
    node('one of very many states', hard, [measure, 'pattern-hard', hard]),
  ],
  matched,
);

for (const columns of [WIDE_COLUMNS / 2, WIDE_COLUMNS]) {
  const wide = sampled(`wide-${columns}.csv`, (path) => writeWideFile(path, columns, 3e6));
  const figures = node('types', wide, [measure, 'wide', wide, `${columns}`]);
  print(`3 MB of ${columns} columns`, [figures], figures);
}

const megabyte = sampleFile(1);
execFileSync(process.execPath, [join(ROOT, 'listener/build.ts')]);
const starts = Array.from({ length: STARTS }, () => secondsOfValidate(megabyte));
console.log('\n1 MB by `file-processing validate`, its start included');
console.log(
  `  ${Math.min(...starts).toFixed(2)} CPU-s, the least of ${STARTS} runs (at most 0.20)`,
);

if (values.large) {
  const huge = sampleFile(LARGE_MB);
  const figures = node('types and constraints', huge, [measure, 'typed', huge]);
  print(`${LARGE_MB} MB`, [figures], figures);
}

/** CPU time of the program's bundle, and nothing else. */
function secondsOfValidate(file: string): number {
  const program = join(ROOT, 'listener/bin/file-processing.cjs');
  const reporter = join(ROOT, 'bench/report-cpu.cjs');
  const args = ['--require', reporter, program, 'validate', file, '--schema', schema];
  const { output, status, stderr } = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`validate ended with ${status}: ${stderr}`);
  return Number(output[3]) / 1e6;
}

function textFile(kind: TextKind): string {
  return sampled(`text-${kind}.csv`, (path) => writeTextFile(path, TEXT_MB * 1e6, kind));
}

function sampled(name: string, write: (path: string) => void): string {
  const path = join(folder, name);
  if (!existsSync(path)) write(path);
  return path;
}

function keyFile(kind: 'text' | 'integer'): string {
  return sampled(`keys-${kind}.csv`, (path) => writeKeyFile(path, KEYS, kind));
}

function sampleFile(megabytes: number): string {
  return sampled(`sample-${megabytes}.csv`, (path) => writeSampleFile(path, megabytes * 1e6));
}

/** Runs a command that prints its CPU seconds and its peak memory in MB as JSON. */
function figure(name: string, file: string, command: string, args: readonly string[]): Figure {
  const output = execFileSync(command, args, { encoding: 'utf8' });
  const { seconds, cpuSeconds, peakMb } = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  return {
    name,
    seconds,
    cpuSeconds,
    mbPerCpuSecond: statSync(file).size / 1e6 / cpuSeconds,
    peakMb,
  };
}

function node(name: string, file: string, args: readonly string[]): Figure {
  return figure(name, file, process.execPath, args);
}

function csvParse(file: string): Figure | string {
  const place = join(folder, 'csv-parse');
  if (!existsSync(join(place, 'node_modules', 'csv-parse'))) {
    const args = ['install', '--no-audit', '--no-fund', '--prefix', place, CSV_PARSE];
    if (!runs('npm', args)) return `${CSV_PARSE} could not be installed`;
  }
  const module = join(place, 'node_modules', 'csv-parse', 'lib', 'index.js');
  return node('csv-parse (structure alone)', file, [measure, 'csv-parse', file, module]);
}

/** The Python that has a package of PyPI, made where there is none; undefined where it can't be. */
function pythonWith(requirement: string): string | undefined {
  const place = join(folder, requirement);
  const python = join(place, 'bin', 'python');
  const marker = join(place, 'installed');
  if (existsSync(marker)) return python;
  const installed =
    runs('python3', ['-m', 'venv', place]) &&
    runs(python, ['-m', 'pip', 'install', '--quiet', requirement]);
  if (installed) writeFileSync(marker, '');
  return installed ? python : undefined;
}

/** On one thread, by one of our scripts. */
function duckdb(program: string, file: string, argument: string): Figure | string {
  const python = pythonWith(DUCKDB);
  if (python === undefined) return `${DUCKDB} could not be installed`;
  const script = fileURLToPath(new URL(`./${program}`, import.meta.url));
  return figure('DuckDB, one thread', file, python, [script, file, argument]);
}

function frictionless(file: string): Figure | string {
  const python = pythonWith(FRICTIONLESS);
  if (python === undefined) return `${FRICTIONLESS} could not be installed`;
  const script = fileURLToPath(new URL('./frictionless_validate.py', import.meta.url));
  return figure('frictionless', file, python, [script, file, schema]);
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

/** The quickest of some runs of two, in turn: what else the machine does slows down most what keeps all of it busy. */
function quickestInTurn(one: () => Figure, other: () => Figure): [Figure, Figure] {
  const figures = Array.from({ length: TURNS }, () => [one(), other()] as const);
  const quickest = (of: readonly Figure[]) =>
    of.reduce((least, figure) => ((figure.seconds ?? 0) < (least.seconds ?? 0) ? figure : least));
  return [quickest(figures.map(([first]) => first)), quickest(figures.map(([, last]) => last))];
}

/** Elapsed time, which says something only on a machine that does nothing else; the load of the last minute tells. */
function printThreads(alone: Figure, together: Figure): void {
  const [one = 0, several = 0] = [alone.seconds, together.seconds];
  const load = (loadavg()[0] ?? 0).toFixed(1);
  console.log(`\n${together.name} (${availableParallelism()} of the machine, load ${load})`);
  console.log(
    `  ${several.toFixed(2)} s, one thread ${one.toFixed(2)} s: ${(one / several).toFixed(2)} x; ` +
      `${together.cpuSeconds.toFixed(2)} CPU-s, one thread ${alone.cpuSeconds.toFixed(2)}; peak ${together.peakMb} MB`,
  );
}

function print(title: string, figures: readonly (Figure | string)[], ours: Figure): void {
  console.log(`\n${title}`);
  for (const item of figures) {
    if (typeof item === 'string') {
      console.log(`  ${item}: no figure`);
      continue;
    }
    const seconds = `${item.cpuSeconds.toFixed(2).padStart(6)} CPU-s`;
    const speed = `${seconds}${item.mbPerCpuSecond.toFixed(1).padStart(7)} MB/CPU-s`;
    const ratio = (ours.mbPerCpuSecond / item.mbPerCpuSecond).toFixed(2);
    console.log(
      `  ${item.name.padEnd(34)}${speed}  peak ${item.peakMb} MB  (${ours.name}: ${ratio} x)`,
    );
  }
}
