import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pythonEnvironment } from '../../support/python-environment.ts';
import { ROOT } from '../../support/run-main.ts';

/** Checkov's runs are short: to look for unreachable cycles takes a fifth of their time. */
const WITHOUT_COLLECTOR =
  'import gc, runpy; gc.disable(); runpy.run_module("checkov.main", run_name="__main__", alter_sys=True)';

/** Path of the pinned checkov, installed below the user's cache folder when it is first asked for. */
export async function checkovProgram(): Promise<string> {
  const python = await pythonEnvironment(join(ROOT, 'test-support/checkov/requirements.txt'));
  const program = join(dirname(python), 'checkov');
  // The one that pip made names the folder in which the environment was made, which is another.
  const unfinished = `${program}.${process.pid}`;
  const text = `#!/bin/sh\nexec '${python}' -c '${WITHOUT_COLLECTOR}' "$@"\n`;
  await writeFile(unfinished, text, { mode: 0o755 });
  await rename(unfinished, program);
  return program;
}
