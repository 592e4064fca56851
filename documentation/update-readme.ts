import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readmeWithTables } from './readme.ts';

/** `npm run docs`: writes the generated tables into the README, from the synthesized stacks. */
const root = join(import.meta.dirname, '..');
const readme = join(root, 'README.md');
const stackJson = (stack: string) =>
  JSON.parse(readFileSync(join(root, 'cdktf.out/stacks', stack, 'cdk.tf.json'), 'utf8'));

writeFileSync(
  readme,
  readmeWithTables(readFileSync(readme, 'utf8'), {
    'foundation-network': stackJson('foundation-network').output,
    'file-processing': stackJson('file-processing').output,
  }),
);
