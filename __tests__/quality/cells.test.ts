import { describe, expect, it } from 'vitest';
import { CellReader } from '../../quality/cells.ts';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileDialect } from '../../quality/dialect.ts';
import { ColumnProfile } from '../../quality/profile.ts';
import { Scanner } from '../../quality/scanner.ts';
import { compileSchema, type TableField } from '../../quality/table-schema.ts';

/** Reads rows and gives what was suspected, with the nulls and values of the last row. */
function read(text: string, fields: readonly TableField[]) {
  const problems = new ProblemList();
  const schema = compileSchema({ fields }, 'schema', undefined, problems);
  const columns = schema.fields.map((field) => ({
    label: field.name,
    field,
    classification: null,
    profile: new ColumnProfile(field),
  }));
  const suspects: [number, number][] = [];
  const reader = new CellReader(
    columns,
    ({ cell, value }) => suspects.push([cell, value]),
    () => {},
  );
  const dialect = compileDialect({}, 'dialect', problems);
  const scanner = new Scanner({ record: (record) => reader.read(record) }, dialect, 1000);
  scanner.write(Buffer.from(text));
  scanner.end();
  return { suspects, reader };
}

describe('CellReader', () => {
  it('hands over what may be at fault, and nothing that is fine', () => {
    const fields: TableField[] = [
      { name: 'a', type: 'integer', constraints: { maximum: 5, required: true } },
      { name: 'b', constraints: { maxLength: 2 } },
    ];
    expect(read('5,ab\n1,\n', fields).suspects).toStrictEqual([]);
    expect(read('6,abc\nx,a\n,a\n', fields).suspects).toStrictEqual([
      [0, 6],
      [1, 0],
      [0, Number.NaN],
      [0, Number.NaN],
    ]);
  });

  it('keeps the values and the nulls of the row', () => {
    const { reader } = read('7,"2"\n,"3"\n', [
      { name: 'a', type: 'integer' },
      { name: 'b', type: 'number' },
    ]);
    expect([...reader.nulls]).toStrictEqual([1, 0]);
    expect(reader.values[1]).toBe(3);
  });
});
