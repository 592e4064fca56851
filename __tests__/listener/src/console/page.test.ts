import { createHash } from 'node:crypto';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../../../listener/src/console/html.ts';
import { reportPage } from '../../../../listener/src/console/page.ts';
import { groupsOf, MOST_PAGE_BYTES } from '../../../../listener/src/console/report-body.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';

const schema = {
  fields: [
    { name: 'id', type: 'integer', constraints: { required: true } },
    { name: 'hired', type: 'date' },
  ],
};

async function* bytesOf(text: string) {
  yield Buffer.from(text);
}

const judged = (text: string, expectation: object = { schema }): Promise<QualityReport> =>
  inspectCsv(bytesOf(text), NODE_PORTS, { expectation: expectation as never, maxFaults: 1_000 });

const pageOf = (report: QualityReport, name = 'officers.csv') => reportPage({ name, report });

/** What of a page is markup: without the texts that were put in. */
const tagsIn = (page: string) => page.match(/<[a-z!/][^>]*>/gi) ?? [];

describe('html', () => {
  it('escapes every text, in elements and in quoted attributes', () => {
    expect(html`<a title="${'"\'<&>'}">${'<script>'}</a>`.text).toBe(
      '<a title="&quot;&#39;&lt;&amp;&gt;">&lt;script&gt;</a>',
    );
  });

  it('names characters that cannot be seen', () => {
    expect(html`${'a\u202eb\u0000\n\u200b\ud800'}`.text).toBe(
      'a\\u{202e}b\\u{0}\\u{a}\\u{200b}\\u{d800}',
    );
  });

  it('leaves pieces as they are, and nothing for what is absent', () => {
    expect(html`${[html`<b>${1}</b>`, undefined, null, false]}`.text).toBe('<b>1</b>');
  });

  it('lets no text become markup', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(html`<p title="${text}">${text}</p>`.text).toMatch(
          /^<p title="[^"<>]*">[^<>]*<\/p>$/,
        );
      }),
    );
  });
});

