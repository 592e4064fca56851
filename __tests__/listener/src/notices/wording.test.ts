import { readdirSync } from 'node:fs';
import { FAULT_TYPES } from '@file-processing/quality/faults.ts';
import { describe, expect, test } from 'vitest';
import type { Finding, Notice, NoticeData } from '../../../../listener/src/notices/notice.ts';
import { templatesOf, Wording } from '../../../../listener/src/notices/wording.ts';

const wording = new Wording();
const ID = '0b6c0f1e-58a1-4b0b-9a53-6a4dcb1b7a10';
const FINDING: Finding = {
  kind: 'constraint-error',
  missing: true,
  constraint: 'required',
  type: null,
  count: 12,
  column: 2,
  field: 'officer_number',
  rows: [5, 18, 40],
};
const FAILED: NoticeData = {
  state: 'failed',
  verdict: 'failed',
  previousVerdict: null,
  client: 'nm_albuquerque',
  mapping: { name: 'officer_detail', version: 3 },
  object: { bucket: 'drop', key: 'from_client/nm/Officer_Detail.csv', versionId: null },
  period: null,
  run: { id: ID, judgement: 1 },
  counts: { rows: 40, faultyRows: 12, faults: 12 },
  findings: [FINDING],
  moreFindings: 0,
  diagnoses: [],
  report: { bucket: 'drop', key: 'reports/x.json' },
};
const LATE: NoticeData = {
  ...{ ...FAILED, state: 'late', verdict: null, object: null, run: null, counts: null },
  ...{ findings: [], report: null, mapping: null },
  period: {
    subject: 'from_client/nm/*.csv',
    name: '2026-11',
    dueAt: '2026-12-01T00:00:00.000Z',
    timeZone: 'America/Denver',
  },
};
const notice = (data: NoticeData): Notice => ({
  ...{ version: 1, id: ID, type: `delivery.${data.state}`, timestamp: '2026-11-30T12:00:00.000Z' },
  data,
});

test('a finding is a clause that a clerk understands', () => {
  expect(wording.finding(FINDING)).toBe(
    '12 rows have no officer number (rows 5, 18, 40 and 9 more)',
  );
});

test.each([
  [1, [5], '1 row has no officer number (row 5)'],
  [2, [5, 18], '2 rows have no officer number (rows 5 and 18)'],
  [3, [5, 18, 40], '3 rows have no officer number (rows 5, 18 and 40)'],
  [1_234, [], '1,234 rows have no officer number'],
])('%i with rows %j', (count, rows, text) => {
  expect(wording.finding({ ...FINDING, count, rows })).toBe(text);
});

test.each([
  [1, '1 value of officer number begins or ends with blanks (row 5)'],
  [2, '2 values of officer number begin or end with blanks (rows 5 and 1 more)'],
])('%i padded: verb and noun agree', (count, text) => {
  const padded = {
    ...FINDING,
    kind: 'padded-value',
    missing: false,
    constraint: null,
    rows: [5],
  } as const;
  expect(wording.finding({ ...padded, count })).toBe(text);
});

test.each([
  ['enum', 'has a value in officer number that is not on the agreed list (row 5)'],
  ['maximum', 'has a value in officer number above the agreed maximum (row 5)'],
  ['jsonSchema', 'has a value in officer number that is not allowed (row 5)'],
  [null, 'has a value in officer number that is not allowed (row 5)'],
])('what is wrong with a value that breaks %j is said without it', (constraint, text) => {
  const broken = { ...FINDING, missing: false, constraint, count: 1, rows: [5] };
  expect(wording.finding(broken)).toBe(`1 row ${text}`);
});

test.each([
  ['datetime', 'not a date and time written as agreed'],
  ['integer', 'not a whole number'],
  ['geojson', 'not of the agreed type'],
] as const)('a value that is no %s is said to be none', (type, text) => {
  const other = { ...FINDING, kind: 'type-error', missing: false, constraint: null } as const;
  expect(wording.finding({ ...other, type, count: 1, rows: [5] })).toBe(
    `1 row has a value in officer number that is ${text} (row 5)`,
  );
});

test.each([
  [{ kind: 'missing-label', column: null, field: 'badge_no' }, 'the column badge no is missing'],
  [{ kind: 'missing-label', column: null, field: null }, '12 columns are missing'],
  [{ kind: 'extra-label', column: 8, field: null }, 'column 8 is not expected'],
] as const)('a wrong column name is said of its column: %j', (label, text) => {
  const none = { missing: false, constraint: null, rows: [] };
  expect(wording.finding({ ...FINDING, ...none, ...label })).toBe(text);
});

