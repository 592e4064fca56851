import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSynthesizedStacks } from '../../src/synthesized/synthesized-stack.ts';
import { documentationPages, withSections } from './pages.ts';
import { generatedSections } from './sections.ts';

/** `npm run docs`: writes every generated section into its page, from the tables and the synthesized stacks. */
const root = join(import.meta.dirname, '../..');
const sections = generatedSections(readSynthesizedStacks(join(root, 'cdktf.out')));
for (const { path, text } of documentationPages(root)) {
  const updated = withSections(text, sections);
  if (updated !== text) writeFileSync(join(root, path), updated);
}
