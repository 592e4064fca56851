/**
 * CPU time of `npm run synth` (two stacks, and all three) against what cannot be avoided, Node with
 * cdktf loaded, and against the same stacks under ts-node; and what the cdktf CLI takes on top. The commands
 * run in turn, so that a machine whose speed drifts treats them alike; quote the ratios.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const ROUNDS = 7;

const FLOOR = 'node -e "require(\'cdktf\')"';
const SYNTH = 'npm run synth';
const SYNTH_OF_THREE = 'npm run synth, with postgres-on-demand';
const CLI = 'npx cdktf synth';
const TS_NODE = 'node --loader ts-node/esm main.ts';

const outdir = mkdtempSync(join(tmpdir(), 'bench-'));
const commands = new Map<string, readonly string[]>([
  [FLOOR, ['-e', "require('cdktf')"]],
  [SYNTH, synthArguments()],
  [SYNTH_OF_THREE, synthArguments()],
  [TS_NODE, ['--no-warnings', '--loader', 'ts-node/esm', 'main.ts']],
]);
const cache = { NODE_COMPILE_CACHE: join(outdir, 'cache') };
const ENVIRONMENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [SYNTH]: cache,
  [SYNTH_OF_THREE]: { ...cache, ENVIRONMENT: 'complete' },
};
const seconds = new Map<string, number[]>([...commands.keys(), CLI].map((name) => [name, []]));

for (let round = -1; round < ROUNDS; round++) {
  for (const [name, args] of commands) {
    const measured = cpuSeconds(args, ENVIRONMENTS[name] ?? {});
    // The first round warms caches up, as a user's first synth does.
    if (round >= 0) seconds.get(name)?.push(measured);
  }
  const measured = cpuSecondsOfAll(CLI);
  if (round >= 0) seconds.get(CLI)?.push(measured);
}
rmSync(outdir, { recursive: true });

for (const [name, values] of seconds) {
  const [least = 0, middle = 0, most = 0] = [0, Math.floor(ROUNDS / 2), ROUNDS - 1].map(
    (index) => values.toSorted((one, other) => one - other)[index],
  );
  console.log(
    `${middle.toFixed(3)} s CPU (${least.toFixed(3)} to ${most.toFixed(3)} in ${ROUNDS} runs)  ${name}`,
  );
}
for (const name of [SYNTH, SYNTH_OF_THREE]) {
  console.log(`${ratio(name, FLOOR)} times the floor (at most 2.2): ${name}`);
}
const above = (seconds.get(CLI) ?? []).map(
  (value, round) => value - (seconds.get(SYNTH)?.[round] ?? 0),
);
console.log(`${median(above).toFixed(2)} s CPU more by ${CLI} (at most 1.3)`);
console.log(`${ratio(TS_NODE, SYNTH)} times faster than ts-node (at least 5)`);

/** What package.json's script passes to node, without the setting of the compile cache before it. */
function synthArguments(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return (scripts.synth as string).replace(/^.*? node /, '').split(' ');
}

function cpuSeconds(args: readonly string[], env: Readonly<Record<string, string>>): number {
  const reporter = join(import.meta.dirname, 'report-cpu.cjs');
  const { status, stderr, output } = spawnSync(process.execPath, ['--require', reporter, ...args], {
    cwd: ROOT,
    // The reporter writes microseconds of CPU time to file descriptor 3.
    env: { ...process.env, CDKTF_OUTDIR: outdir, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return Number(output[3]) / 1e6;
}

/** CPU time of a command and of all processes that it starts. */
function cpuSecondsOfAll(command: string): number {
  const { stdout, status, stderr } = spawnSync(
    'sh',
    ['-c', `${command} >/dev/null || exit 1; times`],
    {
      cwd: ROOT,
      env: { ...process.env, CI: '1' },
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  // The second line is that of the children: user time and system time.
  const times = [...(stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Median of the ratios round by round. */
function ratio(name: string, other: string): string {
  const divisors = seconds.get(other) ?? [];
  const ratios = (seconds.get(name) ?? []).map((value, round) => value / (divisors[round] ?? 1));
  return median(ratios).toFixed(2);
}
