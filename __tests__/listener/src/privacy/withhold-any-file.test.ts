import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { restore, withhold } from '../../../../listener/src/privacy/withhold.ts';
import { CLASSIFICATIONS, type Classification } from '../../../../quality/classification.ts';
import { createInspection } from '../../../../quality/inspect.ts';
import type { QualityReport } from '../../../../quality/report.ts';
import type { TableField, TableSchema } from '../../../../quality/table-schema.ts';

/** Numbers that are the same in each run (Mulberry32). */
function randomOf(seed: number) {
  let state = seed;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return { below, one: <T>(items: readonly T[]) => items[below(items.length)] as T };
}

type Random = ReturnType<typeof randomOf>;

/** A text that says its class, and that nothing else in a report holds. */
const marker = (classification: string, { below }: Random) =>
  `${classification.slice(0, 3).toUpperCase()}Q${below(900) + 100}`;

const CONSTRAINTS: readonly ((text: string) => Partial<TableField>)[] = [
  () => ({}),
  (text) => ({ constraints: { enum: [text] } }),
  (text) => ({ constraints: { pattern: text } }),
  () => ({ constraints: { required: true, unique: true, maxLength: 3 } }),
  () => ({ type: 'integer' }),
  () => ({ type: 'date', format: '%d/%m/%Y' }),
  (text) => ({ type: 'integer', categories: [7, 8], missingValues: ['', text] }),
  (text) => ({
    type: 'object',
    constraints: {
      jsonSchema: { properties: { [text]: { const: 1 } }, additionalProperties: false },
    },
  }),
  (text) => ({ type: 'string', constraints: { minimum: text } as object }),
];

function schemaOf(random: Random): TableSchema {
  const { below, one } = random;
  const fields = Array.from({ length: 1 + below(4) }, (_, index): TableField => {
    const classification = one(CLASSIFICATIONS);
    const name = `f${index}`;
    return {
      name,
      classification,
      ...one(CONSTRAINTS.slice(0, 8))(marker(classification, random)),
    } as TableField;
  });
  const names = fields.map(({ name }) => name);
  return {
    fields,
    fieldsMatch: one(['exact', 'equal', 'subset', 'superset', 'partial'] as const),
    ...(below(3) === 0 && { primaryKey: [one(names)] }),
    ...(below(3) === 0 && { uniqueKeys: [names] }),
    ...(below(3) === 0 &&
      fields.length > 1 &&
      fields[0]?.type === fields[1]?.type && {
        foreignKeys: [{ fields: 'f0', reference: { resource: '' as const, fields: 'f1' } }],
      }),
  };
}

/** What becomes of a row; none is shifted and yet as wide as it should be, which nobody could tell. */
const BREAKS: readonly ((cells: string[], random: Random) => string[])[] = [
  (cells) => cells,
  (cells) => cells,
  (cells) => cells.slice(0, Math.max(1, cells.length - 2)),
  (cells) => [...cells, 'x'],
  (cells) => [...cells.slice(-1), ...cells.slice(0, -1), '', ''],
  (cells) => cells.map((cell, index) => (index === 0 ? `"${cell}"x` : cell)),
  (cells) => cells.map((cell) => ` ${cell} `),
  (cells) =>
    cells.map((cell) => `{"${cell}":"${cell}"}`.replaceAll('"', '""')).map((cell) => `"${cell}"`),
  (cells) => cells.map((cell) => `=${cell}`),
  (cells) => cells.map((cell) => `${cell}\ufffd`),
];

/** Cells under their classes; the last columns are in no schema. */
function fileOf({ fields }: TableSchema, random: Random): string {
  const { below, one } = random;
  const columns: { label: string; classification: string }[] = fields.map((field) => ({
    label: field.name,
    classification: field.classification as Classification,
  }));
  if (fields.length > 1 && below(2) === 0)
    columns.push({ label: marker('undeclared', random), classification: 'undeclared' });
  if (below(4) === 0) columns.shift();
  if (below(4) === 0) columns.reverse();
  const row = () => columns.map(({ classification }) => marker(classification, random));
  const rows = Array.from({ length: 1 + below(8) }, () =>
    one(BREAKS)(row(), random).join(one([',', ',', ',', ';'])),
  );
  const again = rows[below(rows.length)] as string;
  const labels = columns.map(({ label }) => label);
  const header = one([labels, labels, row(), labels.map((label) => label.toUpperCase())]);
  const tail = one(['', '', '"', `${marker(columns.at(-1)?.classification ?? '', random)},"`]);
  return `${header.join(',')}\n${[...rows, again].join('\n')}\n${tail}`;
}

function judge(seed: number): { readonly report: QualityReport; readonly about: string } {
  const random = randomOf(seed);
  const schema = schemaOf(random);
  const file = fileOf(schema, random);
  const inspection = createInspection(NODE_PORTS, { clock: () => 0, expectation: { schema } });
  inspection.write(Buffer.from(file));
  return { report: inspection.end(), about: `${seed}: ${JSON.stringify(schema)}\n${file}` };
}

const JUDGED = Array.from({ length: 150 }, (_, seed) => judge(seed));

/** A text of such a class; public ones may be anywhere, and are no such texts. */
const INTERNAL = /INTQ\d{3}/i;
const SENSITIVE = /(SEN|UND)Q\d{3}/i;

describe('what is withheld of any file under any schema', () => {
  it('stands nowhere in the report', () => {
    for (const { report, about } of JUDGED) {
      const shown = JSON.stringify(withhold(report, true).report);
      expect(shown, about).not.toMatch(INTERNAL);
      expect(shown, about).not.toMatch(SENSITIVE);
    }
  });

  it('is not sensitive where internal texts are shown', () => {
    for (const { report, about } of JUDGED) {
      const shown = JSON.stringify(restore(withhold(report, true), ['internal']));
      expect(shown, about).not.toMatch(SENSITIVE);
    }
  });

  it('comes back whole', () => {
    for (const { report, about } of JUDGED) {
      const whole = restore(withhold(report, true), ['internal', 'sensitive']);
      expect(JSON.stringify(whole), about).toBe(JSON.stringify(report));
    }
  });

  it('is there in the first place, of each class', () => {
    const all = JUDGED.map(({ report }) => JSON.stringify(report)).join('');
    expect(all).toMatch(/INTQ/);
    expect(all).toMatch(/SENQ/);
    expect(all).toMatch(/UNDQ/);
    expect(all).toMatch(/PUBQ/);
  });
});
