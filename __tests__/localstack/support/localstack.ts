import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { endChild } from '../../support/child-process.ts';
import { freePort } from '../../support/free-port.ts';
import { localStackFolder, localStackPython } from './localstack-environment.ts';

/** For a machine that is as busy as it gets. */
const START_DEADLINE = 240_000;

/** LocalStack has no other partition, so the tests can't be in GovCloud as the stacks are. */
export const region = 'us-east-1';

/** LocalStack takes any credentials; the account is its own. */
export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const;
const ACCOUNT = '000000000000';

/** ARN of a topic in LocalStack, known before the topic is made. */
export function topicArnOf(name: string): string {
  return `arn:aws:sns:${region}:${ACCOUNT}:${name}`;
}

/** A running LocalStack (see test-support/localstack/README.md). */
export interface LocalStack {
  /** `http://127.0.0.1:<port>`; the same endpoint for every AWS service. */
  readonly url: string;
  readonly s3: S3Client;
  readonly sns: SNSClient;
  /** What all of its processes have written, one line a request. */
  log(): Promise<string>;
}

/** A {@link LocalStack} that belongs to whoever started it. */
export interface OwnLocalStack extends LocalStack {
  /** Starts it again at the same URL; it has forgotten everything and signs with a new key. */
  restart(): Promise<void>;
  /** Lets this process end while it runs; it ends with it all the same. */
  unref(): void;
  /** Ends this LocalStack and nothing else. */
  stop(): Promise<void>;
}

/**
 * Starts LocalStack on a free loopback port and waits until it answers. It ends with this process
 * at the latest, and its files with it.
 *
 * @param port @default a free one
 * @throws Error with LocalStack's log when it does not answer within four minutes.
 */
export async function startLocalStack(port?: number): Promise<OwnLocalStack> {
  const python = await localStackPython();
  const folder = await mkdtemp(join(tmpdir(), 'localstack-'));
  const logFile = join(folder, 'localstack.log');
  const log = () => readFile(logFile, 'utf8');
  const usedPort = port ?? (await freePort());
  const url = `http://127.0.0.1:${usedPort}`;
  const start = () => startServer(python, { port: usedPort, folder, logFile });

  const settings = { region, endpoint: url, credentials };
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const sns = new SNSClient(settings);
  const forget = async () => {
    s3.destroy();
    sns.destroy();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    let server = await start();
    return {
      url,
      s3,
      sns,
      async restart() {
        await endChild(server);
        server = await start();
      },
      unref: () => unref(server),
      log,
      async stop() {
        await endChild(server);
        await forget();
      },
    };
  } catch (cause) {
    const written = await log();
    await forget();
    throw new Error(`LocalStack did not start:\n${written}`, { cause });
  }
}

interface ServerOptions {
  readonly port: number;
  readonly folder: string;
  readonly logFile: string;
}

async function startServer(python: string, options: ServerOptions): Promise<ChildProcess> {
  const server = launch(python, options);
  try {
    await ready(server);
    return server;
  } catch (error) {
    if (server.pid !== undefined) await endChild(server);
    throw error;
  }
}

/** It says so on standard output once it listens; that closes without a word when it fails. */
async function ready(server: ChildProcess): Promise<void> {
  if (server.stdout === null) throw new Error('LocalStack has no standard output');
  const lines = createInterface({ input: server.stdout });
  const signal = AbortSignal.timeout(START_DEADLINE);
  const isReady = Promise.withResolvers<void>();
  lines.on('line', (line) => {
    if (line === 'Ready.') isReady.resolve();
  });
  lines.once('close', () => isReady.reject(new Error('it ended before it was ready')));
  server.once('error', isReady.reject);
  signal.addEventListener('abort', () => isReady.reject(signal.reason));
  await isReady.promise;
}

/** Its pipes, which are sockets, would keep this process as well. */
function unref(server: ChildProcess): void {
  server.unref();
  for (const pipe of [server.stdin, server.stdout]) if (pipe instanceof Socket) pipe.unref();
}

function launch(python: string, { port, folder, logFile }: ServerOptions): ChildProcess {
  const logDescriptor = openSync(logFile, 'a');
  try {
    const program = join(localStackFolder, 'host_mode.py');
    const programArguments = ['--port', String(port), '--folder', folder, '--until-stdin-closes'];
    return spawn(python, [program, ...programArguments], {
      stdio: ['pipe', 'pipe', logDescriptor],
      // None of ours: a proxy or another LocalStack setting would change what is tested.
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        PYTHONUNBUFFERED: '1',
        // Python would leave compiled files in the checkout.
        PYTHONDONTWRITEBYTECODE: '1',
      },
    });
  } finally {
    closeSync(logDescriptor);
  }
}
