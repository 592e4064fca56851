import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../../listener/src/jobs/engine-ports.ts';
import {
  type AcceptedDelivery,
  type DeliveryRule,
  labelToken,
} from '../../../quality/delivery-rules.ts';
import { expectationProblems } from '../../../quality/expectation.ts';
import type { Thresholds } from '../../../quality/thresholds.ts';
import { inspectBytes } from '../inspect-bytes.ts';

const FILE = 'id,site\n1,north\n2,south\n3,\n';
const DELIVERED = '2026-11-01T06:00:00.000Z';

function accepted(more: Partial<AcceptedDelivery> = {}): AcceptedDelivery {
  return { deliveredAt: DELIVERED, rows: 3, bytes: 27, sha256: '0'.repeat(64), ...more };
}

function judged(
  file: string,
  rule: DeliveryRule,
  history?: readonly AcceptedDelivery[],
  thresholds: Thresholds = {},
) {
  const report = inspectBytes(file, {
    expectation: { rules: [rule], thresholds },
    ...(history === undefined ? {} : { history }),
  });
  const [result] = report.deliveryRules ?? [];
  return { report, result, ...result, verdict: report.verdict };
}

describe('rules of freshness', () => {
  const schema = {
    fields: [
      { name: 'id', type: 'integer' as const },
      { name: 'day', type: 'date' as const },
      { name: 'at', type: 'datetime' as const },
    ],
  };
  const DELIVERED_AT = '2026-11-02T06:00:00.000Z';
  const TIMES =
    'id,day,at\n1,2026-11-01,2026-11-02T05:00:00Z\n2,2026-10-31,2026-11-02T06:00:00+07:00\n3,,\n4,2026-10-30,yesterday\n';

  const fresh = (rule: DeliveryRule, history?: readonly AcceptedDelivery[]) => {
    const report = inspectBytes(TIMES, {
      ...{ expectation: { schema, rules: [rule] }, deliveredAt: DELIVERED_AT },
      ...(history === undefined ? {} : { history }),
    });
    return report.deliveryRules?.[0];
  };

  it.each<[Partial<DeliveryRule>, string, number]>([
    [{ column: 'day', hours: 30, fail: { min: 1 } }, 'passed', 1 / 3],
    [{ column: 'day', hours: 29.9, fail: { min: 1 } }, 'failed', 0],
    [{ column: 'day', hours: 54, warn: { minShare: 0.67 } }, 'warned', 2 / 3],
    [{ column: 'day', hours: 78, fail: { minShare: 1, maxRows: 0 } }, 'passed', 1],
    [{ column: 'at', hours: 1, fail: { min: 2 } }, 'failed', 1 / 3],
    [{ column: 'at', hours: 7, fail: { min: 2 } }, 'passed', 2 / 3],
  ])('DataFreshness %j is %s by the time of the delivery', (rule, outcome, measured) => {
    expect(fresh({ rule: 'DataFreshness', ...rule })).toMatchObject({ outcome, measured });
  });

  it.each([
    ['2026-11-03T06:00:00Z', 1],
    ['2026-11-03T06:00:01Z', 0],
    ['9999-12-31T00:00:00Z', 0],
  ])(
    'DataFreshness counts %s as %i fresh values of a delivery of the day before',
    (at, measured) => {
      const rules = [{ rule: 'DataFreshness' as const, column: 'at', hours: 48, fail: { min: 1 } }];
      const expectation = { schema, rules };
      const file = `id,day,at\n1,,${at}\n`;
      const { deliveryRules } = inspectBytes(file, { expectation, deliveredAt: DELIVERED_AT });
      expect(deliveryRules?.[0]).toMatchObject({ measured });
    },
  );

  it('DataFreshness counts a value that is exactly as old as a part of an hour allows', () => {
    // 34 minutes and 12 seconds; as a product of doubles a little less, which no time of these days can tell.
    const rules = [{ rule: 'DataFreshness' as const, column: 'at', hours: 0.57, fail: { min: 1 } }];
    const measure = (at: string) =>
      inspectBytes(`id,day,at\n1,,${at}\n`, {
        ...{ expectation: { schema, rules }, deliveredAt: DELIVERED_AT },
      }).deliveryRules?.[0]?.measured;
    expect(measure('2026-11-02T05:25:48Z')).toBe(1);
    expect(measure('2026-11-02T05:25:47.999Z')).toBe(0);
  });

  it.each<[Partial<DeliveryRule>, string]>([
    [{ column: 'day' }, 'rules[0].hours: is undefined; a number from 0 is needed'],
    [{ column: 'day', hours: -1 }, 'rules[0].hours: is -1; a number from 0 is needed'],
    [{ column: 'id', hours: 1 }, 'rules[0].column: is "id", of type integer; a field of type date'],
  ])('DataFreshness of %j is refused', (rule, problem) => {
    const rules = [{ rule: 'DataFreshness', fail: { min: 1 }, ...rule }];
    const problems = expectationProblems({ schema, rules } as never);
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it('DataFreshness says how many values are new enough, and no value', () => {
    const result = fresh({ rule: 'DataFreshness', column: 'day', hours: 24, fail: { min: 1 } });
    expect(result?.message).toBe(
      'DataFreshness of "day" is 0 %: 0 of 3 values are at most 24 hours old; the rule asks for at least 1.',
    );
  });

  it.each<[Partial<DeliveryRule>, string]>([
    [{ fail: { maxHours: 24 } }, 'passed'],
    [{ fail: { maxHours: 23.5 } }, 'failed'],
    [{ warn: { minHours: 25 } }, 'warned'],
  ])('FileFreshness %j is %s by the last accepted delivery', (rule, outcome) => {
    const before = accepted({ deliveredAt: '2026-11-01T06:00:00.000Z' });
    const older = accepted({ deliveredAt: '2026-10-01T06:00:00.000Z' });
    expect(fresh({ rule: 'FileFreshness', ...rule }, [before, older])).toMatchObject({
      outcome,
      measured: 24,
    });
  });

  it('FileFreshness is not judged where nothing was accepted before', () => {
    const rule: DeliveryRule = { rule: 'FileFreshness', fail: { maxHours: 1 } };
    expect([fresh(rule, [])?.outcome, fresh(rule)?.outcome]).toEqual(['not judged', 'not judged']);
  });
});

describe('rules with figures of the file alone', () => {
  it.each<[DeliveryRule, string, number]>([
    [{ rule: 'RowCount', fail: { min: 3, max: 3 } }, 'passed', 3],
    [{ rule: 'RowCount', warn: { min: 4 }, fail: { min: 3 } }, 'warned', 3],
    [{ rule: 'RowCount', warn: { min: 9 }, fail: { min: 4 } }, 'failed', 3],
    [{ rule: 'RowCount', fail: { max: 2 } }, 'failed', 3],
    [{ rule: 'FileSize', fail: { min: 27, max: 27 } }, 'passed', 27],
    [{ rule: 'FileSize', warn: { max: 26 } }, 'warned', 27],
    [{ rule: 'FileSize', fail: { min: 28 } }, 'failed', 27],
    [{ rule: 'Completeness', column: 'site', fail: { minShare: 0.66 } }, 'passed', 2 / 3],
    [{ rule: 'Completeness', column: 'site', warn: { minShare: 0.67 } }, 'warned', 2 / 3],
    [{ rule: 'Completeness', column: 'site', fail: { maxRows: 1 } }, 'passed', 2 / 3],
    [{ rule: 'Completeness', column: 'site', fail: { maxRows: 0 } }, 'failed', 2 / 3],
    [{ rule: 'DistinctValuesCount', column: 'site', fail: { min: 2, max: 2 } }, 'passed', 2],
    [{ rule: 'DistinctValuesCount', column: 'site', warn: { max: 1 } }, 'warned', 2],
    [{ rule: 'DistinctValuesCount', column: 'id', fail: { min: 4 } }, 'failed', 3],
  ])('%j is %s', (rule, outcome, measured) => {
    const result = judged(FILE, rule);
    expect(result).toMatchObject({ outcome, verdict: outcome, measured });
  });

  it.each<[object, number, string]>([
    [{ enum: ['north', 'south'] }, 1, 'passed'],
    [{ enum: ['north'] }, 0.5, 'passed'],
    [{ pattern: 'n.*' }, 0.51, 'failed'],
  ])('ColumnValues %j leaves nulls out of its share', (constraints, minShare, outcome) => {
    const rule: DeliveryRule = { rule: 'ColumnValues', column: 'site', constraints };
    expect(judged(FILE, { ...rule, fail: { minShare } }).outcome).toBe(outcome);
  });

  it('ColumnValues orders values by the type of the field', () => {
    const rules: DeliveryRule[] = [
      { rule: 'ColumnValues', column: 'id', constraints: { minimum: 2 }, warn: { maxRows: 1 } },
    ];
    const schema = { fields: [{ name: 'id', type: 'integer' as const }, { name: 'site' }] };
    const report = inspectBytes('id,site\n1,a\n10,b\nx,c\n', { expectation: { schema, rules } });
    expect(report.deliveryRules?.[0]).toMatchObject({ outcome: 'warned', measured: 1 / 3 });
  });

  it('DistinctValuesCount compares values of the field, not how they are written', () => {
    const rules: DeliveryRule[] = [{ rule: 'DistinctValuesCount', column: 'id', fail: { max: 1 } }];
    const schema = { fields: [{ name: 'id', type: 'number' as const }] };
    const report = inspectBytes('id\n1\n1.0\n"01"\n', { expectation: { schema, rules } });
    expect(report.deliveryRules?.[0]).toMatchObject({ outcome: 'passed', measured: 1 });
  });

  it('DistinctValuesCount counts no further than it must, and says so', () => {
    const file = `id\n${Array.from({ length: 100_005 }, (_, id) => id).join('\n')}\n`;
    const { result } = judged(file, {
      rule: 'DistinctValuesCount',
      column: 'id',
      fail: { max: 5 },
    });
    expect(result).toMatchObject({ outcome: 'failed', measured: 100_000 });
    expect(result?.message).toContain('is 100000 or more; the rule asks for at most 5');
  });

  it('a column that the file lacks breaks the rule, whatever the limits are', () => {
    const { result, report } = judged(FILE, {
      rule: 'Completeness',
      column: 'town',
      warn: { minShare: 0 },
    });
    expect(result).toMatchObject({ outcome: 'warned', measured: null, column: 'town' });
    expect(report.faults[0]).toMatchObject({ type: 'completeness', label: 'town', field: null });
  });

  it('a breach is a fault with rule, figure and limit', () => {
    const { report } = judged(FILE, { rule: 'RowCount', fail: { min: 9 } });
    expect(report.faults).toMatchObject([
      { type: 'table-dimensions', message: 'RowCount is 3; the rule asks for at least 9.' },
    ]);
    expect(report.reasons).toStrictEqual(['1 fault of the header or the whole file.']);
  });

  it('warnOn and failOn change what breaches do', () => {
    const fails: DeliveryRule = { rule: 'RowCount', fail: { min: 9 } };
    const warns: DeliveryRule = { rule: 'RowCount', warn: { min: 9 } };
    const kind = ['table-dimensions' as const];
    expect(judged(FILE, fails, undefined, { warnOn: kind })).toMatchObject({
      verdict: 'warned',
      outcome: 'warned',
    });
    expect(judged(FILE, warns, undefined, { failOn: kind })).toMatchObject({
      verdict: 'failed',
      outcome: 'failed',
    });
  });

  it('thresholds that are rules are reported as rules', () => {
    const thresholds = { minRows: 4, completeness: { site: 0.5 } };
    const report = inspectBytes(FILE, { expectation: { thresholds } });
    expect(report.deliveryRules).toMatchObject([
      { rule: 'RowCount', outcome: 'failed', measured: 3 },
      { rule: 'Completeness', column: 'site', outcome: 'passed' },
    ]);
  });
});

describe('rules that look at earlier deliveries', () => {
  const rules: DeliveryRule[] = [
    { rule: 'RowCountChange', fail: { maxDecrease: 0 } },
    { rule: 'SchemaMatch' },
    { rule: 'FileUniqueness' },
  ];

  it.each([
    ['not known', undefined, 'not checked here, since earlier deliveries are not known'],
    ['none', [], 'no delivery was accepted before'],
  ])('are not judged where they are %s, and the report says so', (_, history, why) => {
    const report = inspectBytes(FILE, {
      expectation: { rules },
      ...(history === undefined ? {} : { history }),
    });
    expect(report.verdict).toBe('passed');
    expect(report.deliveryRules?.map(({ outcome }) => outcome)).toStrictEqual(
      rules.map(() => 'not judged'),
    );
    for (const { message } of report.deliveryRules ?? []) expect(message).toContain(why);
  });

  it.each<[number[], DeliveryRule, string, number]>([
    [[3], { rule: 'RowCountChange', fail: { maxDecrease: 0, maxIncrease: 0 } }, 'passed', 0],
    [[4], { rule: 'RowCountChange', fail: { maxDecrease: 0.25 } }, 'passed', -0.25],
    [[4], { rule: 'RowCountChange', fail: { maxDecrease: 0.24 } }, 'failed', -0.25],
    [[2], { rule: 'RowCountChange', warn: { maxIncrease: 0.4 } }, 'warned', 0.5],
    [[2, 10], { rule: 'RowCountChange', last: 2, fail: { maxDecrease: 0.5 } }, 'passed', -0.5],
    [[2, 10, 99], { rule: 'RowCountChange', last: 2, fail: { maxDecrease: 0.5 } }, 'passed', -0.5],
  ])('RowCountChange after deliveries of %j rows: %j is %s', (rows, rule, outcome, measured) => {
    const history = rows.map((count) => accepted({ rows: count }));
    expect(judged(FILE, rule, history)).toMatchObject({ outcome, measured, verdict: outcome });
  });

  it('RowCountChange is exact at a limit, whatever the average is', () => {
    const rule: DeliveryRule = { rule: 'RowCountChange', last: 3, fail: { maxDecrease: 0.1 } };
    const history = [13, 13, 14].map((rows) => accepted({ rows }));
    const file = (rows: number) => `id\n${'1\n'.repeat(rows)}`;
    expect(judged(file(12), rule, history).outcome).toBe('passed');
    expect(judged(file(11), rule, history).outcome).toBe('failed');
  });

  it('leaves cells out that can be of another column', () => {
    const rules: DeliveryRule[] = [
      {
        rule: 'ColumnValues',
        column: 'c',
        constraints: { enum: ['5', '7'] },
        fail: { minShare: 1 },
      },
      { rule: 'DistinctValuesCount', column: 'c', fail: { max: 2 } },
    ];
    const thresholds: Thresholds = { warnOn: ['stray-quote'], maxIncompleteRows: 1 };
    const file = 'a,b,c\n1,x,5\n1,x"y, z",6\n2,y,7\n';
    const report = inspectBytes(file, { expectation: { rules, thresholds } });
    expect(report.faultCounts).toStrictEqual({ 'stray-quote': 1 });
    expect(report.deliveryRules).toMatchObject([{ measured: 1 }, { measured: 2 }]);
  });

  it('minds the completeness of a column whatever its label is', () => {
    const thresholds = JSON.parse('{"completeness":{"__proto__":1}}') as Thresholds;
    const report = inspectBytes('__proto__,b\n,1\n', { expectation: { thresholds } });
    expect(report.faultCounts).toStrictEqual({ completeness: 1 });
  });

  it('RowCountChange after empty deliveries is an increase without a share', () => {
    const rule: DeliveryRule = { rule: 'RowCountChange', fail: { maxIncrease: 9 } };
    const { result } = judged(FILE, rule, [accepted({ rows: 0 })]);
    expect(result).toMatchObject({ outcome: 'failed', measured: null });
  });

  it('FileUniqueness finds the same bytes among the deliveries that it looks at', () => {
    const sha256 = createHash('sha256').update(FILE).digest('hex');
    const history = [accepted(), accepted({ sha256 })];
    expect(judged(FILE, { rule: 'FileUniqueness' }, history)).toMatchObject({
      verdict: 'failed',
      measured: 1,
      message: `FileUniqueness: the same bytes were delivered ${DELIVERED} and accepted.`,
    });
    expect(judged(FILE, { rule: 'FileUniqueness', severity: 'warn' }, history).verdict).toBe(
      'warned',
    );
    expect(judged(FILE, { rule: 'FileUniqueness', last: 1 }, history).verdict).toBe('passed');
  });

  const column = (label: string, type = 'string') => ({ label, type, declared: false });

  it.each([
    ['the same columns', [column('id', 'integer'), column('site')], [], 'passed'],
    ['an added one', [column('id', 'integer')], ['the column "site" was added'], 'warned'],
    [
      'a lost one',
      [column('id', 'integer'), column('site'), column('town')],
      ['the column "town" is missing'],
      'failed',
    ],
    [
      'a renamed one, in its place',
      [column('id', 'integer'), column('place')],
      ['the column "place" is now "site"'],
      'failed',
    ],
    [
      'a renamed one, written almost alike',
      [column('siite'), column('id', 'integer'), column('x')],
      ['the column "siite" is now "site"', 'the column "x" is missing'],
      'failed',
    ],
    [
      'a retyped one',
      [column('id', 'date'), column('site')],
      ['the values of "id" were of type date and are of type integer'],
      'failed',
    ],
    ['one that was null before', [column('id', 'any'), column('site')], [], 'passed'],
    ['another order', [column('site'), column('id', 'integer')], [], 'passed'],
  ])('SchemaMatch sees %s', (_, columns, messages, verdict) => {
    const { report } = judged(FILE, { rule: 'SchemaMatch' }, [accepted({ columns })]);
    expect(report.faults.map(({ message }) => message)).toStrictEqual(
      messages.map((message) => `SchemaMatch: ${message}.`),
    );
    for (const { plainMessage } of report.faults) {
      expect(plainMessage).toMatch(/^SchemaMatch: [a-z ]*column \d [a-z ]+\.$/);
    }
    expect(report.verdict).toBe(verdict);
    expect(report.deliveryRules?.[0]?.measured).toBe(messages.length);
  });

  it('SchemaMatch knows labels by their tokens, and names none that was not kept', () => {
    const token = (label: string) => labelToken(label, NODE_PORTS);
    const columns = [column(token('id'), 'integer'), column(token('site')), column(token('town'))];
    const { report } = judged(FILE, { rule: 'SchemaMatch' }, [accepted({ columns })]);
    expect(report.faults).toMatchObject([
      {
        label: null,
        message: 'SchemaMatch: a column without a field in the schema is missing.',
      },
    ]);
  });

  it('SchemaMatch judges the changes that it lists, and leaves alone the others', () => {
    const history = [accepted({ columns: [column('id', 'integer')] })];
    expect(judged(FILE, { rule: 'SchemaMatch', fail: ['added'] }, history).verdict).toBe('failed');
    expect(judged(FILE, { rule: 'SchemaMatch', fail: ['lost'] }, history)).toMatchObject({
      verdict: 'passed',
      outcome: 'passed',
      measured: 1,
    });
  });

  it('SchemaMatch is not judged where the columns were not kept', () => {
    expect(judged(FILE, { rule: 'SchemaMatch' }, [accepted()]).outcome).toBe('not judged');
  });
});

describe('a file that cannot be read', () => {
  it.each(['', '%PDF-1.7\n'])('has no judged rules: %j', (file) => {
    const { report } = judged(file, { rule: 'RowCount', fail: { min: 1 } });
    expect(report.verdict).toBe('unreadable');
    expect(report.deliveryRules).toMatchObject([{ outcome: 'not judged', measured: null }]);
    expect(report.faultCounts).not.toHaveProperty('table-dimensions');
  });
});
