import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Look } from '../look.ts';
import { shownPath } from '../report-paths.ts';

/** A file that was audited. */
export interface Artifact {
  readonly stack: string;
  readonly region: string;
  /** As reports show it: from the current folder. */
  readonly path: string;
  /** SHA-256 in hexadecimal, so that anybody can tell whether it is the file at hand. */
  readonly sha256: string;
  readonly text: string;
}

/** The stacks' files of one look. */
export function artifactsOf({ model, region }: Look): readonly Artifact[] {
  return model.stacks.map(({ name, path }) => {
    const text = readFileSync(path, 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { stack: name, region, path: shownPath(path), sha256, text };
  });
}
