import { accessSync, constants } from 'node:fs';
import { makeFolder } from '@file-processing/contract/make-folder.ts';

/**
 * The folder that the JSON goes to, made where it is not there. One that can't be written ends the
 * process with one line and code 1, where cdktf would show a stack trace.
 */
export function outdirOrExit({ CDKTF_OUTDIR, CDKTF_OUTPUT }: NodeJS.ProcessEnv): string {
  const outdir = CDKTF_OUTDIR || CDKTF_OUTPUT || 'cdktf.out';
  try {
    makeFolder(outdir);
    accessSync(outdir, constants.W_OK);
    return outdir;
  } catch (error) {
    return exit(outdir, error);
  }
}

/** Writes below that folder, and likewise ends the process where the file system refuses. Other errors stay as they are. */
export function writeOrExit(outdir: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    exit(outdir, error);
  }
}

function exit(outdir: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  process.stderr.write(
    `${outdir} can't be written (${code}): CDKTF_OUTPUT names another folder for the synthesized JSON\n`,
  );
  process.exit(1);
}
