import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { endChild } from '../../support/child-process.ts';
import { pythonEnvironment } from '../../support/python-environment.ts';

const emulatorDirectory = join(import.meta.dirname, '../../../test-support/aws-emulator');

/** For a machine that is as busy as it gets. */
const startDeadline = 300_000;

/** The Python packages of the emulator. */
export const emulatorRequirements = join(emulatorDirectory, 'requirements.txt');

/** A running AWS emulator (see test-support/aws-emulator/README.md). */
export interface AwsEmulator {
  /** `http://127.0.0.1:<port>`; the same endpoint for every AWS service. */
  readonly url: string;
  /** Creates an empty bucket, as data sources and notifications need one that exists. */
  createBucket(bucket: string, region: string): Promise<void>;
  /**
   * One call of a service with the AWS Query protocol, such as IAM, SNS or EC2.
   *
   * @example
   * await emulator.query('iam', 'us-gov-west-1', {
   *   Action: 'CreateRole', Version: '2010-05-08', RoleName: 'Admin', AssumeRolePolicyDocument: '{}',
   * });
   *
   * @returns the answer's XML
   * @throws Error with the service's own message
   */
  query(service: string, region: string, parameters: Record<string, string>): Promise<string>;
  /** What it is asked while something is done. */
  recorded(work: () => Promise<unknown>): Promise<readonly RecordedRequest[]>;
  /**
   * Reads an object.
   *
   * @throws Error when there is none
   */
  getObject(bucket: string, key: string, region: string): Promise<string>;
  /** Writes an object. */
  putObject(bucket: string, key: string, region: string, body: string): Promise<void>;
  /** Removes an object. */
  deleteObject(bucket: string, key: string, region: string): Promise<void>;
  /** Forgets every resource. */
  reset(): Promise<void>;
  /** What the server has written, one line a request. */
  log(): Promise<string>;
  /** Ends this emulator and nothing else. */
  stop(): Promise<void>;
}

/** Options of {@link startAwsEmulator}. */
export interface AwsEmulatorOptions {
  /** Address of a real Kubernetes API server for every cluster. @default one that does not exist */
  readonly eksEndpoint?: string;
  /** PEM file of that server's certificate authority. @default a certificate made up for it */
  readonly eksCertificateAuthorityFile?: string;
  /** More arguments for emulator.py. @default none */
  readonly extraArguments?: readonly string[];
}

/** A request, as moto's recorder has it. */
export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In Base64 where `body_encoded` is true. */
  readonly body: string;
  readonly body_encoded: boolean;
}

let ofThisWorker: Promise<AwsEmulator> | undefined;

/**
 * The emulator of this vitest worker, empty: started for its first test file and emptied after each,
 * as `stop` does here. It ends with the worker.
 */
export async function emptyAwsEmulator(): Promise<AwsEmulator> {
  ofThisWorker ??= startAwsEmulator();
  const emulator = await ofThisWorker;
  return { ...emulator, stop: emulator.reset };
}

/**
 * Starts the emulator on a free loopback port and waits until it answers. It ends with this
 * process at the latest.
 *
 * @throws Error with the server's log when it does not answer within five minutes.
 */