test('a file that may be in any folder goes by its name', () => {
  const period = { ...LATE.period, subject: '**/visits_*.csv' } as NonNullable<
    NoticeData['period']
  >;
  const { subject } = wording.mail(ID, [notice({ ...LATE, period })]);
  expect(subject).toMatch(/^Late: visits_\*\.csv, due /);
});

test('a column that the schema does not name goes by its number', () => {
  expect(wording.finding({ ...FINDING, field: null })).toContain('no column 2');
});

describe('each language', () => {
  const languages = readdirSync(
    new URL('../../../../listener/src/notices/templates/', import.meta.url),
  ).map((name) => name.replace(/\.json$/, '') as 'en');

  test.each(languages)('%s words every kind of fault, and no other', (language) => {
    expect(Object.keys(templatesOf(language).findings).sort()).toEqual([...FAULT_TYPES].sort());
  });

  test.each(languages)('%s fills every template', (language) => {
    const own = new Wording(language);
    for (const kind of FAULT_TYPES) {
      for (const count of [1, 2]) {
        const text = own.finding({ ...FINDING, kind, missing: false, constraint: null, count });
        expect(text).not.toMatch(/[{}]|undefined/);
        expect(text).not.toBe('');
      }
    }
  });
});

test('a mail of a rejected file says why, what to do, and where the report is', () => {
  const { subject, text } = wording.mail(ID, [notice(FAILED)]);
  expect(subject).toBe('Rejected: Officer_Detail.csv');
  expect(text).toBe(`Rejected: Officer_Detail.csv
- 12 rows have no officer number (rows 5, 18, 40 and 9 more)
The file was not accepted. Correct what is listed and deliver the whole file again under the same name.

File: s3://drop/from_client/nm/Officer_Detail.csv
Sender: nm_albuquerque
Rules: officer_detail 3
Report: s3://drop/reports/x.json
Details: file-processing runs show ${ID}

Notice ${ID}
`);
});

test('a file that is late is due in the time of its sender', () => {
  const { subject, text } = wording.mail(ID, [notice(LATE)]);
  expect(subject).toMatch(/^Late: from_client\/nm\/\*\.csv, due Nov 30, 2026, 5:00.PM MST$/);
  expect(text).toMatch(/^Late: .*period 2026-11.*has not arrived\.\n/);
});

test.each([
  [
    'recovered',
    /^Arrived: from_client\/nm\/\*\.csv, period 2026-11\. It was due .* had been missing\.\n/,
  ],
  ['corrected', /^Delivered again: from_client\/nm\/\*\.csv, period 2026-11, due /],
] as const)('a period that is %s is told as one, though its file is named', (state, beginning) => {
  const { object } = FAILED;
  const { subject, text } = wording.mail(ID, [notice({ ...LATE, state, object })]);
  expect(subject).toMatch(/: from_client\/nm\/\*\.csv, due Nov 30/);
  expect(text).toMatch(beginning);
  expect(text).toContain('\n\nFile: s3://drop/from_client/nm/Officer_Detail.csv\n');
  // Its verdict, which has a notice of its own, may be any.
  expect(text).not.toContain('nothing to do');
});

test('a corrected verdict names the one before', () => {
  const data: NoticeData = {
    ...{ ...FAILED, state: 'corrected', verdict: 'passed', previousVerdict: 'failed' },
    findings: [],
  };
  const { subject, text } = wording.mail(ID, [notice(data)]);
  expect(subject).toBe('Corrected to Accepted: Officer_Detail.csv');
  expect(text).toContain('It was judged again; the earlier verdict was: rejected.');
});

test('a file that is rejected by a correction is to be delivered again', () => {
  const data: NoticeData = { ...FAILED, state: 'corrected', previousVerdict: 'passed' };
  const { text } = wording.mail(ID, [notice(data)]);
  expect(text).toContain(`should look again.
The file was not accepted. Correct what is listed and deliver the whole file again`);
});

test('a digest counts the states, and what it has no room for', () => {
  const { subject, text } = wording.mail(ID, [notice(FAILED), notice(FAILED), notice(LATE)], 5);
  expect(subject).toBe('8 notices: 2 rejected, 1 late');
  expect(text).toContain('And 5 more changes');
});

test('a key ends no header line and no line of the text', () => {
  const key = 'a\r\nBcc: eve@evil.example\r\n\u2028x.csv';
  const data = { ...FAILED, object: { bucket: 'drop', key, versionId: null } };
  const { subject, text } = wording.mail(ID, [notice(data)]);
  expect(subject).not.toMatch(/[\p{Cc}\u2028]/u);
  expect(text).not.toMatch(/^Bcc/m);
});

test('a long key is cut in the subject', () => {
  const object = { bucket: 'drop', key: `${'a'.repeat(900)}.csv`, versionId: null };
  expect(wording.mail(ID, [notice({ ...FAILED, object })]).subject).toHaveLength(200);
});
