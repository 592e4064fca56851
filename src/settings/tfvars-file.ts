import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './finding.ts';
import { readHclLiterals } from './tfvars/hcl-literals.ts';
import { readTfvarsJson } from './tfvars/tfvars-json.ts';
import type { TfvarsAssignment } from './tfvars/tfvars-value.ts';

/** What a tfvars file assigns, and what is wrong with its text. */
export interface TfvarsFile {
  /** Path below the root; ends in `.json` if that form was found. */
  readonly file: string;
  readonly assignments: readonly TfvarsAssignment[];
  readonly faults: readonly Finding[];
}

/** Whether there is a file that {@link readTfvarsFile} would read. */
export function isTfvarsFile(root: string, path: string): boolean {
  return [path, `${path}.json`].some((candidate) => existsSync(join(root, candidate)));
}

/** Reads `path`, or `path.json`, below the root. Neither or both is a fault. */
export function readTfvarsFile(root: string, path: string): TfvarsFile {
  const json = `${path}.json`;
  const found = [path, json].filter((candidate) => existsSync(join(root, candidate)));
  const [file] = found;
  if (file === undefined || found.length > 1) {
    const message =
      file === undefined
        ? `is missing (${json} would do as well)`
        : `stands beside ${json}; keep one of them`;
    return { file: path, assignments: [], faults: [{ file: path, message }] };
  }
  const bytes = readBytes(root, file);
  if (!Buffer.isBuffer(bytes)) return { file, assignments: [], faults: [bytes] };
  if (!isUtf8(bytes)) return { file, assignments: [], faults: [notUtf8(file, bytes)] };
  const text = bytes.toString('utf8');
  const { assignments, faults } = file === json ? readTfvarsJson(text) : readHclLiterals(text);
  return { file, assignments, faults: faults.map((fault) => ({ ...fault, file })) };
}

/** The bytes of a file, or the fault that it can't be read: it is a folder, say, or another user's. */
export function readBytes(root: string, file: string): Buffer | Finding {
  try {
    return readFileSync(join(root, file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { file, message: `can't be read (${code})` };
  }
}

/** Terraform takes UTF-8 alone; another encoding would put replacement characters into names and tags. */
function notUtf8(file: string, bytes: Buffer): Finding {
  const lines = bytes.toString('latin1').split('\n');
  const line = 1 + lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1')));
  return { file, line, message: 'is not UTF-8 text; save the file as UTF-8' };
}
