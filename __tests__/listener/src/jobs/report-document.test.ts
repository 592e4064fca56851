import { expect, test } from 'vitest';
import type { RunWithReport } from '../../../../listener/src/database/runs.ts';
import { reportDocument } from '../../../../listener/src/jobs/report-document.ts';

const run: RunWithReport = {
  id: '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11',
  messageId: 'm',
  bucket: 'drop-box',
  key: 'from_client/a.csv',
  versionId: 'v1',
  eTag: 'e1',
  sequencer: '1',
  sizeBytes: 4,
  eventName: 'ObjectCreated:Put',
  eventTime: new Date('2026-11-24T10:00:00Z'),
  awsRegion: 'us-gov-west-1',
  monitoringFileId: 1,
  mappingName: 'officer_detail',
  mappingVersion: 2,
  status: 'finished',
  verdict: 'failed',
  rowCount: 1,
  byteCount: 4,
  faultCount: 1,
  sha256: null,
  reportKey: null,
  error: null,
  attempts: 1,
  createdAt: new Date('2026-11-24T10:00:01Z'),
  startedAt: new Date('2026-11-24T10:00:02Z'),
  finishedAt: new Date('2026-11-24T10:00:03Z'),
  report: { verdict: 'failed', rows: 1 },
};

test('a report is written with what it is about, as JSON for readers', () => {
  expect(reportDocument(run, 'albuquerque')).toBe(`{
  "runId": "0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11",
  "bucket": "drop-box",
  "key": "from_client/a.csv",
  "versionId": "v1",
  "eTag": "e1",
  "verdict": "failed",
  "finishedAt": "2026-11-24T10:00:03.000Z",
  "client": "albuquerque",
  "mapping": {
    "name": "officer_detail",
    "version": 2
  },
  "report": {
    "verdict": "failed",
    "rows": 1
  }
}
`);
});

test('a report on a file that nobody monitors has neither client nor mapping', () => {
  const unmonitored = { ...run, monitoringFileId: null, mappingName: null, mappingVersion: null };
  expect(JSON.parse(reportDocument(unmonitored, undefined))).toMatchObject({
    client: null,
    mapping: null,
  });
});
