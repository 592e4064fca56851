import { describe, expect, it } from 'vitest';
import type { Expectation } from '../../../quality/expectation.ts';
import type { TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const SCHEMA: TableSchema = { fields: [{ name: 'id', type: 'integer' }, { name: 'name' }] };

describe('a file that is written otherwise than declared', () => {
  const file = 'id;name\n1;a\nx;b\n';

  it.each<[string, Expectation, string, string[]]>([
    ['warned where nothing is declared', {}, 'warned', ['incorrect-dialect -:-']],
    [
      'failed with a schema, and its cells are checked',
      { schema: SCHEMA },
      'failed',
      ['incorrect-dialect -:-', 'type-error 3:1'],
    ],
    [
      'failed where another delimiter is declared',
      { dialect: { delimiter: '|' } },
      'failed',
      ['incorrect-dialect -:-'],
    ],
    [
      'failed where the delimiter is declared to be the comma',
      { dialect: { delimiter: ',' } },
      'failed',
      ['incorrect-dialect -:-'],
    ],
    [
      'failed where failOn lists it',
      { thresholds: { failOn: ['incorrect-dialect'] } },
      'failed',
      ['incorrect-dialect -:-'],
    ],
    [
      'warned with a schema where warnOn lists it',
      {
        schema: { fields: [{ name: 'id' }, { name: 'name' }] },
        thresholds: { warnOn: ['incorrect-dialect'] },
      },
      'warned',
      ['incorrect-dialect -:-'],
    ],
    ['passed as it is declared', { dialect: { delimiter: ';' } }, 'passed', []],
  ])('is %s', (_, expectation, verdict, faults) => {
    const report = inspectBytes(file, { expectation });
    expect(report.verdict).toBe(verdict);
    expect(places(report)).toStrictEqual(faults);
    expect(report.columns.map(({ label }) => label)).toStrictEqual(['id', 'name']);
  });

  it('is warned where its first record has values, as the rows have them', () => {
    const report = inspectBytes('1,2024-01-02,Ana,1.5\n2,2024-01-03,Luis,2\n3,2024-01-04,Bo,3\n');
    expect([report.verdict, ...places(report)]).toStrictEqual(['warned', 'incorrect-dialect -:-']);
    expect(report.diagnoses).toMatchObject([{ kind: 'no-header', faults: 1 }]);
  });

  it.each([
    ['years over numbers', 'town,2019,2020\nA,1,2\nB,3,4\n'],
    ['days over numbers', 'town,2024-01-01,2024-01-02\nA,1,2\nB,3,4\n'],
    ['a label over days', 'id,day\n1,2024-01-02\n2,2024-01-03\n'],
    ['a number over numbers', '1,2\n3,4\n5,6\n'],
    ['a word over numbers beside a day over days', 'id,2024-01-01\n1,2024-01-02\n2,2024-01-03\n'],
  ])('passes with %s', (_, file) => {
    expect(inspectBytes(file).verdict).toBe('passed');
  });

  it.each([
    ['colons', 'id:name:rank\n1:Ana:captain\n2:Luis:officer\n', 'the first lines holds 2 colons'],
    ['a colon', 'id:name\n1:Ana\n2:Luis\n', 'the first lines holds a colon'],
    ['blanks', 'id name rank\n1 Ana captain\n2 Luis officer\n', 'the first lines holds 2 blanks'],
    [
      'a fixed width',
      'id    name   city\n1     Ana    Taos\n22    Bo Li\n',
      'the columns have a fixed width',
    ],
    ['a frame without sides', 'id | name\n----+------\n1 | Ana\n(1 row)\n', 'a frame of dashes'],
    [
      'a frame',
      '+----+------+\n| id | name |\n+----+------+\n|  1 | Ana  |\n+----+------+\n',
      'a frame of dashes',
    ],
  ])('is warned where %s may part its columns', (_, file, shown) => {
    const report = inspectBytes(file);
    expect(report.verdict).toBe('warned');
    expect(places(report)).toStrictEqual(['incorrect-dialect -:-']);
    expect(report.faults[0]?.message).toContain(shown);
  });

  it.each([
    ['texts of two words', 'full name\nAna Montoya\nLuis Begay\n'],
    ['times', 'time\n10:00:00\n11:30:00\n'],
    ['times under a label that has a colon', 'time (hh:mm)\n10:00\n11:30\n'],
    ['texts with another number of blanks', 'place of birth\nNew York City\nParis\n'],
    ['two lines alone', 'a:b:c\n1:2:3\n'],
    ['texts with two blanks', 'note  here\nwalked in\nleft at once\n'],
  ])('passes with one column of %s', (_, file) => {
    expect(inspectBytes(file).verdict).toBe('passed');
  });

  it.each(['date of birth', 'a;b'])('passes where its only label, %s, is declared', (name) => {
    const file = `${name}\n1 January 1970\n2 March 1980\n`;
    const schema: TableSchema = { fields: [{ name }] };
    expect(inspectBytes(file, { expectation: { schema } }).verdict).toBe('passed');
  });

  it('never passes where its columns cannot be told apart', () => {
    const ragged = `a;b;c\n${'1;2\n1\n1;2;3;4\n'.repeat(3)}`;
    const report = inspectBytes(ragged);
    expect(report.verdict).toBe('warned');
    expect(report.faults[0]?.message).toContain('holds 2 semicolons');
  });

  it('is suspected by its header alone, with a schema a failure', () => {
    expect(inspectBytes('a;b\n').faultCounts).toHaveProperty('incorrect-dialect', 1);
    expect(inspectBytes('a;b\n', { expectation: { schema: SCHEMA } }).verdict).toBe('failed');
  });

  it('has its lines and offsets after an sep= line', () => {
    const report = inspectBytes('\ufeffsep=,\r\nid,name\nx,a\n', {
      expectation: { schema: SCHEMA },
    });
    expect(places(report)).toStrictEqual(['sep-line -:-', 'type-error 2:1']);
    expect(report.faults[1]).toMatchObject({ line: 3, byte: 18 });
  });

  it('is read from lines that are quoted as a whole, whose bytes are not known', () => {
    const quoted = '"id,name"\n"1,""Doe, J"""\n"x,b"\n';
    const report = inspectBytes(quoted, { expectation: { schema: SCHEMA } }, [3]);
    expect(places(report)).toStrictEqual(['incorrect-dialect -:-', 'type-error 3:1']);
    expect(report.faults[1]).toMatchObject({ line: 3, byte: null });
    expect(report.columns[1]).toMatchObject({ min: 'Doe, J', max: 'b' });
  });
});
