import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the documentation. */
export interface Page {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every Markdown page of the documentation: those beside the README, and those in docs/. */
export function documentationPages(root: string): readonly Page[] {
  const beside = readdirSync(root);
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...beside, ...below.map((path) => `docs/${path.replaceAll('\\', '/')}`)]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/**
 * The page with every section that it has, the text between `<!-- begin NAME -->` and
 * `<!-- end NAME -->`, as it should be.
 *
 * @throws Error for a section that does not end, or that nothing generates
 */
export function withSections(text: string, sections: Readonly<Record<string, string>>): string {
  return sectionsIn(text).reduce((page, name) => {
    const section = sections[name];
    if (section === undefined) throw new Error(`nothing generates the section "${name}"`);
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const from = page.indexOf(begin) + begin.length;
    const to = page.indexOf(end, from);
    if (to < 0) throw new Error(`after ${begin} there must be ${end}`);
    return `${page.slice(0, from)}\n\n${section}\n\n${page.slice(to)}`;
  }, text);
}

/** Names of the generated sections of a page. */
export function sectionsIn(text: string): readonly string[] {
  return [...text.matchAll(/<!-- begin (.+?) -->/g)].map(([, name = '']) => name);
}
