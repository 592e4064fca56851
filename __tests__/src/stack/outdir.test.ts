import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT, runMain } from '../../support/run-main.ts';

test('an output folder that cannot be written is one line, without a stack trace', () => {
  // Nobody makes a folder below a file, not even root.
  const outdir = join(ROOT, 'LICENSE/cdktf.out');
  const { status, stdout, stderr } = runMain({ env: { CDKTF_OUTDIR: outdir } });
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `${outdir} can't be written (ENOTDIR): CDKTF_OUTPUT names another folder for the synthesized JSON\n`,
  });
});

test.skipIf(!existsSync('/dev/full'))('so is a disk that is full', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'outdir-'));
  onTestFinished(() => rmSync(outdir, { recursive: true }));
  symlinkSync('/dev/full', join(outdir, 'manifest.json'));
  const { status, stdout, stderr } = runMain({ env: { CDKTF_OUTDIR: outdir } });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^\S+ can't be written \(ENOSPC\): CDKTF_OUTPUT names [^\n]*\n$/m);
  expect(stderr).not.toContain('    at ');
});
