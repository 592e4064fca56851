import process from 'node:process';
import { modelOf } from '../model/model.ts';
import { readSynthesizedStacks, SynthesizedFolderError } from '../synthesized-stack.ts';
import { mermaidOf } from './mermaid.ts';

/** Wrong usage in sysexits.h, as `manage` and the audit have it. */
const USAGE = 64;

/** `npm run diagram [-- FOLDER]`: prints the stacks of a synthesized folder as Mermaid. */
const folder = process.argv[2] ?? (process.env.CDKTF_OUTPUT || 'cdktf.out');
try {
  process.stdout.write(mermaidOf(modelOf(readSynthesizedStacks(folder))));
} catch (error) {
  if (!(error instanceof SynthesizedFolderError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = USAGE;
}
