import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelOf } from '../src/synthesized/model/model.ts';
import { readSynthesizedStacks } from '../src/synthesized/synthesized-stack.ts';
import { readmeWithTables } from './readme.ts';
import { readmeWithDiagram } from './readme-diagram.ts';

/** `npm run docs`: writes the generated tables and the picture into the README, from the synthesized stacks. */
const root = join(import.meta.dirname, '..');
const readme = join(root, 'README.md');
const stackJson = (stack: string) =>
  JSON.parse(readFileSync(join(root, 'cdktf.out/stacks', stack, 'cdk.tf.json'), 'utf8'));

const withTables = readmeWithTables(readFileSync(readme, 'utf8'), {
  'foundation-network': stackJson('foundation-network').output,
  'file-processing': stackJson('file-processing').output,
});
const stacks = readSynthesizedStacks(join(root, 'cdktf.out'));
writeFileSync(readme, readmeWithDiagram(withTables, modelOf(stacks)));
