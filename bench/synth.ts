/**
 * CPU time of `npm run synth` (both stacks, both JSON files) against what cannot be avoided, Node with
 * cdktf loaded, and against the same stacks under ts-node. The commands run in turn, so that a
 * machine whose speed drifts treats them alike; quote the ratios.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const ROUNDS = 7;

const FLOOR = 'node -e "require(\'cdktf\')"';
const SYNTH = 'npm run synth';
const TS_NODE = 'node --loader ts-node/esm main.ts';

const outdir = mkdtempSync(join(tmpdir(), 'bench-'));
const commands = new Map<string, readonly string[]>([
  [FLOOR, ['-e', "require('cdktf')"]],
  [SYNTH, synthArguments()],
  [TS_NODE, ['--no-warnings', '--loader', 'ts-node/esm', 'main.ts']],
]);
const seconds = new Map<string, number[]>([...commands.keys()].map((name) => [name, []]));

for (let round = -1; round < ROUNDS; round++) {
  for (const [name, args] of commands) {
    const measured = cpuSeconds(
      args,
      name === SYNTH ? { NODE_COMPILE_CACHE: join(outdir, 'cache') } : {},
    );
    // The first round warms caches up, as a user's first synth does.
    if (round >= 0) seconds.get(name)?.push(measured);
  }
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
console.log(`${ratio(SYNTH, FLOOR)} times the floor (at most 2.2)`);
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

/** Median of the ratios round by round. */
function ratio(name: string, other: string): string {
  const divisors = seconds.get(other) ?? [];
  const ratios = (seconds.get(name) ?? []).map((value, round) => value / (divisors[round] ?? 1));
  return (ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0).toFixed(2);
}
