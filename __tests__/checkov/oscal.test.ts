import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OSCAL_FILES } from '../../audit/report/oscal-report.ts';
import { runAuditHere } from '../audit/support/run-audit.ts';
import { pythonEnvironment } from '../support/python-environment.ts';
import { ROOT } from '../support/run-main.ts';
import { run } from '../support/run-program.ts';

let workspace: string;
let out: string;
let python: string;

beforeAll(async () => {
  python = await pythonEnvironment(join(ROOT, 'test-support/trestle/requirements.txt'));
  [workspace, out] = ['trestle-', 'audit-'].map((name) => mkdtempSync(join(tmpdir(), name))) as [
    string,
    string,
  ];
  await runAuditHere(['--only-rules', '--environment', 'complete', '--out', out]);
  await succeeds('init', '--local');
});
afterAll(() => {
  for (const folder of [workspace, out]) rmSync(folder, { recursive: true, force: true });
});

async function succeeds(...parameters: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(python, ['-m', 'trestle', ...parameters], {
    directory: workspace,
  });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return `${stdout}${stderr}`;
}

describe('compliance-trestle', () => {
  it.each([
    ['assessment-plan', OSCAL_FILES.plan],
    ['assessment-results', OSCAL_FILES.results],
  ])('reads the %s back, and finds it valid', async (model, file) => {
    await succeeds('import', '--file', join(out, 'complete', file), '--output', model);
    const said = await succeeds('validate', '--type', model, '--name', model);
    expect(said).toContain('VALID');
    expect(said).not.toContain('INVALID');
  });
});
