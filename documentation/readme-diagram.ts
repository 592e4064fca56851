import { mermaidOf } from '../src/synthesized/diagram/mermaid.ts';
import type { Model } from '../src/synthesized/model/model.ts';
import { replaceSection } from './readme-tables.ts';

/** The README with the picture of the stacks as it should be now. */
export function readmeWithDiagram(readme: string, model: Model): string {
  return replaceSection(
    readme,
    'diagram of the stacks',
    `\`\`\`mermaid\n${mermaidOf(model)}\`\`\``,
  );
}
