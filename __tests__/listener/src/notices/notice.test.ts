import { readFile } from 'node:fs/promises';
import { FAULT_TYPES } from '@file-processing/quality/faults.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimMessages, contentOf } from '../../../../listener/src/notices/messages.ts';
import { findingsOf, shownFindings } from '../../../../listener/src/notices/notice.ts';
import { recordNotices } from '../../../../listener/src/notices/outbox.ts';
import {
  describeFiles,
  forgetNotices,
  noticedVerdict,
  REPORT,
  tellerOf,
} from '../../support/noticed-runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const SCHEMA = new URL('../../../../listener/src/notices/notice.schema.json', import.meta.url);

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await describeFiles(given.database);
});
afterAll(() => given?.drop());
beforeEach(() => forgetNotices(given.database));

test('what topics and webhooks get keeps the schema that is published', async () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(await readFile(SCHEMA, 'utf8')),
  );
  await noticedVerdict(given.database, 'failed', { versionId: 'v1' });
  await noticedVerdict(given.database, 'passed', { versionId: 'v2' });
  await given.database.transaction((transaction) =>
    recordNotices(transaction, [
      {
        ...{ state: 'missing', client: 'c', subject: '*.csv', period: '2026-11' },
        dueAt: new Date('2026-12-01T00:00:00Z'),
      },
    ]),
  );
  const topicArn = 'arn:aws:sns:us-east-1:123456789012:notices';
  const teller = tellerOf(given.database, [], {
    audience: { states: [], operators: [], mail: false, topicArn, webhooks: [] },
  });
  await teller.tell();
  const held = await claimMessages(given.database, { way: 'sns' }, teller.now, 10);
  const contents = await Promise.all(
    held.map((message) => contentOf(given.database, message, { prefix: 'reports/' })),
  );
  const notices = contents.flatMap((content) => content.notices);
  expect(notices.map(({ data }) => data.state).sort()).toEqual(['failed', 'missing', 'recovered']);
  for (const notice of notices) {
    expect(validate(notice), JSON.stringify(validate.errors)).toBe(true);
  }
});

test('the report is where it will be, before it is written and after', async () => {
  const runId = await noticedVerdict(given.database, 'failed');
  const teller = tellerOf(given.database, []);
  await teller.tell();
  const [message] = await claimMessages(given.database, { way: 'email' }, teller.now, 1);
  if (message === undefined) throw new Error('there is no message');
  const reportOf = async (reports?: { prefix: string }) =>
    (await contentOf(given.database, message, reports)).notices[0]?.data.report;
  expect(await reportOf()).toBeNull();
  const key = `reports/a.csv.${runId}.1.json`;
  expect(await reportOf({ prefix: 'reports/' })).toEqual({ bucket: 'bucket', key });
  await given.database('judgements').update({ report_key: 'old/a.json' });
  expect(await reportOf({ prefix: 'reports/' })).toEqual({ bucket: 'bucket', key: 'old/a.json' });
});

/** A report with faults of one column, of which some are listed. */
function reportOf(count: number, nulls: number, messages: readonly string[]): QualityReport {
  const [column] = REPORT.columns;
  const [fault] = REPORT.faults;
  const faultCounts = { 'constraint-error': count };
  return {
    ...REPORT,
    ...{ faultCount: count, faultCounts },
    faults: messages.map((message, index) => ({ ...fault, record: index + 2, message })),
    columns: [{ ...column, nulls, faultCounts }],
  } as unknown as QualityReport;
}

