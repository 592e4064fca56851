import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../../listener/src/jobs/engine-ports.ts';
import type { InspectOptions } from '../../../quality/inspect.ts';
import type { Reference } from '../../../quality/ports.ts';
import { type CollectedKeys, ReferenceKeyCollector } from '../../../quality/reference-keys.ts';
import type { TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const OFFICERS: TableSchema = {
  fields: [
    { name: 'badge', type: 'integer', constraints: { unique: true } },
    { name: 'unit' },
    { name: 'hired', type: 'date' },
  ],
};
const OFFICER_ROWS = 'badge,unit,hired\n1,a,2001-02-03\n2,"b ""x""",2001-02-04\n,c,\n';

const STOPS: TableSchema = {
  fields: [{ name: 'stop' }, { name: 'officer', type: 'integer' }, { name: 'unit' }],
  foreignKeys: [{ fields: 'officer', reference: { resource: 'officers', fields: 'badge' } }],
};

const LIMITS = { maxKeyBytes: 2 ** 20 };

/** The keys of a file in some of its fields. */
function keysOf(
  text: string,
  fields: readonly string[],
  schema: TableSchema = OFFICERS,
): CollectedKeys {
  const collector = new ReferenceKeyCollector([fields], NODE_PORTS, LIMITS);
  inspectBytes(text, { expectation: { schema }, rowReader: collector.read });
  return collector.collected()[0] as CollectedKeys;
}

function officers(fields: readonly string[] = ['badge']): Reference {
  return { resource: 'officers', ...keysOf(OFFICER_ROWS, fields) };
}

function inspectStops(rows: string, options: InspectOptions = {}, schema = STOPS) {
  const references = [officers()];
  return inspectBytes(`stop,officer,unit\n${rows}`, {
    expectation: { schema },
    references,
    ...options,
  });
}

describe('foreign keys of another file', () => {
  it('compare values with the keys of its last accepted delivery, and pass over nulls', () => {
    const report = inspectStops('s,1,\nt,02,\nu,,\n');
    expect([report.verdict, report.deliveryRules]).toStrictEqual([
      'passed',
      [
        {
          rule: 'ReferentialIntegrity',
          column: 'officer',
          allowed: 'every key in the other file',
          outcome: 'passed',
          measured: 1,
          message:
            'ReferentialIntegrity of officer in officers (badge) is 100 %: 2 of 2 keys are there.',
        },
      ],
    ]);
  });

  it('are named with record, column and value when the other file does not have them', () => {
    const report = inspectStops('s,1,\nt,3,\nu,3,\n');
    expect(places(report)).toStrictEqual(['foreign-key 3:2', 'foreign-key 4:2']);
    expect(report.faults[0]).toMatchObject({
      value: '3',
      message: 'No row of officers has this officer as its badge.',
    });
    expect([report.verdict, report.deliveryRules?.[0]?.outcome]).toStrictEqual([
      'failed',
      'failed',
    ]);
  });

  it('are not judged, and say so, where the keys are not known', () => {
    const report = inspectStops('s,9,\n', { references: [] });
    expect([report.verdict, report.deliveryRules?.[0]]).toStrictEqual([
      'passed',
      expect.objectContaining({
        outcome: 'not judged',
        message:
          'ReferentialIntegrity of officer in officers (badge) was not judged, since its keys are not known here.',
      }),
    ]);
  });

  it('are not judged by keys of another type', () => {
    const references = [{ ...officers(['unit']), fields: ['badge'] }];
    expect(inspectStops('s,9,\n', { references }).deliveryRules?.[0]?.message).toMatch(
      /not judged, since its fields are of type string, and these of type integer/,
    );
  });

  it('are not judged by keys that another version of the engine has hashed', () => {
    const given = officers();
    const keys = typeof given.keys === 'string' ? given.keys : { ...given.keys, form: 0 };
    const report = inspectStops('s,9,\n', { references: [{ ...given, keys }] });
    expect(report.deliveryRules?.[0]?.outcome).toBe('not judged');
  });

  it('are not judged where the memory for keys does not hold those of the other file', () => {
    const report = inspectStops('s,9,\n', { maxKeyBytes: 0 });
    expect(report.deliveryRules?.[0]?.message).toMatch(/need more memory than there is for keys/);
  });

  it('are exact where no memory is left to remember those that were found', () => {
    // As much as the keys themselves take: two of 20 bytes, and their slots.
    for (const maxKeyBytes of [400, 800, 1_600, 1_000_000]) {
      const report = inspectStops('s,1,\nt,2,\nu,3,\nv,1,\n', { maxKeyBytes });
      const [rule] = report.deliveryRules ?? [];
      if (rule?.outcome === 'not judged') continue;
      expect(places(report)).toStrictEqual(['foreign-key 4:2']);
    }
  });

  it('only warn where that is said', () => {
    const expectation = { schema: STOPS, thresholds: { warnOn: ['foreign-key' as const] } };
    const report = inspectStops('s,9,\n', { expectation });
    expect([report.verdict, report.deliveryRules?.[0]?.outcome]).toStrictEqual([
      'warned',
      'warned',
    ]);
  });

  it('of several fields are compared together, texts as they are written', () => {
    const schema: TableSchema = {
      ...STOPS,
      foreignKeys: [
        {
          fields: ['officer', 'unit'],
          reference: { resource: 'officers', fields: ['badge', 'unit'] },
        },
      ],
    };
    const references = [officers(['badge', 'unit'])];
    const report = inspectStops('s,1,a\nt,2,"b ""x"""\nu,2,a\nv,3,\n', { references }, schema);
    expect(places(report)).toStrictEqual(['foreign-key 4:2']);
  });

  it('need their own columns, and are reported as not judged without a table', () => {
    const report = inspectBytes('%PDF-1.7\n', { expectation: { schema: STOPS } });
    expect(report.deliveryRules?.[0]?.outcome).toBe('not judged');
    const absent = inspectBytes('stop\ns\n', {
      expectation: { schema: { ...STOPS, fieldsMatch: 'superset' } },
      references: [officers()],
    });
    expect(absent.faultCounts).toStrictEqual({ 'missing-label': 1 });
    expect(absent.deliveryRules?.[0]?.outcome).toBe('not judged');
  });
});

describe('keys that other files refer to', () => {
  it('are hashes of 128 bits under a secret of their own, each once', () => {
    const twice = [keysOf(OFFICER_ROWS, ['badge']), keysOf(OFFICER_ROWS, ['badge'])];
    const [one, other] = twice.map(({ keys }) => (typeof keys === 'string' ? undefined : keys));
    expect([one?.hashes.length, one?.types, one?.secret.length]).toStrictEqual([
      32,
      ['integer'],
      32,
    ]);
    expect(one?.hashes).not.toStrictEqual(other?.hashes);
  });

  it('are HMAC-SHA-256 of the value as its type has it', async () => {
    const { createHmac } = await import('node:crypto');
    const { keys } = keysOf('badge,unit,hired\n7,,\n', ['badge']);
    if (typeof keys === 'string') throw new Error(keys);
    const message = Buffer.alloc(9);
    message[0] = 1;
    message.writeDoubleBE(7, 1);
    const expected = createHmac('sha256', keys.secret).update(message).digest().subarray(0, 16);
    expect(Buffer.from(keys.hashes)).toStrictEqual(expected);
  });

  it('are not known where the delivery lacks one of their columns', () => {
    expect(keysOf(OFFICER_ROWS, ['badge', 'rank']).keys).toBe('it lacks rank');
  });

  it('are not known where there are more than are kept', () => {
    const keys = (rows: string, limits = { ...LIMITS, most: 2 }) => {
      const collector = new ReferenceKeyCollector([['badge']], NODE_PORTS, limits);
      const expectation = { schema: OFFICERS };
      inspectBytes(`badge,unit,hired\n${rows}`, { expectation, rowReader: collector.read });
      return collector.collected()[0]?.keys;
    };
    expect(keys('1,,\n2,,\n1,,\n')).toBeTypeOf('object');
    expect(keys('1,,\n2,,\n3,,\n')).toBe('it has more than 2 different keys');
  });
});
