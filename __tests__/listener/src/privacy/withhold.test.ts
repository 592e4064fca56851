import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import {
  forget,
  numberedShapes,
  restore,
  shapeOf,
  storedReport,
  withhold,
} from '../../../../listener/src/privacy/withhold.ts';
import { createInspection } from '../../../../quality/inspect.ts';
import type { TableSchema } from '../../../../quality/table-schema.ts';

const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', classification: 'public' },
    { name: 'unit', type: 'string', constraints: { enum: ['rule-of-unit'] } },
    {
      name: 'badge',
      type: 'string',
      classification: 'sensitive',
      constraints: { pattern: 'RULE-OF-BADGE' },
    },
  ],
  uniqueKeys: [['id', 'badge']],
};

/** Texts that say where they stood. */
const FILE = [
  'id,unit,badge,label-of-extra',
  'p1,unit-one,BADGE-one,e1',
  '2,unit-two,BADGE-two,e2',
  '2,unit-two,BADGE-two,e3',
  '3,"unit-three,BADGE-three,e4',
].join('\n');

function reportOf(file: string, schema?: TableSchema) {
  const inspection = createInspection(NODE_PORTS, {
    clock: () => 0,
    ...(schema === undefined ? {} : { expectation: { schema } }),
  });
  inspection.write(Buffer.from(file));
  return inspection.end();
}

const WHOLE = reportOf(FILE, SCHEMA);
const SENSITIVE = /BADGE-\w|RULE-OF-BADGE|label-of-extra|e[1-4]\b/;

