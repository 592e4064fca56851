import { describe, expect, it } from 'vitest';
import { HeaderMemory } from '../../../quality/checks/no-data.ts';
import { ProblemList } from '../../../quality/descriptor-error.ts';
import { compileDialect } from '../../../quality/dialect.ts';
import { Scanner } from '../../../quality/scanner.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const READERS = [true, false, 'javascript', 'webassembly'] as const;

/** What is found of a row among others, whatever reads it. */
function found(header: string, row: string): string[] {
  const cells = header.split(',').length - 1;
  const rows = Array.from({ length: 40 }, (_, at) => `${100_000 + at}${',x'.repeat(cells)}\n`);
  const file = `${header}\n${rows.join('')}${row}\n${rows[0]}`;
  const [first, ...others] = READERS.map((plainRows) => inspectBytes(file, { plainRows }, [500]));
  for (const other of others) expect(other).toStrictEqual(first);
  return first === undefined ? [] : places(first);
}

describe('a row that repeats the header', () => {
  it.each(['_', '-', '_-', "'"])('is not looked for in each row under a label of %s', (label) => {
    const dialect = compileDialect(undefined, '', new ProblemList());
    let memory: HeaderMemory | undefined;
    const record = (header: Scanner) => {
      memory = new HeaderMemory(header, dialect);
    };
    const scanner = new Scanner({ record }, dialect, 100);
    scanner.write(Buffer.from(`${label},name\n`));
    scanner.end();
    const { mask = 0, otherMask = 0 } = memory?.start ?? {};
    expect([mask, otherMask]).not.toContain(0);
  });

  it.each([
    ['in upper case', 'visit_id,seen,ward', 'VISIT_ID,SEEN,WARD'],
    ['with blanks for underscores', 'visit_id,seen on', 'Visit ID,Seen_On'],
    ['behind blanks', 'id,name,city', ' id, name, city'],
    ['in apostrophes', 'id,name,city', "'id','name','city'"],
    ['without its quotes', '"visit_id","seen"', 'Visit_ID,Seen'],
    ['in Cyrillic capitals', 'Имя,Город,Сумма', 'ИМЯ,ГОРОД,СУММА'],
    ['in Greek capitals', 'Όνομα,Πόλη', 'ΌΝΟΜΑ,ΠΌΛΗ'],
    ['under a long label', `${'patient_'.repeat(5)}id,x`, `${'Patient_'.repeat(5)}ID,X`],
  ])('is known %s', (_, header, row) => {
    expect(found(header, row)).toStrictEqual(['repeated-header 42:-']);
  });

  it.each([
    ['letters under letters in another case', 'a,b', 'A,B'],
    ['a value that begins as the first label does', 'case_id,seen', 'CASE0001,seen'],
    ['a value that is the first label', 'name,city', 'Name,Paris'],
    ['a label fewer', 'from,to,via', 'from,to,'],
  ])('is not %s', (_, header, row) => {
    expect(found(header, row)).toStrictEqual([]);
  });
});
