import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../support/run-main.ts';

// Overrides in package.json put lighter packages in the place of some that cdktf-cli loads: its
// layout engine, its client of Sentry, and what compares types when it converts.

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdktf-cli-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(
    join(folder, 'main.cjs'),
    `const { App, DataResource, TerraformStack } = require('cdktf');
const app = new App();
new DataResource(new TerraformStack(app, 'one'), 'kept', { input: 'as it is' });
app.synth();`,
  );
  writeFileSync(
    join(folder, 'cdktf.json'),
    JSON.stringify({ language: 'typescript', app: 'node main.cjs', sendCrashReports: 'false' }),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('cdktf synth says for which stacks it wrote code', () => {
  expect(cdktf(['synth'])).toMatch(/^Generated Terraform code for the stacks: one$/m);
});

test('cdktf diff lays the plan out beside the name of the stack', () => {
  // The name is at the first line of what Terraform wrote at once, blanks as wide at the others.
  expect(cdktf(['diff', 'one'])).toMatch(
    /^(?:one| {3}) {2}Plan: 1 to add, 0 to change, 0 to destroy\./m,
  );
});

test('cdktf convert writes TypeScript that fits types to each other', () => {
  const converted = cdktf(
    ['convert', '--language', 'typescript'],
    'variable "n" { type = list(string) }\noutput "first" { value = upper(var.n[0]) }\n',
  );
  expect(converted).toContain('new TerraformVariable(this, "n"');
  expect(converted).toContain('Fn.upper(Token.asString(');
});

function cdktf(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/cdktf-cli/bundle/bin/cdktf'), ...args],
    {
      cwd: folder,
      input,
      encoding: 'utf8',
      env: { ...process.env, CI: '1', NO_COLOR: '1', CHECKPOINT_DISABLE: '1' },
    },
  );
  expect(status, stderr).toBe(0);
  return stripVTControlCharacters(stdout);
}
