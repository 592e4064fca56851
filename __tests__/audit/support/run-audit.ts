import { join } from 'node:path';
import { runAudit } from '../../../audit/cli.ts';
import type { Report } from '../../../audit/report/summary.ts';
import { ALL_RULES } from '../../../audit/rules/all-rules.ts';
import { ROOT } from '../../support/run-main.ts';

/** What a run of the command left behind. */
export interface AuditRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A day on which the waivers of the repository hold. */
export const A_DAY = new Date('2026-12-01T12:00:00Z');

/** Asking a Terraform for its version takes as long as many rules, and no test here looks at it. */
const WITHOUT_TERRAFORM = { TERRAFORM_BINARY: join(ROOT, 'none') };

/** Runs `npm run audit` in this process. */
export async function runAuditHere(
  parameters: readonly string[],
  {
    root = ROOT,
    now = A_DAY,
    rules = ALL_RULES,
    env = { ...process.env, ...WITHOUT_TERRAFORM } as Readonly<Record<string, string | undefined>>,
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
    rules,
  });
  return { code, ...written };
}

/** The reports that `--json` printed. */
export function reportsOf({ stdout }: AuditRun): readonly Report[] {
  return JSON.parse(stdout) as readonly Report[];
}
