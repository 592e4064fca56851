import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AuditError } from '../audit-error.ts';
import { EXIT } from '../exit-codes.ts';
import { type CheckovReport, FRAMEWORKS, readCheckovReport } from './checkov-report.ts';

/** Folder of checkov's checks of our own, below the checkout. */
export const EXTRA_CHECKS = 'audit/checkov';

/**
 * Runs checkov on the views of one stack, one process a stack, since addresses repeat between stacks.
 * It gets no key and downloads nothing. Variables that configure checkov are taken away, and it is
 * run in an empty folder, so that no configuration at hand can skip a check.
 *
 * @param program - see find-checkov.ts
 * @param views - folder with `plan.json` and `manifests/`
 * @param root - the checkout
 * @throws AuditError when it breaks down
 */
export async function runCheckov(
  program: string,
  views: string,
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CheckovReport> {
  const empty = await mkdtemp(join(tmpdir(), 'checkov-'));
  try {
    const { stdout, stderr } = await output(
      program,
      [
        ...['--directory', resolve(views)],
        ...['--framework', ...FRAMEWORKS],
        ...['--external-checks-dir', resolve(root, EXTRA_CHECKS)],
        ...['--output', 'json'],
        '--compact',
        '--skip-download',
      ],
      { cwd: empty, env: { ...unconfigured(env), LOG_LEVEL: 'ERROR', XDG_CACHE_HOME: empty } },
    );
    try {
      return readCheckovReport(stdout);
    } catch (cause) {
      throw new AuditError(`checkov gave no report on ${views}:\n${lastLines(stderr || stdout)}`, {
        next: `run it by hand: ${program} --directory ${views}`,
        code: EXIT.unavailable,
        cause,
      });
    }
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
}

/** Without what configures checkov or gives it a platform to report to. */
function unconfigured(env: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(CKV|BC|PRISMA|CHECKOV)(_|$)/.test(name)),
  );
}

// Findings make it end with 1, so that its code says nothing.
function output(
  program: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { promise, resolve: done } = Promise.withResolvers<{ stdout: string; stderr: string }>();
  execFile(
    program,
    parameters,
    { ...options, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
    (error, stdout, stderr) => {
      done({ stdout, stderr: stderr || (error?.message ?? '') });
    },
  );
  return promise;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-10).join('\n');
}
