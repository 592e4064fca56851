import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type AwsEmulator, emptyAwsEmulator } from './aws-emulator.ts';
import { findAwsProvider } from './provider-mirror.ts';
import { startProviderProxy } from './provider-proxy.ts';
import { typesOfOurStacks } from './provider-schema.ts';
import { awsEnvironment } from './terraform.ts';

/** For a machine that is as busy as it gets. */
const startDeadline = 300_000;

/** An emulator, and a provider that the Terraform commands of a test share. */
export interface AttachedAws extends AwsEmulator {
  /** What leads Terraform to the provider; nothing where it must fetch one from its registry. */
  readonly attached: Readonly<Record<string, string>>;
}

let ofThisWorker: Promise<AttachedAws['attached']> | undefined;

/**
 * The emulator of this vitest worker, empty, and the AWS provider as a process that stays
 * ("Debugging Terraform providers", Terraform's plugin development pages). A Terraform command starts
 * the provider up to four times, which is most of the command's time; attached, it is started once a
 * worker. The commands must run one after the other, since each configures the provider anew.
 *
 * Terraform neither installs an attached provider nor checks its version: tests of that use
 * {@link emptyAwsEmulator}.
 *
 * @throws Error when the emulator or the provider does not start within five minutes
 */
export async function emptyAttachedAws(): Promise<AttachedAws> {
  const emulator = await emptyAwsEmulator();
  ofThisWorker ??= startProvider(emulator.url);
  return { ...emulator, attached: await ofThisWorker };
}

/** The same emulator with another provider, for commands that run beside others. It ends with the worker. */
export async function withProviderOfItsOwn(aws: AttachedAws): Promise<AttachedAws> {
  return { ...aws, attached: await startProvider(aws.url) };
}

async function startProvider(endpoint: string): Promise<AttachedAws['attached']> {
  const program = findAwsProvider();
  if (program === undefined) return {};
  // It knows no parent to end with.
  const guard = join(import.meta.dirname, '../../support/run-guarded.ts');
  const provider = spawn(process.execPath, [guard, program, '-debug'], {
    env: awsEnvironment(endpoint),
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  try {
    return { TF_REATTACH_PROVIDERS: await withLimitedSchema(await reattachValue(provider)) };
  } catch (cause) {
    provider.kill('SIGTERM');
    throw new Error(`${program} -debug did not say where it is to be found`, { cause });
  }
}

/** The variable's value with a proxy in the provider's place. */
async function withLimitedSchema(reattach: string): Promise<string> {
  const providers = JSON.parse(reattach) as Record<string, { Addr: Address }>;
  for (const provider of Object.values(providers)) {
    const port = await startProviderProxy(provider.Addr.String, typesOfOurStacks());
    provider.Addr = { Network: 'tcp', String: `127.0.0.1:${port}` };
  }
  return JSON.stringify(providers);
}

interface Address {
  readonly Network: string;
  readonly String: string;
}

/** The variable's value, which the provider writes for its user to copy. */
async function reattachValue(provider: ChildProcess): Promise<string> {
  if (provider.stdout === null) throw new Error('The provider has no standard output');
  const lines = createInterface({ input: provider.stdout });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  lines.on('line', (line) => {
    const value = /TF_REATTACH_PROVIDERS='(.+)'/.exec(line)?.[1];
    if (value !== undefined) resolve(value);
  });
  lines.once('close', () => reject(new Error('It ended at its start')));
  provider.once('error', reject);
  AbortSignal.timeout(startDeadline).addEventListener('abort', ({ target }) =>
    reject((target as AbortSignal).reason),
  );
  return await promise;
}