describe('a finding', () => {
  test('is of missing values where all that is listed is required, and all is listed or null', () => {
    const missing = (report: QualityReport) => findingsOf(report)[0]?.missing;
    expect(missing(reportOf(2, 2, ['required', 'required; blanks only are not a value']))).toBe(
      true,
    );
    expect(missing(reportOf(90, 90, ['required']))).toBe(true);
    expect(missing(reportOf(90, 3, ['required']))).toBe(false);
    expect(missing(reportOf(2, 1, ['required', 'pattern is not met']))).toBe(false);
  });

  test('names the first three rows', () => {
    const [finding] = findingsOf(reportOf(9, 9, Array(9).fill('required')));
    expect(finding).toMatchObject({ count: 9, rows: [2, 3, 4] });
  });

  test('of no column counts what the columns leave', () => {
    const report = {
      ...reportOf(0, 0, []),
      ...{ faultCounts: { 'missing-cell': 3 } },
      faults: [{ type: 'missing-cell', record: 7, field: null }],
      columns: [],
    } as unknown as QualityReport;
    expect(findingsOf(report)).toEqual([
      {
        ...{ kind: 'missing-cell', missing: false, constraint: null, type: null },
        ...{ count: 3, column: null, field: null, rows: [7] },
      },
    ]);
  });

  test('of cells beyond the header names their rows', () => {
    const report = {
      ...reportOf(0, 0, []),
      ...{ faultCounts: { 'extra-cell': 2 } },
      faults: [7, 9].map((record) => ({ type: 'extra-cell', record, field: 8 })),
    } as unknown as QualityReport;
    expect(findingsOf(report)).toMatchObject([{ kind: 'extra-cell', count: 2, rows: [7, 9] }]);
  });

  test('of values of another type names the type of the schema', () => {
    const [column] = REPORT.columns;
    const faultCounts = { 'type-error': 1 };
    const report = { ...REPORT, faultCounts, columns: [{ ...column, faultCounts }] };
    expect(findingsOf(report as unknown as QualityReport)).toMatchObject([{ type: 'integer' }]);
  });

  describe('of column names', () => {
    const withLabels = (type: string, faults: readonly object[], total = faults.length) =>
      ({
        ...reportOf(0, 0, []),
        ...{ faultCounts: { [type]: total } },
        faults: faults.map((fault) => ({ type, record: 1, ...fault })),
      }) as unknown as QualityReport;

    test('names each missing one as the schema does', () => {
      const missing = { field: null, label: 'badge', classification: 'public' };
      expect(findingsOf(withLabels('missing-label', [missing]))).toMatchObject([
        { count: 1, column: null, field: 'badge', rows: [] },
      ]);
    });

    test('names a wrong one by its number alone: it may be a cell', () => {
      const wrong = { field: 3, label: 'M4rker', classification: 'internal' };
      const findings = findingsOf(withLabels('incorrect-label', [wrong, { ...wrong, field: 4 }]));
      expect(findings).toMatchObject([
        { count: 1, column: 3, field: null },
        { count: 1, column: 4, field: null },
      ]);
    });

    test.each([
      ['that an older version recorded', [{ field: null, label: 'aaaaa' }], 1],
      ['that are too many', [{ field: 3 }], 6],
    ])('counts those %s', (_, faults, total) => {
      expect(findingsOf(withLabels('missing-label', faults, total))).toMatchObject([
        { count: total, field: null },
      ]);
    });
  });

  test.each([
    ['one constraint', 2, ['enum does not list it', 'enum does not list it'], 'enum'],
    ['one whose limit is withheld', 1, ['maximum is not met'], 'maximum'],
    ['several', 2, ['enum does not list it', 'pattern is not met'], null],
    ['more than are listed', 3, ['enum does not list it'], null],
  ])('names the constraint of faults that break %s', (_, count, messages, constraint) => {
    expect(findingsOf(reportOf(count, 0, messages))).toMatchObject([{ constraint }]);
  });

  test('comes in the order of the kinds, and twenty are named', () => {
    const faultCounts = Object.fromEntries(FAULT_TYPES.map((type) => [type, 1]));
    const report = { ...reportOf(0, 0, []), faultCounts, columns: [] } as QualityReport;
    const { findings, moreFindings } = shownFindings(findingsOf(report));
    expect(findings.map(({ kind }) => kind)).toEqual(FAULT_TYPES.slice(0, 20));
    expect(moreFindings).toBe(FAULT_TYPES.length - 20);
  });
});
