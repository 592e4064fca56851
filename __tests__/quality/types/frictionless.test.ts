import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../../quality/descriptor-error.ts';
import { compileFieldType, type FieldType } from '../../../quality/field-type.ts';

interface Group {
  field: { type: FieldType } & Record<string, unknown>;
  /** Whether frictionless takes each. */
  cells: Record<string, boolean>;
}

/** What frictionless 5.21 says of cells; frictionless_cells.py writes it. */
const GROUPS: Group[] = JSON.parse(
  readFileSync(new URL('../../fixtures/frictionless-cells.json', import.meta.url), 'utf8'),
);

/** Cells of which we say otherwise, each with the reason; docs/rules.md names the reasons. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  '20240': 'gYear has years of more than four digits',
  '-0044': 'gYear has a minus',
  '2024Z': 'gYear has a zone',
  '2024-05:00': 'gYear has a zone',
  '2024-1': 'gYearMonth has two digits of a month',
  '24-01': 'gYearMonth has four digits of a year',
  '2024-05Z': 'gYearMonth has a zone',
  '-0044-03': 'gYearMonth has a minus',
  P1W: "XML Schema's duration has no weeks",
  PT: 'a duration has at least one part',
  P1DT: 'a part follows the T of a duration',
  'P1.5Y': 'only seconds have a fraction',
  '+P1Y': 'a duration has no plus',
  '1; 2': 'blanks belong to an item, and an integer has none',
  '{"a":NaN}': 'JSON has no NaN (RFC 8259)',
  '[NaN]': 'JSON has no NaN (RFC 8259)',
  '["1","2"]': 'the items of a geopoint are numbers',
  '{"lon":"1","lat":"2"}': 'the values of a geopoint are numbers',
  '{"type":"Point","coordinates":[1,2,3]}': 'a position may have an altitude (RFC 7946, 3.1.1)',
  '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}':
    'a ring is closed (RFC 7946, 3.1.6)',
  '{"type":"Point","coordinates":[1,2],"bbox":[0,0,1]}':
    'a box has twice as many numbers as a position (RFC 7946, 5)',
  '{"type":"Point","coordinates":[1,2],"properties":{}}':
    'a geometry has no properties (RFC 7946, 7.1)',
  '{"type":"Topology","objects":{"a":{"type":"LineString","arcs":[1]}},"arcs":[[[1,2],[3,4]]]}':
    'an arc is one that is there',
  '{"type":"Point","coordinates":[1,2]}': 'a geometry without a topology has no arcs',
  'YW Jj': 'base64 has no blanks (RFC 4648, 3.3)',
  '+INF': 'Table Schema has INF and -INF',
  Infinity: 'Table Schema has INF and -INF',
};

/** Taken as GeoJSON by both, and as TopoJSON by frictionless alone. */
const BOTH = ['{"type":"Point","coordinates":[1,2]}'];

describe('cells of the types of Table Schema', () => {
  it.each(GROUPS)(
    'are judged as frictionless does, but where a reason is given: $field',
    ({ field, cells }) => {
      const problems = new ProblemList();
      const type = compileFieldType(field.type, field, 'field', problems);
      expect(problems.problems).toStrictEqual([]);
      const ours = Object.keys(cells).map((cell) => {
        const bytes = Buffer.from(cell);
        const valid = !Number.isNaN(type.read(bytes, 0, bytes.length));
        const same = BOTH.includes(cell) && field.format !== 'topojson';
        return [cell, cell in DIFFERENCES && !same ? !valid : valid];
      });
      expect(Object.fromEntries(ours)).toStrictEqual(cells);
    },
  );
});
