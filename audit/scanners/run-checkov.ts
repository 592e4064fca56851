import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AuditError } from '../audit-error.ts';
import { EXIT } from '../exit-codes.ts';
import { type CheckovReport, FRAMEWORKS, readCheckovReports } from './checkov-report.ts';

/** Folder of checkov's checks of our own, below the checkout. */
export const EXTRA_CHECKS = 'audit/checkov';

/** Name that checkov gives to the file of its report. */
const RESULTS = 'results_json.json';

/**
 * Runs checkov once on the views of several stacks, since its start takes most of its time. It looks
 * at one folder after the other, each in processes of its own, so that nothing of a stack is known
 * where it looks at the next one. It gets no key and downloads nothing. Variables that configure
 * checkov are taken away, and it is run in an empty folder, so that no configuration at hand can skip
 * a check.
 *
 * @param program - see find-checkov.ts
 * @param views - folders with `plan.json` and `manifests/`, none in another
 * @param root - the checkout
 * @returns what it said of each folder, in their order
 * @throws AuditError when it breaks down
 */
export async function runCheckov(
  program: string,
  views: readonly string[],
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly CheckovReport[]> {
  const empty = await mkdtemp(join(tmpdir(), 'checkov-'));
  const folders = views.map((folder) => resolve(folder));
  try {
    const said = await output(
      program,
      [
        ...folders.flatMap((folder) => ['--directory', folder]),
        // With two of them it gives each a process of its own.
        ...['--framework', ...FRAMEWORKS],
        ...['--external-checks-dir', resolve(root, EXTRA_CHECKS)],
        ...['--output', 'json', '--output-file-path', '.'],
        '--compact',
        '--skip-download',
      ],
      { cwd: empty, env: { ...unconfigured(env), LOG_LEVEL: 'ERROR', XDG_CACHE_HOME: empty } },
    );
    try {
      return readCheckovReports(await readFile(join(empty, RESULTS), 'utf8'), folders);
    } catch (cause) {
      const reason = `${(cause as Error).message}\n${lastLines(said)}`;
      throw new AuditError(`checkov gave no report on ${views.join(', ')}: ${reason}`, {
        next: `run it by hand: ${program} --directory ${views[0]}`,
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
): Promise<string> {
  const { promise, resolve: done } = Promise.withResolvers<string>();
  execFile(
    program,
    parameters,
    { ...options, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
    (error, stdout, stderr) => done(stderr || stdout || (error?.message ?? '')),
  );
  return promise;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-10).join('\n');
}
