import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileDialect, type TableDialect } from '../../quality/dialect.ts';
import { findDialect, HEAD_BYTES } from '../../quality/dialect-finder.ts';
import { inspectBytes } from './inspect-bytes.ts';
import { table, write } from './planted-fault.ts';

function find(file: string, declared: TableDialect = {}, names: readonly string[] = []) {
  const dialect = compileDialect(declared, 'dialect', new ProblemList());
  return findDialect(Buffer.from(file), true, dialect, names);
}

/** What is found in words, as `delimiter ; header 2`. */
function differences(file: string, declared: TableDialect = {}, names: readonly string[] = []) {
  const found = find(file, declared, names);
  const { dialect } = found;
  return found.differences.map(({ kind }) => {
    if (kind === 'delimiter') return `delimiter ${String.fromCharCode(dialect.delimiter)}`;
    if (kind === 'quote') return `quote ${String.fromCharCode(dialect.quote)}`;
    return kind === 'header-row' ? `header ${dialect.headerRows.join()}` : kind;
  });
}

describe('findDialect', () => {
  it.each([
    ['semicolons', 'id;day;name\n1;2024-01-01;a\n', ['delimiter ;']],
    ['tabs, blank cells at their ends', 'id\tday\tname\n1\t\t\n\t\t\n', ['delimiter \t']],
    ['vertical bars', 'id|name\n1|a\n2|b\n', ['delimiter |']],
    ['tildes', 'id~name\n1~a\n2~b\n', ['delimiter ~']],
    ['unit separators', 'id\x1fname\n1\x1fa\n2\x1fb\n', ['delimiter \x1f']],
    ['semicolons, with decimal commas', 'id;sum\n1;1,5\n2;2,5\n', ['delimiter ;']],
    ['semicolons, with a comma in a label', 'id;name, first;x\n1;a;b\n2;a;c\n', ['delimiter ;']],
    ['semicolons, with quoted cells', '"id";"name"\n1;"a;b"\n2;"c,d"\n', ['delimiter ;']],
    ['semicolons, one line of which is broken', 'a;b\n1;2\n3\n4;5\n6;7\n', ['delimiter ;']],
    ['semicolons without a row', 'id;day;name\n', ['delimiter ;']],
    ['apostrophes around a cell with a comma', "id,text\n1,'a, b'\n", ["quote '"]],
    ['apostrophes around labels', "'id','text'\n1,'a'\n", ["quote '"]],
    ['semicolons and apostrophes', "id;text\n1;'a;b'\n2;'c'\n", ['delimiter ;', "quote '"]],
    [
      'semicolons, many of them between apostrophes',
      "id;text\n1;'a;b'\n2;'c;d'\n3;'e;f'\n4;say \"g\"\n",
      ['delimiter ;', "quote '"],
    ],
    ['commas under tabs', 'id\tname\n1,a\n2,b\n', ['header-delimiter']],
    ['semicolons under vertical bars', 'id|day|x\n1;2;3\n', ['header-delimiter']],
    ['lines quoted as a whole', '"id,name"\n"1,""a, b"""\n', ['quoted-lines']],
    [
      'lines quoted as a whole, by semicolons',
      '"id;name;x"\n"1;2;3"\n',
      ['quoted-lines', 'delimiter ;'],
    ],
    ["Excel's line and semicolons", 'sep=;\nid;name\n1;a\n', ['delimiter ;']],
    ["Excel's line, filled up", 'sep=;;\nid;name\n1;a\n', ['delimiter ;']],
    ["Excel's line in quotes, filled up", '"sep=,",,\nid,day,name\n1,2,a\n', []],
    ["Excel's line with a blank", 'sep=\t \nid\tname\n1\ta\n', ['delimiter \t']],
    ["Excel's line and a circumflex", 'sep=^\nid^name\n1^a\n', ['delimiter ^']],
    ['lines before the header', 'Report\n\nid,day,sum\n1,2024-01-01,2\n', ['header 3']],
    ['a title with commas of its own', 'Report, 2024\nid,day,x\n1,2024-01-01,a\n', ['header 2']],
    ['titles filled up with commas', 'Report,,,\nid,day,x,sum\n1,2024-01-01,a,2\n', ['header 2']],
    [
      'semicolons under lines before the header',
      'Report, of a county\n\nid;day;sum\n1;2024-01-01;2,5\n2;2024-01-02;3\n',
      ['delimiter ;', 'header 3'],
    ],
    ['tabs under a title', 'Report\nid\tday\n1\t2024-01-01\n', ['delimiter \t', 'header 2']],
    ['blank lines before the header', '\n\nid,name\n1,a\n2,b\n', ['header 3']],
  ])('finds %s', (_, file, expected) => {
    expect(differences(file)).toStrictEqual(expected);
  });

  it.each<[string, string, TableDialect, string]>([
    ['commas where nothing is declared', 'a;b\n1;2\n3;4\n', {}, 'comma'],
    ['what is declared', 'a;b\n1;2\n3;4\n', { delimiter: '\t' }, 'tab'],
  ])('proposes to export with %s', (_, file, declared, name) => {
    expect(find(file, declared).differences[0]?.remedy).toBe(
      `Export the file ${name}-separated, or declare {"delimiter": ";"} in the dialect.`,
    );
  });

  it('finds the header by the names of the schema', () => {
    const file = 'Report\na,b,c\nx,y,z\n';
    expect(differences(file)).toStrictEqual([]);
    expect(differences(file, {}, ['a', 'b', 'c'])).toStrictEqual(['header 2']);
  });

  it('finds the header under a row of as many words where all its labels are fields', () => {
    const file = 'Number,Day,Text\na,b,c\nx,y,z\n';
    const found = find(file, {}, ['a', 'b', 'c']);
    expect(found.differences).toMatchObject([
      { sentence: "The header is probably in line 2: its labels are the schema's fields." },
    ]);
    expect(found.dialect.headerRows).toStrictEqual([2]);
    expect(differences(file, {}, ['a', 'b', 'd'])).toStrictEqual([]);
    expect(differences(`A,B,C\n1,2,3\n${file}`, {}, ['a', 'b', 'c'])).toStrictEqual([]);
  });

  it.each([
    ['labels without that of row names', 'id,day\nann,1,2024-01-01\nbob,2,2024-01-02\n'],
    ['one column', 'id\n1\n2\n'],
    ['one column of prose', 'notes\nfirst; second\nthird\nfourth; fifth; sixth\n'],
    ['one column whose label has a semicolon', 'notes; remarks\nnone\nsome\nmore\n'],
    ['one column of texts with commas', 'notes\nwell, yes\nno\n'],
    ['one column of words with semicolons', 'notes\na;b\nc;d\ne;f\n'],
    ['a semicolon in a label', 'id,a;b\n1,2\n3,4\n'],
    ['lists in cells', 'id,a;b;c\n1,x;y;z\n2,x;y;z\n'],
    ['apostrophes in names', "id,name,x\n1,'t Hooft,a\n2,O'Neil,b\n"],
    ['apostrophes beside quotes', 'id,name\n1,\'a\n2,"b, c"\n'],
    ['a quoted header of one column', '"name"\n"a"\n'],
    ['a blank label', 'id,,name\n1,2,a\n'],
    ['a header with a label too few', 'id,name\n1,a,b\n2,a,b\n'],
    ['rows of words under a short header', 'id,\nx,y\na,b\n'],
    ['nothing', ''],
    ['blank lines', '\n\n\n'],
    ['a label that begins like an sep= line', 'sep=,a\n1,2\n'],
  ])('leaves %s as it is', (_, file) => {
    expect(differences(file)).toStrictEqual([]);
    expect(find(file).sepLine).toBe(0);
  });

  it('finds nothing in a valid table, whatever it holds', () => {
    fc.assert(
      fc.property(table, (valid) => {
        expect(differences(write(valid).toString())).toStrictEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('finds what is declared where it is so', () => {
    const declared = { delimiter: ';', quoteChar: "'", headerRows: [3] };
    expect(differences("x\n\na;b\n1;'c;d'\n", declared)).toStrictEqual([]);
  });

  it('takes a declared footer for none of the rows', () => {
    const file = 'a;b;c\n1;2;3\nTotal\n(1 row)\n';
    expect(differences(file, { footerRows: 2 })).toStrictEqual(['delimiter ;']);
  });

  it('finds commas where semicolons are declared', () => {
    expect(differences('a,b\n1,2\n', { delimiter: ';' })).toStrictEqual(['delimiter ,']);
  });

  it('gives its evidence as a sentence without values', () => {
    const [difference] = find('a;b\n1;2\n3\n4;5\n6;7\n').differences;
    expect(difference?.sentence).toBe(
      'The file is semicolon-separated: 4 of 5 lines have 1 semicolon.',
    );
    expect(find('sep=;\na;b\n1;2\n').sepLine).toBe(6);
  });

  it('gives the same report however the file is cut, around the end of what is looked at', () => {
    const row = '1001;2024-03-02;D1;said "ok"\n';
    const file = `id;day;place;text\n${row.repeat(Math.ceil(HEAD_BYTES / row.length) + 3)}`;
    const whole = inspectBytes(file);
    expect(whole.faultCounts['incorrect-dialect']).toBe(1);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 500, max: 70_000 }), { minLength: 1 }), (sizes) => {
        expect(inspectBytes(file, {}, sizes)).toStrictEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('never throws, and reads no further than what it is given', () => {
    const character = fc.constantFrom(
      '"',
      "'",
      ',',
      ';',
      '\t',
      '|',
      '\n',
      '\r',
      'a',
      '1',
      ' ',
      'é',
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 120 }), (file) => {
        const { dialect, sepLine } = find(file);
        expect(sepLine).toBeLessThanOrEqual(file.length);
        expect(dialect.delimiter).not.toBe(dialect.quote);
      }),
      { numRuns: 1000 },
    );
  });
});