export async function startAwsEmulator(options: AwsEmulatorOptions = {}): Promise<AwsEmulator> {
  const python = await pythonEnvironment(emulatorRequirements);
  const directory = await mkdtemp(join(tmpdir(), 'aws-emulator-'));
  const logFile = join(directory, 'emulator.log');
  const log = () => readFile(logFile, 'utf8');
  const child = startServer(python, logFile, options);

  const stop = async () => {
    await endChild(child);
    await rm(directory, { recursive: true, force: true });
  };

  try {
    const url = await urlPrinted(child);
    await answer(url, { path: '/moto-api/config' });
    return {
      url,
      createBucket: async (bucket, region) => {
        // Everywhere but in us-east-1 S3 wants the region in the request's body too.
        const location = `<LocationConstraint>${region}</LocationConstraint>`;
        const configuration = `<CreateBucketConfiguration>${location}</CreateBucketConfiguration>`;
        await answer(url, {
          path: `/${bucket}`,
          method: 'PUT',
          authorization: credentials('s3', region),
          body: region === 'us-east-1' ? undefined : configuration,
        });
      },
      recorded: async (work) => {
        const recorder = (path: string) =>
          answer(url, { path: `/moto-api/recorder/${path}`, method: 'POST' });
        await recorder('reset-recording');
        await recorder('start-recording');
        try {
          await work();
        } finally {
          await recorder('stop-recording');
        }
        const lines = await answer(url, { path: '/moto-api/recorder/download-recording' });
        return lines
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as RecordedRequest);
      },
      query: (service, region, parameters) =>
        answer(url, {
          path: '/',
          method: 'POST',
          authorization: credentials(service, region),
          body: new URLSearchParams(parameters),
        }),
      getObject: (bucket, key, region) =>
        answer(url, { path: `/${bucket}/${key}`, authorization: credentials('s3', region) }),
      putObject: async (bucket, key, region, body) => {
        const authorization = credentials('s3', region);
        await answer(url, { path: `/${bucket}/${key}`, method: 'PUT', authorization, body });
      },
      deleteObject: async (bucket, key, region) => {
        const authorization = credentials('s3', region);
        await answer(url, { path: `/${bucket}/${key}`, method: 'DELETE', authorization });
      },
      reset: async () => {
        await answer(url, { path: '/moto-api/reset', method: 'POST' });
      },
      log,
      stop,
    };
  } catch (cause) {
    const written = await log();
    await stop();
    throw new Error(`The AWS emulator did not start:\n${written}`, { cause });
  }
}

function startServer(python: string, logFile: string, options: AwsEmulatorOptions): ChildProcess {
  const logDescriptor = openSync(logFile, 'w');
  try {
    const emulator = join(emulatorDirectory, 'emulator.py');
    const extraArguments = options.extraArguments ?? [];
    return spawn(python, [emulator, '--until-stdin-closes', ...extraArguments], {
      stdio: ['pipe', 'pipe', logDescriptor],
      env: {
        ...process.env,
        // Python would leave compiled files in the checkout.
        PYTHONDONTWRITEBYTECODE: '1',
        // Where it writes what it is asked, once a test has it record.
        MOTO_RECORDER_FILEPATH: join(dirname(logFile), 'requests.jsonl'),
        EKS_ENDPOINT: options.eksEndpoint ?? '',
        EKS_CA_FILE: options.eksCertificateAuthorityFile ?? '',
      },
    });
  } finally {
    closeSync(logDescriptor);
  }
}

/** The address that the server writes on its first line. */
async function urlPrinted(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('The emulator has no standard output');
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(startDeadline);
  // Standard output closes without a line when the server fails at its start.
  const [line] = await Promise.race([
    once(lines, 'line', { signal }),
    once(lines, 'close', { signal }),
    once(child, 'error', { signal }),
  ]);
  const url = /http:\/\/\S+$/.exec(String(line))?.[0];
  if (url === undefined) throw new Error('The server ended before it named its address');
  return url;
}

interface EmulatorRequest {
  readonly path: string;
  /** @default 'GET' */
  readonly method?: string;
  readonly authorization?: string;
  readonly body?: string | URLSearchParams;
}

async function answer(url: string, request: EmulatorRequest): Promise<string> {
  const response = await fetch(new URL(request.path, url), {
    method: request.method ?? 'GET',
    headers: request.authorization ? { authorization: request.authorization } : {},
    body: request.body,
    signal: AbortSignal.timeout(startDeadline),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(
      `${request.method ?? 'GET'} ${request.path} answered ${response.status}:\n${text}`,
    );
  }
  return text;
}

/** The server reads service and region from the signature's scope and verifies nothing. */
function credentials(service: string, region: string): string {
  const scope = `test/20260101/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
}
