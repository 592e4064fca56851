import { join } from 'node:path';
import { expect, test } from 'vitest';
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