describe('the page about a report', () => {
  it('begins with the verdict and what it means', async () => {
    const page = pageOf(await judged('id,hired\nx,2024-01-01\n'));
    expect(page).toContain('<p class="verdict failed">failed</p>');
    expect(page).toContain('Correct what is listed here and send it again.');
  });

  it('lists record, line and value of each fault below its kind and column', async () => {
    const page = pageOf(await judged('id,hired\n1,2024-01-01\nx,2024-01-01\n'));
    expect(page).toContain('type-error in column 1 <span class="text">id</span>: 1');
    expect(page).toMatch(
      /<td class="number">3<\/td><td class="number">3<\/td>\s*<td><span class="text">x</,
    );
  });

  it('marks the bad cell in its row', async () => {
    const report = await judged('id,hired\n1,2026-01-01\nx <b>,2026-01-02\n');
    expect(pageOf(report)).toContain(
      'The row: <mark><span class="text">x &lt;b&gt;</span></mark> | <span class="text">2026-01-02</span></div>',
    );
  });

  it('shows of a wide row what is around the bad cell', async () => {
    const fields = Array.from({ length: 60 }, (_, column) => ({
      ...{ name: `c${column}`, type: column === 30 ? 'integer' : 'string' },
    }));
    const cells = fields.map((_, column) => `v${column}`);
    const file = `${fields.map(({ name }) => name)}\n${cells}\n`;
    const [, row = ''] =
      /The row: (.*?)<\/div>/.exec(pageOf(await judged(file, { schema: { fields } }))) ?? [];
    expect(row.replace(/<(?!mark|\/mark)[^>]*>/g, '')).toBe(
      '… | v24 | v25 | v26 | v27 | v28 | v29 | <mark>v30</mark> | v31 | v32 | v33 | v34 | v35 | …',
    );
  });

  it('lists a cell that is too many, whose column the file does not have', async () => {
    const page = pageOf(await judged('id,hired\n1,2024-01-01\n2,2024-01-01,x\n'));
    expect(page).toMatch(
      /extra-cell: 1<[\s\S]*<td class="number">3<\/td><td class="number">3<\/td>/,
    );
    expect(page).not.toContain('not listed');
  });

  it('says how many more places of a kind there are than it lists', async () => {
    const page = pageOf(await judged('id,hired\n1,2024-01-01\r\n2,2024-01-01\n3,2024-01-01\r\n'));
    expect(page).toContain('The first of them. 1 more place not listed.');
  });

  it('begins its findings with the diagnosis', async () => {
    const page = pageOf(await judged('id;hired\n1;2024-01-01\n2;2024-01-01\n'));
    expect(page).toMatch(/<ol class="diagnoses"><li>\s*<p><strong>[^<]*semicolon/i);
  });

  it('says of a passed file that nothing is wrong, and lists no faults', async () => {
    const page = pageOf(await judged('id,hired\n1,2024-01-01\n'));
    expect(page).toContain('Nothing is wrong with this file.');
    expect(page).not.toContain('id="faults"');
  });

  it('needs no script and no address, and its policy allows its own styles alone', async () => {
    const page = pageOf(await judged('id,hired\nx,2024-01-01\n'));
    const [, style = ''] = /<style>([\s\S]*)<\/style>/.exec(page) ?? [];
    const digest = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;;`,
    );
    expect(tagsIn(page).filter((tag) => /script|href|src=|style=| on\w+=/.test(tag))).toEqual([]);
  });

  it('takes no text of a file, its header, its name or a rule for markup', async () => {
    const hostile = `"<img src=x onerror=""alert(1)"">\u202e</td><script>"`;
    const ordinary = pageOf(await judged('id,hired,x\n1,a,1\n'));
    const report = await judged(`id,hired,${hostile}\n1,${hostile},1\n`, {
      schema: { fields: [...schema.fields, { name: 'x', title: hostile }] },
    });
    const page = pageOf(report, '<svg/onload=alert(1)>.csv');
    const kinds = (tags: readonly string[]) =>
      new Set(tags.map((tag) => tag.replace(/"[^"]*"/g, '')));
    expect([...kinds(tagsIn(page))].filter((tag) => !kinds(tagsIn(ordinary)).has(tag))).toEqual([]);
    expect(page).not.toContain('\u202e');
  });

  it('stays below its limit with a million faults in long cells of wide tables', async () => {
    const report = await judged('id,hired\n1,2024-01-01\n');
    const text = '"&\u0001'.repeat(100);
    const fault = (type: string, field: number | null, record: number) => ({
      ...{ type, field, record, line: record, byte: 1, label: text, value: text, key: text },
      ...{ message: text, classification: null },
    });
    const columns = Array.from({ length: 40_000 }, (_, index) => ({
      ...(report.columns[0] as object),
      ...{ field: index + 1, label: text, min: text, max: text, faultCounts: { 'type-error': 25 } },
    }));
    const huge = {
      ...report,
      columns,
      reasons: Array.from({ length: 1000 }, () => text),
      faultCount: 1_000_000,
      faultCounts: { 'type-error': 1_000_000 },
      faults: columns.flatMap(({ field }) => [1, 2].map((one) => fault('type-error', field, one))),
    } as unknown as QualityReport;
    const page = pageOf(huge, text);
    expect(Buffer.byteLength(page)).toBeLessThan(MOST_PAGE_BYTES);
    expect(page).toContain('more columns: 0 without a value');
  });
});

describe('groups of faults', () => {
  it('have the exact total of their kind and column, and of what is in no column', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => `${row},x\n`).join('');
    const report = await judged(`id,hired\n${rows}\n\n`);
    const groups = groupsOf(report).map(({ kind, field, total }) => [kind.type, field, total]);
    expect(groups).toContainEqual(['type-error', 2, 30]);
    expect(groups).toContainEqual(['blank-row', null, 2]);
    expect(groups.reduce((sum, [, , total]) => sum + Number(total), 0)).toBe(report.faultCount);
  });
});
