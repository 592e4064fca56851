import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/run-main.ts';
import { type Checkout, temporaryCheckout } from './checkout.ts';
import { type AwsOfTest, terraformEnvironment } from './terraform.ts';

/** How a run of the command ended. */
export interface Managed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A temporary checkout in which `npm run manage` is run as an operator does. */
export interface ManagedCheckout extends Checkout {
  /** Folder that the commands take for the machine's temporary one. */
  readonly temporary: string;
  /**
   * Runs `npm run --silent manage -- ...` to its end, without a terminal.
   *
   * @param watch - sees everything that it writes as it comes, and may interrupt the whole process
   *   group, as Ctrl-C does
   */
  manage(
    parameters: readonly string[],
    watch?: (written: string, interrupt: () => void) => void,
  ): Promise<Managed>;
  /** All that every run has written, one after the other. */
  readonly everythingWritten: () => string;
}

/**
 * A temporary checkout whose `npm run synth` also relaxes the AWS provider's constraint for the
 * provider at hand, since the command synthesizes by itself.
 *
 * @param options.afterSynth - a further program of the synth, a path
 * @param options.environment - more environment of every run
 */
export function managedCheckout(
  emulator: AwsOfTest,
  options: {
    readonly afterSynth?: string;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): ManagedCheckout {
  const checkout = temporaryCheckout();
  const temporary = mkdtempSync(join(tmpdir(), 'managed-'));
  const cliConfigDirectory = mkdtempSync(join(tmpdir(), 'terraform-cli-'));
  writePackage(checkout, options.afterSynth);
  let everything = '';

  const manage: ManagedCheckout['manage'] = async (parameters, watch = () => undefined) => {
    const child = spawn('npm', ['run', '--silent', 'manage', '--', ...parameters], {
      cwd: checkout.root,
      env: {
        ...terraformEnvironment(emulator, cliConfigDirectory),
        TMPDIR: temporary,
        // Most of an apply is the provider waiting: more of it side by side costs nothing.
        TF_CLI_ARGS_apply: '-parallelism=30',
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, as a shell gives it to each command.
      detached: true,
    });
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        written[name] += text;
        everything += text;
        watch(`${written.stdout}${written.stderr}`, () => interrupt(child));
      });
    }
    const [code] = await once(child, 'close');
    // npm ends by the signal that it got.
    return { code: Number(code ?? 130), ...written };
  };

  return {
    ...checkout,
    temporary,
    manage,
    everythingWritten: () => everything,
    close: async () => {
      await checkout.close();
      await rm(temporary, { recursive: true, force: true });
      await rm(cliConfigDirectory, { recursive: true, force: true });
    },
  };
}

function interrupt({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGINT');
}

function writePackage(checkout: Checkout, afterSynth: string | undefined): void {
  const description = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const programs = [join(import.meta.dirname, 'relax-output.ts'), afterSynth].filter(
    (program) => program !== undefined,
  );
  const after = programs.map((program) => `CDKTF_OUTDIR=$CDKTF_OUTPUT node ${program}`);
  const synth = [description.scripts.synth, ...after].join(' && ');
  checkout.write(
    'package.json',
    JSON.stringify({ ...description, scripts: { ...description.scripts, synth } }),
  );
}
