import { accessSync, constants, mkdirSync } from 'node:fs';

/**
 * The folder that the JSON goes to, made where it is not there. One that can't be written ends the
 * process with one line and code 1, where cdktf would show a stack trace.
 */
export function outdirOrExit({ CDKTF_OUTDIR, CDKTF_OUTPUT }: NodeJS.ProcessEnv): string {
  const outdir = CDKTF_OUTDIR || CDKTF_OUTPUT || 'cdktf.out';
  try {
    mkdirSync(outdir, { recursive: true });
    accessSync(outdir, constants.W_OK);
    return outdir;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    process.stderr.write(
      `${outdir} can't be written (${code}): CDKTF_OUTPUT names another folder for the synthesized JSON\n`,
    );
    process.exit(1);
  }
}
