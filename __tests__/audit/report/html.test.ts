import { describe, expect, it } from 'vitest';
import { html, htmlTable } from '../../../audit/report/html.ts';

describe('a template', () => {
  it('escapes every value', () => {
    const value = `<script src='x'>"&"</script>`;
    expect(html`<p title="${value}">${value}</p>`.html).toBe(
      '<p title="&lt;script src=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/script&gt;">&lt;script src=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/script&gt;</p>',
    );
  });

  it('takes numbers, HTML and lists of them', () => {
    expect(html`${1}${[html`<b>${'<'}</b>`, 'x']}`.html).toBe('1<b>&lt;</b>x');
  });

  it('leaves characters that a replacement would treat specially', () => {
    expect(html`${'$& $1'}`.html).toBe('$&amp; $1');
  });
});

describe('a table', () => {
  it('has a caption and headings of columns and rows', () => {
    const { html: text } = htmlTable('Keys', ['Name', 'Rotated'], [['k', 'yes']]);
    expect(text).toContain('<caption>Keys</caption>');
    expect(text).toContain('<th scope="col">Rotated</th>');
    expect(text).toContain('<th scope="row">k</th><td>yes</td>');
  });

  it('without rows says so', () => {
    expect(htmlTable('Keys', ['Name'], []).html).toBe('<p>Keys: none.</p>');
  });
});
