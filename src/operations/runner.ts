import { spawn } from 'node:child_process';
import { EXIT, OperationError } from './operation-error.ts';

/** How a program is run. */
export interface RunOptions {
  /** @default the current folder */
  readonly cwd?: string;
  /** Variables added to the environment; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text for its standard input. @default standard input is empty */
  readonly input?: string;
  /**
   * Where its output goes: `capture` returns it, `stream` shows it as it comes (standard output as
   * well as standard error), `progress` shows both on standard error, `inherit` hands over the
   * terminal. @default 'capture'
   */
  readonly output?: 'capture' | 'stream' | 'progress' | 'inherit';
}

/** How a program ended. */
export interface RunResult {
  readonly code: number;
  /** Empty where the output was inherited. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs programs such as terraform, kubectl, aws and docker. Ending with a code other than 0 is a
 * result, not an error.
 *
 * @throws OperationError when there is no such program (EXIT.unavailable)
 */
export type Runner = (
  program: string,
  parameters: readonly string[],
  options?: RunOptions,
) => Promise<RunResult>;

/** Where streamed output goes. */
export interface Writer {
  write(text: string): unknown;
}

/**
 * A {@link Runner} over node:child_process. While a program runs, an interrupt (Ctrl-C reaches the
 * whole process group) is left to it, so that Terraform can write its state before it ends; SIGTERM,
 * which reaches this process alone, is passed on as an interrupt.
 */
export function processRunner(
  environment: Readonly<Record<string, string | undefined>>,
  streams: { readonly stdout: Writer; readonly stderr: Writer },
): Runner {
  return (program, parameters, options = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
    const mode = options.output ?? 'capture';
    const child = spawn(program, parameters, {
      cwd: options.cwd,
      env: { ...environment, ...options.env },
      stdio: mode === 'inherit' ? 'inherit' : ['pipe', 'pipe', 'pipe'],
    });
    const leaveToChild = () => undefined;
    process.on('SIGINT', leaveToChild);
    // Once: Terraform takes a second interrupt for an order to drop everything.
    let forwarded = false;
    const forward = () => {
      if (!forwarded) child.kill('SIGINT');
      forwarded = true;
    };
    process.on('SIGTERM', forward);
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        written[name] += text;
        if (mode === 'stream') streams[name].write(text);
        if (mode === 'progress') streams.stderr.write(text);
      });
    }
    // A program that does not read its input closes the pipe first.
    child.stdin?.on('error', () => undefined).end(options.input ?? '');
    const settle = () => {
      process.off('SIGINT', leaveToChild);
      process.off('SIGTERM', forward);
    };
    child.on('error', (cause: NodeJS.ErrnoException) => {
      settle();
      const missing = cause.code === 'ENOENT';
      reject(
        new OperationError(
          missing ? `${program} was not found` : `${program} could not be started`,
          {
            next: `install ${program}, put it on PATH, or see what npm run manage -- doctor says`,
            code: EXIT.unavailable,
            cause,
          },
        ),
      );
    });
    child.on('close', (code, signal) => {
      settle();
      resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 143), ...written });
    });
    return promise;
  };
}
