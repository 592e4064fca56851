import { expect, test } from 'vitest';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import type { JobProgress, Unmonitored } from '../../../../listener/src/jobs/job.ts';
import type { MonitoredFile } from '../../../../listener/src/jobs/monitored-file.ts';
import { JOBS, s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { ObjectUnavailableError } from '../../../../listener/src/storage/object-store.ts';
import { storeOf } from '../../support/stores.ts';

const object = { bucket: 'bucket', key: 'a.csv' };
const numbers: MonitoredFile = {
  monitoringFileId: 1,
  client: 'client',
  mapping: {
    name: 'numbers',
    version: 1,
    tableSchema: { fields: [{ name: 'n', type: 'integer' }] },
    dialect: { delimiter: ';' },
    thresholds: { minRows: 3 },
  },
};

function run(
  content: string | Error,
  monitored?: MonitoredFile,
  signal?: AbortSignal,
  unmonitored?: Unmonitored,
) {
  return s3DataQualityJob.run(object, {
    store: storeOf(content),
    findMonitoredFile: async () => monitored,
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 10,
    ...(unmonitored === undefined ? {} : { unmonitored }),
    signal: signal ?? new AbortController().signal,
  });
}

test('a file that nobody monitors is judged by its structure', async () => {
  expect(await run('n\nx\n')).toMatchObject({
    status: 'finished',
    monitored: undefined,
    report: { verdict: 'passed', schemaApplied: false, rules: 'none', reasons: [] },
  });
});

test.each([
  ['judge', 'n\n1\n', 'passed'],
  ['warn', 'n\n1\n', 'warned'],
  ['warn', 'n\n', 'warned'],
  ['warn', 'n\n1,2\n', 'failed'],
  ['fail', 'n\n1\n', 'failed'],
  ['fail', 'n\n', 'failed'],
  ['fail', '', 'unreadable'],
] as const)(
  'with %s a file %j that nobody monitors is %s',
  async (unmonitored, content, verdict) => {
    const outcome = await run(content, undefined, undefined, unmonitored);
    expect(outcome).toMatchObject({ report: { verdict, rules: 'none' } });
  },
);

test('a verdict that comes of having no rules gives them as its reason', async () => {
  expect(await run('n\n1\n', undefined, undefined, 'fail')).toMatchObject({
    report: { reasons: [expect.stringMatching(/^No rules: .*UNMONITORED is fail/)] },
  });
});

test('a monitored file has the name and version of its mapping, whatever UNMONITORED is', async () => {
  expect(await run('n\n1\n2\n3\n', numbers, undefined, 'fail')).toMatchObject({
    report: { verdict: 'passed', rules: 'numbers 1' },
  });
});

test('a monitored file is judged by schema, dialect and thresholds', async () => {
  expect(await run('n\nx\n', numbers)).toMatchObject({
    status: 'finished',
    monitored: numbers,
    report: { verdict: 'failed', faultCounts: { 'type-error': 1, 'table-dimensions': 1 } },
  });
});

test('an object that is gone is an outcome', async () => {
  expect(await run(new ObjectUnavailableError('object-gone', 'is gone'))).toStrictEqual({
    status: 'gone',
    reason: 'is gone',
  });
});

test('an object that was replaced is an outcome', async () => {
  expect(await run(new ObjectUnavailableError('object-replaced', 'is another'))).toStrictEqual({
    status: 'replaced',
    reason: 'is another',
  });
});

test('whatever else goes wrong is thrown', async () => {
  await expect(run(new Error('access denied'))).rejects.toThrow('access denied');
});

test('an aborted signal ends the job', async () => {
  const signal = AbortSignal.abort(new Error('shutdown'));
  await expect(run('n\n1\n', undefined, signal)).rejects.toThrow('shutdown');
});

test('progress tells bytes, rows and size', async () => {
  const seen: JobProgress[] = [];
  await s3DataQualityJob.run(object, {
    // Longer than the beginning by which a file's format is told.
    store: storeOf(`n\n${'1\n'.repeat(40_000)}`),
    findMonitoredFile: async () => undefined,
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 10,
    signal: new AbortController().signal,
    onProgress: (progress) => seen.push(progress),
  });
  expect(seen).toStrictEqual([{ bytes: 80_002, rows: 40_000, sizeBytes: 80_002 }]);
});

test('a job is found by its name', () => {
  expect(JOBS.get('s3_data_quality_job')?.name).toBe('s3_data_quality_job');
});

test('what is not a job is not found', () => {
  expect(JOBS.get('constructor')).toBeUndefined();
});
