import { describe, expect, it } from 'vitest';
import type { InspectOptions } from '../../quality/inspect.ts';
import type { Distribution } from '../../quality/profile.ts';
import type { TableField, TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes } from './inspect-bytes.ts';

const distributionsOf = (file: string, options: InspectOptions = {}) =>
  inspectBytes(file, options).columns.map(({ distribution }) => distribution);

/** Of one column with these cells. */
function of(field: Omit<TableField, 'name'> | undefined, ...cells: string[]): Distribution {
  const schema: TableSchema = { fields: [{ name: 'a', ...field }] };
  const file = `a,z\n${cells.map((cell) => `${cell},\n`).join('')}`;
  const [found] = distributionsOf(file, field === undefined ? {} : { expectation: { schema } });
  if (!found) throw new Error('nothing was counted');
  return found;
}

describe('How values lie', () => {
  it('is counted by magnitude for numbers, in their order', () => {
    expect(of(undefined, '0', '-12', '5', '9', '10', '1000', '0.5')).toStrictEqual({
      by: 'magnitude',
      values: 7,
      counts: [
        ['minus 10–99', 1],
        ['0', 1],
        ['below 1', 1],
        ['1–9', 2],
        ['10–99', 1],
        ['1,000–9,999', 1],
      ],
    });
    expect(of({ type: 'integer' }, '999999999999', '99999999999').counts).toStrictEqual([
      ['10,000,000,000–99,999,999,999', 1],
      ['100,000,000,000 and more', 1],
    ]);
  });

  it('is counted by month for dates, and by year or decade where there are many', () => {
    expect(of({ type: 'date' }, '2026-01-31', '2026-02-01', '2026-01-01')).toMatchObject({
      by: 'month',
      counts: [
        ['2026-01', 2],
        ['2026-02', 1],
      ],
    });
    const dates = (years: number) =>
      Array.from({ length: years * 12 }, (_, month) => {
        const year = 1950 + Math.floor(month / 12);
        return `${year}-${String((month % 12) + 1).padStart(2, '0')}-01`;
      });
    expect(of(undefined, ...dates(3))).toMatchObject({
      by: 'year',
      counts: [['1950', 12], {}, {}],
    });
    expect(of(undefined, ...dates(30))).toMatchObject({
      by: 'decade',
      counts: [['1950s', 120], {}, {}],
    });
  });

  it('is counted by characters for text, also where it has quotes', () => {
    expect(of(undefined, 'é', 'ab', 'abcd', '"a""b"', 'x'.repeat(300)).counts).toStrictEqual([
      ['1', 1],
      ['2', 1],
      ['3–4', 2],
      ['over 256 characters', 1],
    ]);
  });

  it('is counted by value for what a public enum lists, and for no other text', () => {
    const field: Omit<TableField, 'name'> = {
      ...{ type: 'string', constraints: { enum: ['new', 'old'] } },
    };
    expect(of({ ...field, classification: 'public' }, 'old', 'new', 'old')).toMatchObject({
      by: 'value',
      counts: [
        ['old', 2],
        ['new', 1],
      ],
    });
    for (const classification of ['internal', 'sensitive'] as const) {
      expect(of({ ...field, classification }, 'old', 'new')).toMatchObject({ by: 'length' });
    }
  });

  it('names no value that a public enum does not list', () => {
    const listed = (type: 'string' | 'integer', ...values: (string | number)[]) => ({
      ...{ type, classification: 'public' as const, constraints: { enum: values } },
    });
    expect(of(listed('string', 'new', 'old'), 'old', 'Ana Luz', 'Bo Lee').counts).toStrictEqual([
      ['old', 1],
      ['others', 2],
    ]);
    expect(of(listed('integer', 1, 2), '2', '123456789').counts).toStrictEqual([
      ['2', 1],
      ['others', 1],
    ]);
  });

  it('leaves out what is empty, missing, or not of the type', () => {
    const field: Omit<TableField, 'name'> = { type: 'integer', missingValues: ['n/a'] };
    expect(of(field, '1', '', 'n/a', 'x').values).toBe(1);
  });

  it('has at most 24 kinds, and the rest as one', () => {
    const values = Array.from({ length: 30 }, (_, number) => `kind ${number}`);
    const { counts } = of(
      { type: 'string', classification: 'public', constraints: { enum: values } },
      ...values,
    );
    expect([counts.length, counts.at(-1)]).toStrictEqual([25, ['others', 6]]);
  });

  it('is the same whichever loop reads the rows, and however the file is cut', () => {
    const rows = Array.from(
      { length: 9_000 },
      (_, row) => `${row},2026-0${(row % 9) + 1}-01,t${row}`,
    );
    const file = `id,day,text\n${rows.join('\n')}\n`;
    const whole = distributionsOf(file);
    expect(whole[0]?.values).toBeLessThan(9_000);
    for (const plainRows of ['javascript', 'webassembly', false] as const) {
      expect(distributionsOf(file, { plainRows })).toStrictEqual(whole);
    }
    const cut = inspectBytes(file, {}, [1_000, 7, 90_000]);
    expect(cut.columns.map(({ distribution }) => distribution)).toStrictEqual(whole);
  });

  it('is left out where it is not asked for, and nothing else is', () => {
    const file = 'a,b\n1,x\n2,y\n';
    const { columns, ...rest } = inspectBytes(file);
    const expected = { ...rest, columns: columns.map(({ distribution: _, ...column }) => column) };
    expect(inspectBytes(file, { distributions: false })).toStrictEqual(expected);
  });

  it('is of rows alone: neither preamble, header nor footer is counted', () => {
    const dialect = { headerRows: [2] };
    const file = 'title\na,b\n1,2\n3,4\n';
    expect(distributionsOf(file, { expectation: { dialect } })[0]).toMatchObject({ values: 2 });
    const footer = { dialect: { ...dialect, footerRows: 1 } } as never;
    const [first, last] = distributionsOf(`${file}sum,6\n`, { expectation: footer });
    expect([first?.counts, last?.counts]).toStrictEqual([[['1–9', 2]], [['1–9', 2]]]);
  });

  it('is not counted of a table that cannot be read, nor of columns that no page shows', () => {
    expect(distributionsOf('a,b\n1\n2\n3\n')).toStrictEqual([undefined, undefined]);
    const names = Array.from({ length: 201 }, (_, column) => `c${column}`);
    const found = distributionsOf(`${names}\n${names.map(() => '1')}\n`);
    expect([found[199]?.values, found[200]]).toStrictEqual([1, undefined]);
  });
});
