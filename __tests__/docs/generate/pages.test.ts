import { describe, expect, it } from 'vitest';
import { documentationPages, sectionsIn, withSections } from '../../../docs/generate/pages.ts';
import { ROOT } from '../../support/run-main.ts';

describe('withSections', () => {
  it('replaces what stands between the two comments, again and again', () => {
    const once = withSections('a\n<!-- begin t -->old<!-- end t -->\nb', { t: 'new' });
    expect(once).toBe('a\n<!-- begin t -->\n\nnew\n\n<!-- end t -->\nb');
    expect(withSections(once, { t: 'new' })).toBe(once);
  });

  it('leaves a page without sections as it is', () => {
    expect(withSections('a', { t: 'new' })).toBe('a');
  });

  it('names a section that nothing generates', () => {
    expect(() => withSections('<!-- begin t --><!-- end t -->', {})).toThrow('the section "t"');
  });

  it('names a section that does not end', () => {
    expect(() => withSections('<!-- end t --><!-- begin t -->', { t: '' })).toThrow(
      'after <!-- begin t --> there must be <!-- end t -->',
    );
  });
});

it('sectionsIn lists the generated sections of a page', () => {
  expect(sectionsIn('<!-- begin a b -->\n<!-- end a b --><!-- begin c -->')).toEqual(['a b', 'c']);
});

it('documentationPages finds the README and the pages of every folder of docs', () => {
  const paths = documentationPages(ROOT).map(({ path }) => path);
  expect(paths).toContain('README.md');
  expect(paths).toContain('docs/rules.md');
  expect(paths).toContain('docs/decisions/own-scanner.md');
});
