import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { awsClients } from '../../src/operations/aws-clients.ts';
import { runOperation } from '../../src/operations/cli.ts';
import type { OperationContext } from '../../src/operations/operation.ts';
import { ROOT } from './run-main.ts';

/** What a command of `manage` left behind. */
export interface ManageResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * A context for commands in this process: nobody can be asked, time stands still, waiting takes
 * none, and a program that is run is an error unless the test gives a runner.
 */
export function operationContext(parts: Partial<OperationContext> = {}): OperationContext {
  return {
    root: ROOT,
    env: {},
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    run: async (program) => {
      throw new Error(`${program} was run`);
    },
    aws: awsClients,
    clock: { now: () => new Date('2026-01-02T03:04:05Z'), sleep: async () => undefined },
    confirm: async () => false,
    ask: async () => undefined,
    onSignal: () => () => undefined,
    ...parts,
  };
}

/** Runs a command of `manage` in this process. */
export async function manage(
  parameters: readonly string[],
  context: Partial<OperationContext> = {},
): Promise<ManageResult> {
  const written = { out: '', err: '' };
  const stdout = { write: (text: string) => (written.out += text) };
  const stderr = { write: (text: string) => (written.err += text) };
  const code = await runOperation(parameters, operationContext({ stdout, stderr, ...context }));
  return { code, ...written };
}

/** The environments that the repository brings; a checkout may have others beside them. */
const ENVIRONMENTS = ['complete', 'etl-playground'];

/** A temporary folder with the repository's environments, for commands that write into them. */
export function temporaryRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'manage-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const name of ENVIRONMENTS) {
    const folder = join('environments', name);
    cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  }
  return root;
}