describe('withhold', () => {
  it('takes them out also where the sensitive field has no column in the file', () => {
    const schema: TableSchema = {
      fields: [
        { name: 'id', classification: 'public' },
        { name: 'badge', classification: 'sensitive' },
      ],
    };
    // The header lost a label, and the third row is as wide as what is left of it.
    const report = reportOf('id\n1,BADGE-one,x\nBADGE-two\n', schema);
    expect(report.columns[0]?.max).toBe('BADGE-two');
    expect(JSON.stringify(withhold(report, true).report)).not.toContain('BADGE');
    const none = { ...report, faults: [] };
    expect(JSON.stringify(withhold(none, true).report)).not.toContain('BADGE');
  });

  it('takes all cells of a row for undeclared that has more of them than the header', () => {
    const schema: TableSchema = { fields: [{ name: 'id', classification: 'public' }] };
    const shown = JSON.stringify(withhold(reportOf('id\n1,extra-one\n', schema), true).report);
    expect(shown).not.toContain('extra-one');
  });

  it.each([
    ['a cell too few', '4,BADGE-four'],
    ['a cell too many', 'BADGE-four,4,unit-four,BADGE-five,e5'],
  ])('takes out smallest and largest values of all columns where a row has %s', (_, row) => {
    const schema = { ...SCHEMA, fields: SCHEMA.fields.slice(0, 3) };
    const report = reportOf(`id,unit,badge\n1,unit-one,BADGE-one\n${row}\n`, schema);
    for (const column of restore(withhold(report, true), ['internal']).columns) {
      expect(column).toMatchObject({ min: null, max: null });
    }
  });

  it('leaves smallest and largest values where every row has its cells', () => {
    const report = reportOf('id,unit,badge\n1,unit-one,BADGE-one\n', SCHEMA);
    expect(withhold(report, true).report.columns[0]).toMatchObject({ min: 1, max: 1 });
  });

  it('takes out each text that is not public, and rules and labels that would tell it', () => {
    expect(JSON.stringify(WHOLE)).toMatch(SENSITIVE);
    const { report } = withhold(WHOLE, true);
    expect(JSON.stringify(report)).not.toMatch(SENSITIVE);
    expect(JSON.stringify(report)).not.toMatch(/unit-|rule-of-unit/);
  });

  it('takes out each cell of a listed row that is not public, by the class of its own column', () => {
    const file = 'id,unit,badge,extra\np1,unit-one,BADGE-one,e1\n';
    const report = reportOf(file, SCHEMA);
    expect(report.listedRows?.[0]?.cells).toStrictEqual(['p1', 'unit-one', 'BADGE-one', 'e1']);
    const bare = withhold(report, true);
    const rowOf = (classes: Parameters<typeof restore>[1]) =>
      restore(bare, classes).listedRows?.[0]?.cells;
    expect(rowOf([])).toStrictEqual(['p1', 'aaaa-aaa', 'AAAAA-aaa', 'a9']);
    expect(rowOf(['internal'])).toStrictEqual(['p1', 'unit-one', 'AAAAA-aaa', 'a9']);
    expect(rowOf(['internal', 'sensitive'])).toStrictEqual(report.listedRows?.[0]?.cells);
  });

  it('takes out every cell of a row whose cells may be of any column', () => {
    const file = 'id,unit,badge\n1,unit-one,BADGE-one\n2,BADGE-two\n';
    const schema = { ...SCHEMA, fields: SCHEMA.fields.slice(0, 3) };
    const bare = withhold(reportOf(file, schema), true);
    expect(restore(bare, ['internal']).listedRows?.at(-1)?.cells).toStrictEqual(['9', 'AAAAA-aaa']);
  });

  it('changes nothing of what is restored', () => {
    const bare = withhold(WHOLE, true);
    const before = JSON.stringify(bare);
    restore(bare, ['internal', 'sensitive']);
    expect(JSON.stringify(bare)).toBe(before);
  });

  it('leaves what is public, the names of fields, and every count', () => {
    const { report } = withhold(WHOLE, true);
    expect(report.faults.find(({ field }) => field === 1)).toMatchObject({
      label: 'id',
      value: 'p1',
    });
    expect(report.columns.map(({ label }) => label)).toStrictEqual([
      'id',
      'unit',
      'badge',
      'aaaaa-aa-aaaaa',
    ]);
    const bare = { faults: [], listedRows: [], columns: [] };
    expect({ ...report, ...bare }).toStrictEqual({ ...WHOLE, ...bare });
  });

  it('gives equal values one number, so that repetition shows', () => {
    const { report } = withhold(WHOLE, true);
    const values = report.faults
      .filter(({ type }) => type === 'constraint-error')
      .map(({ value }) => value);
    expect(new Set(values).size).toBeLessThan(values.length);
    expect(values).toContainEqual(expect.stringMatching(/^aaaa-aaa #\d$/));
  });

  it('has nothing of how values lie of columns that are not public', () => {
    const bare = withhold(reportOf('id,unit,badge\n1,unit-one,BADGE-one\n', SCHEMA), true);
    const of = (classes: Parameters<typeof restore>[1]) =>
      restore(bare, classes).columns.map(({ distribution }) => distribution?.by ?? distribution);
    expect(of([])).toStrictEqual(['magnitude', null, null]);
    expect(of(['internal'])).toStrictEqual(['magnitude', 'length', null]);
  });

  it('has no smallest and largest values of columns that are not public', () => {
    const whole = reportOf(FILE.replace('"', ''), SCHEMA);
    const columns = withhold(whole, true).report.columns.map(({ min, max }) => [min, max]);
    expect(columns.slice(1)).toStrictEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
    expect(columns[0]).not.toContain(null);
  });

  it('leaves a report on a local file without rules as it is', () => {
    const whole = reportOf('a,b\n1\n');
    expect(withhold(whole, false)).toStrictEqual({ report: whole, withheld: {} });
  });

  it('shows the shape of each label where nothing is declared', () => {
    const { report } = withhold(reportOf('Smith,K1\nx,1\n'), true);
    expect(report.columns.map(({ label }) => label)).toStrictEqual(['Aaaaa', 'A9']);
  });
});

describe('a change of the columns since the last delivery', () => {
  it('names no label of either delivery that no schema declares', () => {
    const history = [
      {
        ...{ deliveredAt: '2026-11-01T00:00:00.000Z', rows: 1, bytes: 10, sha256: '0'.repeat(64) },
        columns: [{ label: 'MARKER-old', type: 'string' as const, declared: false }],
      },
    ];
    const inspection = createInspection(NODE_PORTS, {
      expectation: { rules: [{ rule: 'SchemaMatch', warn: ['added', 'lost', 'renamed'] }] },
      history,
    });
    inspection.write(Buffer.from('MARKER-new,MARKER-other\n1,2\n'));
    const whole = inspection.end();
    expect(JSON.stringify(whole)).toMatch(/MARKER-old/);
    expect(JSON.stringify(withhold(whole, true).report)).not.toMatch(/MARKER/);
  });
});

describe('columns that are placed by the width of the first row, and not by their labels', () => {
  it('show no value, since a public one may hold the text of another', () => {
    const whole = reportOf('id,badge\n1,MARKER-of-badge,x\n2,MARKER-of-another,y\n', {
      fields: [
        { name: 'id', type: 'integer', classification: 'public' },
        { name: 'unit', classification: 'public' },
        { name: 'badge', classification: 'sensitive' },
      ],
    });
    expect(JSON.stringify(whole)).toContain('MARKER');
    expect(JSON.stringify(withhold(whole, true).report)).not.toContain('MARKER');
  });
});

describe('restore', () => {
  it('gives back the whole report from all that is withheld', () => {
    expect(restore(withhold(WHOLE, true), ['internal', 'sensitive'])).toStrictEqual(WHOLE);
  });

  it('gives back internal values without sensitive ones', () => {
    const text = JSON.stringify(restore(withhold(WHOLE, true), ['internal']));
    expect(text).toMatch(/unit-two/);
    expect(text).toMatch(/rule-of-unit|enum does not list it/);
    expect(text).not.toMatch(SENSITIVE);
  });

  it('survives the way through JSON', () => {
    const stored = JSON.parse(JSON.stringify(withhold(WHOLE, true)));
    expect(restore(stored, ['internal', 'sensitive'])).toStrictEqual(
      JSON.parse(JSON.stringify(WHOLE)),
    );
  });
});

describe('storedReport', () => {
  it('protects a report of a version that withheld nothing', () => {
    const older = JSON.parse(JSON.stringify(WHOLE), (name, value) =>
      name === 'classification' || name === 'plainMessage' ? undefined : value,
    );
    const shown = JSON.stringify(storedReport({ report: older, withheld: null }, ['internal']));
    expect(shown).not.toMatch(/BADGE-\w|RULE-OF-BADGE|unit-/);
  });

  it('is null where there is none', () => {
    expect(storedReport({ report: null, withheld: null }, [])).toBe(null);
  });
});

describe('forget', () => {
  it('leaves no row', () => {
    expect(WHOLE.listedRows).toBeDefined();
    expect(forget(WHOLE).listedRows).toBeUndefined();
  });

  it('leaves no value, no shape and no evidence, also of public columns', () => {
    const row = 'MARKER-1,MARKER-2\n';
    const schema: TableSchema = {
      classification: 'public',
      fields: [{ name: 'a', type: 'integer' }, { name: 'b' }],
      fieldsMatch: 'partial',
    };
    const whole = reportOf(`a,b,MARKER-c\n${row}a,b,MARKER-c\n${row}MARKER-3,4,5\n`, schema);
    expect(JSON.stringify(whole)).toContain('MARKER');
    const bare = forget(whole);
    expect(JSON.stringify(bare)).not.toMatch(/MARKER|AAAAAA/);
    expect(bare.faultCounts).toStrictEqual(whole.faultCounts);
    expect(bare.faults.map(({ record, field }) => [record, field])).toStrictEqual(
      whole.faults.map(({ record, field }) => [record, field]),
    );
  });
});

it('a cell that is empty is not a value to be told apart', () => {
  const shape = numberedShapes();
  expect(['K12', '', 'K13', '', 'K12'].map(shape)).toEqual(['A99 #1', '', 'A99 #2', '', 'A99 #1']);
});

describe('shapeOf', () => {
  it.each([
    ['K1234', 'A9999'],
    ['Ana-María O’Neil', 'Aaa-Aaaaa A’Aaaa'],
    ['٣4', '99'],
    ['李', 'a'],
    ['', ''],
  ])('of %s is %s', (text, shape) => {
    expect(shapeOf(text)).toBe(shape);
  });

  it('of a character of ASCII is the same in a text of ASCII alone as beside another letter', () => {
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    expect(ascii.map((text) => `${shapeOf(text)}a`)).toStrictEqual(
      ascii.map((text) => shapeOf(`${text}ä`)),
    );
  });

  it('is cut where it says no more', () => {
    expect(shapeOf('x'.repeat(1000))).toBe(`${'a'.repeat(64)}…`);
  });
});
