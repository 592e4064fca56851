import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileCacheOf } from '../../support/compile-cache.ts';
import { type Checkout, temporaryCheckout } from './checkout.ts';
import { type AwsOfTest, terraformEnvironment } from './terraform.ts';

/** How a run of the command ended. */
export interface Managed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A temporary checkout in which commands of `manage` are run as an operator does. */
export interface ManagedCheckout extends Checkout {
  /** Folder that the commands take for the machine's temporary one. */
  readonly temporary: string;
  /** Runs a command to its end, without a terminal: what `npm run manage` starts, without npm. */
  manage(parameters: readonly string[]): Promise<Managed>;
  /**
   * The same by `npm run --silent manage -- ...`.
   *
   * @param watch - sees everything that it writes as it comes, and may interrupt the whole process
   *   group, as Ctrl-C does
   */
  manageByNpm(
    parameters: readonly string[],
    watch?: (written: string, interrupt: () => void) => void,
  ): Promise<Managed>;
  /** All that every run has written, one after the other. */
  readonly everythingWritten: () => string;
}

/**
 * A temporary checkout for commands of `manage`, which synthesize by themselves.
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
  if (options.afterSynth !== undefined) checkout.afterSynth(options.afterSynth);
  let everything = '';

  const start = async (
    program: string,
    parameters: readonly string[],
    watch: NonNullable<Parameters<ManagedCheckout['manageByNpm']>[1]> = () => undefined,
  ): Promise<Managed> => {
    const child = spawn(program, parameters, {
      cwd: checkout.root,
      env: {
        ...terraformEnvironment(emulator, cliConfigDirectory),
        ...compileCacheOf(checkout.root),
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
    manage: (parameters) => start(process.execPath, ['src/operations/main.ts', ...parameters]),
    manageByNpm: (parameters, watch) =>
      start('npm', ['run', '--silent', 'manage', '--', ...parameters], watch),
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
