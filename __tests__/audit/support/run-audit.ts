import { runAudit } from '../../../audit/cli.ts';
import type { Report } from '../../../audit/report/summary.ts';
import { ROOT } from '../../support/run-main.ts';

/** What a run of the command left behind. */
export interface AuditRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A day on which the waivers of the repository hold. */
export const A_DAY = new Date('2026-12-01T12:00:00Z');

/** Runs `npm run audit` in this process. */
export async function runAuditHere(
  parameters: readonly string[],
  {
    root = ROOT,
    now = A_DAY,
    env = process.env as Readonly<Record<string, string | undefined>>,
  } = {},
): Promise<AuditRun> {
  const written = { stdout: '', stderr: '' };
  const writer = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await runAudit(parameters, {
    root,
    env,
    stdout: writer('stdout'),
    stderr: writer('stderr'),
    now: () => now,
  });
  return { code, ...written };
}

/** The reports that `--json` printed. */
export function reportsOf({ stdout }: AuditRun): readonly Report[] {
  return JSON.parse(stdout) as readonly Report[];
}
