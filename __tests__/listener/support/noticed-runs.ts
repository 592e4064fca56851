import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Database } from '../../../listener/src/database/connection.ts';
import { finishJudgement, requestJudgements } from '../../../listener/src/database/judgements.ts';
import { upsertMonitoringFile } from '../../../listener/src/database/monitoring-files.ts';
import { tablesOf } from '../../../listener/src/database/tables.ts';
import type { Outlet } from '../../../listener/src/notices/outlet.ts';
import { deliverAll, planAll, type TellingOptions } from '../../../listener/src/notices/telling.ts';
import { createLogger } from '../../../listener/src/serve/logger.ts';
import { emptyTables } from './postgres.ts';
import { beginOf, openRun, PASSED } from './runs.ts';

/** The contact of the monitored file that {@link noticedVerdict} judges. */
export const CONTACT = 'ana@city.example';

/** Describes the files whose verdicts are told of. */
export async function describeFiles(database: Database): Promise<void> {
  await database('mappings').insert({ name: 'people', version: 1, table_schema: {} });
  await upsertMonitoringFile(database, {
    ...{ bucket: 'bucket', keyPattern: '*.csv', client: 'nm_albuquerque', description: '' },
    ...{ mappingName: 'people', mappingVersion: 1, active: true },
    contact: { name: 'Ana', email: CONTACT },
  });
}

/** A report of one required value that is not there. */
export const REPORT = {
  ...{ version: 1, verdict: 'failed', reasons: [], bytes: 20, rows: 4, faultyRows: 1 },
  ...{ incompleteRows: 0, faultCount: 1, faultCounts: { 'constraint-error': 1 } },
  faults: [
    {
      ...{ type: 'constraint-error', record: 3, line: 3, byte: 12, field: 1 },
      ...{ label: 'officer_id', value: null, key: null, message: 'required' },
      classification: 'internal',
    },
  ],
  diagnoses: [],
  columns: [
    {
      ...{ field: 1, label: 'officer_id', name: 'officer_id', classification: 'internal' },
      ...{ type: 'integer', declared: true, rows: 4, nulls: 1, types: {}, min: null, max: null },
      faultCounts: { 'constraint-error': 1 },
    },
  ],
};

/** The same of a file in which nothing is wrong. */
const GOOD_REPORT = {
  ...REPORT,
  ...{ verdict: 'passed', faults: [], faultCounts: {}, faultCount: 0, faultyRows: 0, columns: [] },
};

/** What is judged. */
interface Subject {
  /** @default a.csv */
  readonly key?: string;
  readonly versionId?: string;
  /** Judges this one again. @default a run of its own */
  readonly runId?: string;
}

/** A verdict that is to be told of. @returns the run */
export async function noticedVerdict(
  database: Database,
  verdict: Verdict,
  { key = 'a.csv', versionId, runId }: Subject = {},
): Promise<string> {
  const [file] = await database(tablesOf(database).monitoringFiles).pluck<number[]>('id');
  const object = { bucket: 'bucket', key, ...(versionId ? { versionId } : {}) };
  const id = runId ?? (await openRun(database, object));
  const number = runId === undefined ? 1 : await askAgain(database, runId);
  const isBad = verdict === 'failed' || verdict === 'unreadable';
  await finishJudgement(database, await beginOf(database, id, number), {
    ...PASSED,
    ...{ verdict, tells: true, report: isBad ? REPORT : GOOD_REPORT },
    ...(file === undefined
      ? {}
      : { monitored: { monitoringFileId: file, mappingName: 'people', mappingVersion: 1 } }),
  });
  return id;
}

async function askAgain(database: Database, runId: string): Promise<number | undefined> {
  const asked = await database.transaction((transaction) =>
    requestJudgements(transaction, [runId], { askedBy: 'operator' }),
  );
  return asked[0]?.number;
}

/** Tells by hand, at a time that a test sets. */
export interface Teller {
  now: Date;
  /** What was logged. */
  log: string;
  /** Plans and delivers what is due now. */
  tell(): Promise<void>;
  /** Moves the clock on, and tells. */
  after(milliseconds: number): Promise<void>;
}

export function tellerOf(
  database: Database,
  outlets: readonly Outlet[],
  options: Partial<TellingOptions> = {},
): Teller {
  const signal = new AbortController().signal;
  const teller: Teller = {
    now: new Date('2026-11-30T12:00:00Z'),
    log: '',
    async tell() {
      const telling: TellingOptions = {
        audience: {
          ...{ states: ['failed', 'recovered', 'corrected', 'late', 'missing'], mail: true },
          ...{ operators: [], topicArn: undefined, webhooks: [] },
        },
        ...{ database, outlets, reports: undefined },
        logger: createLogger('debug', { write: (line) => (teller.log += line) }),
        now: () => teller.now,
        ...options,
      };
      await planAll(telling);
      for (const outlet of outlets) await deliverAll(telling, outlet, signal);
    },
    async after(milliseconds) {
      teller.now = new Date(teller.now.getTime() + milliseconds);
      await teller.tell();
    },
  };
  return teller;
}

/** Leaves the database without changes, messages and runs. */
export async function forgetNotices(database: Database): Promise<void> {
  const { notices, noticeMessages, runs, judgements } = tablesOf(database);
  await emptyTables(database, noticeMessages, notices, judgements, runs);
}
