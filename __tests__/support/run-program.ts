import { spawn } from 'node:child_process';

/** What a finished program left behind. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@link run}. */
export interface RunOptions {
  /** @default the current folder */
  readonly directory?: string;
  /** The whole environment of the program. @default that of this process */
  readonly environment?: NodeJS.ProcessEnv;
  /** Milliseconds after which the program is interrupted. @default 600000 */
  readonly deadline?: number;
  /** Is given all of its standard output so far, whenever there is more. @default nobody */
  readonly onOutput?: (stdout: string) => void;
}

/**
 * Runs a program to its end and returns what it wrote, whatever its exit code is.
 *
 * @throws Error when the program does not exist or had to be interrupted.
 */
export function run(
  program: string,
  programArguments: readonly string[],
  options: RunOptions = {},
): Promise<ProgramResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>();
  const child = spawn(program, programArguments, {
    cwd: options.directory,
    env: options.environment ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.deadline ?? 600_000,
    killSignal: 'SIGINT',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    options.onOutput?.(Buffer.concat(stdout).toString('utf8'));
  });
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.on('error', (cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'was not found on PATH' : 'could not be started';
    reject(new Error(`${program} ${reason}`, { cause }));
  });
  child.on('close', (exitCode, signal) => {
    const result = {
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: Buffer.concat(stderr).toString('utf8'),
    };
    if (exitCode === null) {
      reject(new Error(`${program} was ended by ${signal}:\n${result.stdout}${result.stderr}`));
    } else {
      resolve({ exitCode, ...result });
    }
  });
  return promise;
}
