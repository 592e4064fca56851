import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { type CompiledDialect, compileDialect } from '../../quality/dialect.ts';

function compile(dialect: unknown): { compiled: CompiledDialect; paths: string[] } {
  const problems = new ProblemList();
  const compiled = compileDialect(dialect, 'dialect', problems);
  return { compiled, paths: problems.problems.map(({ path }) => path) };
}

describe('compileDialect', () => {
  it('defaults to comma, double quote and one header row', () => {
    expect(compile(undefined).compiled).toStrictEqual({
      declared: false,
      encoding: undefined,
      header: true,
      headerRows: [1],
      headerJoin: ' ',
      commentRows: new Set(),
      footerRows: 0,
      delimiter: 44,
      quote: 34,
      doubleQuote: true,
      escape: -1,
      comment: -1,
      skipInitialSpace: false,
      nullSequence: undefined,
    });
  });

  it('ignores the line terminator and what only describes', () => {
    expect(compile({ lineTerminator: '\r\n', $schema: 'x', title: 't' }).paths).toStrictEqual([]);
  });

  it.each([
    [{ lineTerminator: '|' }, 'dialect.lineTerminator'],
    [{ lineTerminator: null }, 'dialect.lineTerminator'],
    [{ delimiter: '' }, 'dialect.delimiter'],
    [{ delimiter: '→' }, 'dialect.delimiter'],
    [{ quoteChar: '\n' }, 'dialect.quoteChar'],
    [{ escapeChar: 7 }, 'dialect.escapeChar'],
    [{ quoteChar: null }, 'dialect.quoteChar'],
    [{ delimiter: null }, 'dialect.delimiter'],
    [{ header: null }, 'dialect.header'],
    [{ header: 'yes' }, 'dialect.header'],
    [{ headerRows: [2, 1] }, 'dialect.headerRows'],
    [{ headerRows: [1, 1] }, 'dialect.headerRows'],
    [{ headerRows: [] }, 'dialect.headerRows'],
    [{ header: false, headerRows: [2] }, 'dialect.headerRows'],
    [{ headerJoin: 1 }, 'dialect.headerJoin'],
    [{ footerRows: 101 }, 'dialect.footerRows'],
    [{ footerRows: -1 }, 'dialect.footerRows'],
    [{ encoding: 'latin1' }, 'dialect.encoding'],
    [{ encoding: null }, 'dialect.encoding'],
    [{ commentRows: [2.5] }, 'dialect.commentRows'],
    [{ headerRows: [0] }, 'dialect.headerRows'],
    [{ commentRows: [1] }, 'dialect.commentRows'],
    [{ sheetName: 'x' }, 'dialect.sheetName'],
    [{ seperator: ';' }, 'dialect.seperator'],
    [{ delimiter: '"' }, 'dialect.quoteChar'],
    [{ commentChar: ',' }, 'dialect.commentChar'],
    [[], 'dialect'],
  ])('refuses %j', (dialect, path) => {
    expect(compile(dialect).paths).toStrictEqual([path]);
  });

  it('names all problems at once', () => {
    expect(compile({ delimiter: '', quoteChar: '', nullSequence: 1 }).paths).toHaveLength(3);
  });
});
