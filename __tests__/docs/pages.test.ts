import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { EXIT as LISTENER_EXIT } from '@file-processing/contract/listener-interface.ts';
import { describe, expect, it } from 'vitest';
import { EXIT as AUDIT_EXIT } from '../../audit/errors.ts';
import { documentationPages, sectionsIn, withSections } from '../../docs/generate/pages.ts';
import { generatedSections } from '../../docs/generate/sections.ts';
import { EXIT as MANAGE_EXIT } from '../../src/operations/operation-error.ts';
import { environmentStacks } from '../audit/support/stacks.ts';
import { ROOT } from '../support/run-main.ts';
import { anchorsOf, inlineCodeIn, linksIn } from './support/markdown.ts';

const pages = documentationPages(ROOT);
const textOf = new Map(pages.map(({ path, text }) => [path, text]));

describe('links', () => {
  const links = pages.flatMap(({ path, text }) => linksIn(text).map((link) => ({ path, link })));
  const inside = links.filter(({ link }) => !/^https:\/\//.test(link));

  it('lead to files that there are', () => {
    for (const { path, link } of inside) {
      const [file = ''] = link.split('#');
      expect(existsSync(join(ROOT, dirname(path), file)), `${path}: ${link}`).toBe(true);
    }
  });

  it('lead to headings that there are', () => {
    for (const { path, link } of inside) {
      const [file = '', anchor] = link.split('#');
      if (anchor === undefined) continue;
      const target = file === '' ? path : normalize(join(dirname(path), file));
      expect(anchorsOf(textOf.get(target) ?? ''), `${path}: ${link}`).toContain(anchor);
    }
  });

  it('lead from the README to every page', () => {
    const reached = new Set(['README.md']);
    for (const path of reached) {
      for (const link of linksIn(textOf.get(path) ?? '')) {
        const target = normalize(join(dirname(path), link.split('#')[0] ?? ''));
        if (textOf.has(target)) reached.add(target);
      }
    }
    expect([...textOf.keys()].filter((path) => !reached.has(path))).toEqual([]);
  });
});

/** What `manage plan` ends with, as Terraform's `plan -detailed-exitcode` does. */
const PLAN_HAS_CHANGES = 2;

/** Folders whose files a page may name; what is below others is made by a command. */
const FOLDERS = /^(contract|src|audit|quality|listener|docs|environments|bench|__tests__|\.ci)\//;

/** Made by `npm run build`. */
const BUILT = 'listener/dist/';

it('names only files and folders that there are', () => {
  for (const { path, text } of pages) {
    const blocks = text.match(/```\n(main\.ts[^`]*)```/)?.[1] ?? '';
    const layout = blocks.split('\n').flatMap((line) => line.split(' ')[0] || []);
    const named = inlineCodeIn(text).filter(
      (code) => FOLDERS.test(code) && !/[<*{\s]/.test(code) && code !== BUILT,
    );
    for (const file of [...layout, ...named]) {
      expect(existsSync(join(ROOT, file)), `${path}: ${file}`).toBe(true);
    }
  }
});

it('the README has at most 200 lines', () => {
  expect(textOf.get('README.md')?.split('\n').length).toBeLessThanOrEqual(201);
});

describe('the generated sections', () => {
  const stacks = Object.entries(environmentStacks('etl-playground'))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, json]) => ({ name, path: `${name}/cdk.tf.json`, json }));
  const sections = generatedSections(stacks);

  it('are as they should be now (npm run docs)', () => {
    for (const { path, text } of pages) {
      expect(text === withSections(text, sections), `${path}: run npm run docs`).toBe(true);
    }
  });

  it('stand on one page each', () => {
    const used = pages.flatMap(({ text }) => sectionsIn(text));
    expect(used.toSorted()).toEqual(Object.keys(sections).toSorted());
  });

  it('would be others for other stacks', () => {
    const [other] = stacks;
    const picture = 'diagram of the stacks';
    expect(generatedSections(other === undefined ? [] : [other])[picture]).not.toBe(
      sections[picture],
    );
  });
});

describe('the exit codes', () => {
  it.each([
    ['docs/operate.md', [...Object.values(MANAGE_EXIT), PLAN_HAS_CHANGES]],
    ['docs/audit.md', Object.values(AUDIT_EXIT)],
    ['docs/listener.md', Object.values(LISTENER_EXIT)],
  ])('of %s are all that there are', (path, codes) => {
    const [, table = ''] = textOf.get(path)?.split('| Exit code | Meaning |\n') ?? [];
    const rows = table.split('\n\n')[0]?.match(/^\| \d+ /gm) ?? [];
    expect(rows.map((row) => Number(row.slice(2)))).toStrictEqual(codes.toSorted((a, b) => a - b));
  });
});

it('the messages that troubleshooting quotes are in the sources', () => {
  const sources = ['src', 'listener/src', 'listener/local'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(ROOT, folder, file), 'utf8')),
  );
  const seen = (textOf.get('docs/troubleshooting.md') ?? '').match(/^\| [^|]*/gm) ?? [];
  const quotes = seen.flatMap(inlineCodeIn);
  expect(quotes).not.toEqual([]);
  for (const part of quotes.flatMap((quote) => quote.split(/ ?\.\.\. ?/)).filter(Boolean)) {
    expect(
      sources.some((source) => source.includes(part)),
      part,
    ).toBe(true);
  }
});

it('npm run docs is what writes them', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(scripts.docs).toContain('docs/generate/main.ts');
});
