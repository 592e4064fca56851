import process from 'node:process';
import { modelOf } from '../model/model.ts';
import { readSynthesizedStacks } from '../synthesized-stack.ts';
import { mermaidOf } from './mermaid.ts';

/** `npm run diagram [-- FOLDER]`: prints the stacks of a synthesized folder as Mermaid. */
const folder = process.argv[2] ?? (process.env.CDKTF_OUTPUT || 'cdktf.out');
process.stdout.write(mermaidOf(modelOf(readSynthesizedStacks(folder))));
