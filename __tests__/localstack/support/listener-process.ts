import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endChild } from '../../support/child-process.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { run } from '../../support/run-program.ts';
import { credentials, type LocalStack, region } from './localstack.ts';

const root = join(import.meta.dirname, '../../..');
const program = join(root, 'listener/src/main.ts');
const START_DEADLINE = 240_000;

/** The listener as it is deployed, in a process of its own. */
export interface ListenerProcess {
  /** Where SNS delivers to; undefined for a worker. */
  readonly url: string | undefined;
  /** The lines of its log so far. */
  readonly log: readonly LogLine[];
  /** Ends it and nothing else. @returns its exit code, or the signal that ended it */
  stop(): Promise<number | string | null>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
}

export type LogLine = Readonly<Record<string, unknown>>;

/** What the listener works with. */
export interface ListenerSettings {
  readonly localStack: Pick<LocalStack, 'url'>;
  readonly databaseUrl: string;
  /** More variables, and other values. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What follows `serve`. @default ['--migrate'] */
  readonly parameters?: readonly string[];
}

/**
 * Starts `file-processing serve` on free ports and waits until it listens. It ends with this
 * process at the latest.
 *
 * @throws Error with everything it wrote when it does not listen within four minutes
 */
export async function startListener(settings: ListenerSettings): Promise<ListenerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'listener-'));
  const { parameters = ['--migrate'] } = settings;
  const guard = join(import.meta.dirname, 'end-with-parent.ts');
  const child = spawn(process.execPath, ['--import', guard, program, 'serve', ...parameters], {
    // It loads the .env of its folder: there is none.
    cwd: folder,
    env: environmentOf(settings, folder),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const log: LogLine[] = [];
  const stop = async () => {
    const code = await endChild(child);
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  try {
    const port = await listening(child, log);
    const url = port === undefined ? undefined : `http://127.0.0.1:${port}/`;
    const kill = async () => {
      child.kill('SIGKILL');
      await stop();
    };
    return { url, log, stop, kill };
  } catch (error) {
    if (child.pid !== undefined) await stop();
    throw error;
  }
}

/**
 * Runs another command of the listener to its end.
 *
 * @throws Error with everything it wrote when it fails
 */
export async function runListenerCommand(
  settings: Omit<ListenerSettings, 'parameters'>,
  parameters: readonly string[],
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(process.execPath, [program, ...parameters], {
    environment: environmentOf(settings, tmpdir()),
  });
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}:\n${stdout}${stderr}`);
  return stdout;
}

/** @returns the port for SNS, which a worker has not */
async function listening(child: ChildProcess, log: LogLine[]): Promise<number | undefined> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the listener has no standard output');
  const started = Promise.withResolvers<number | undefined>();
  let errors = '';
  stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  createInterface({ input: stdout }).on('line', (text) => {
    const line: LogLine = JSON.parse(text);
    log.push(line);
    if (line.msg !== 'listening') return;
    started.resolve(typeof line.port === 'number' ? line.port : undefined);
  });
  child.once('error', started.reject);
  const fail = (reason: string) =>
    started.reject(new Error(`the listener ${reason}:\n${errors}${JSON.stringify(log, null, 1)}`));
  child.once('close', (code, signal) => fail(`ended with ${code ?? signal}`));
  const timer = setTimeout(() => fail('does not listen'), START_DEADLINE);
  try {
    return await started.promise;
  } finally {
    clearTimeout(timer);
  }
}

/** The whole of it: what this machine has set for AWS or a database must not matter. */
function environmentOf(
  { localStack, databaseUrl, environment }: Omit<ListenerSettings, 'parameters'>,
  home: string,
): NodeJS.ProcessEnv {
  return {
    ...COMPILE_CACHE,
    PATH: process.env.PATH,
    HOME: home,
    PORT: '0',
    METRICS_PORT: '0',
    UNMONITORED: 'judge',
    AWS_ENDPOINT_URL: localStack.url,
    AWS_ENDPOINT_URL_SNS: localStack.url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    DATABASE_URL: databaseUrl,
    ...environment,
  };
}
