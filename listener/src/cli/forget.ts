import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { forgetValues, recordAct } from '../database/privacy-events.ts';
import { listRunIds } from '../database/runs.ts';
import { pageKey } from '../jobs/write-report.ts';
import type { ObjectName, ObjectStore } from '../storage/object-store.ts';
import { openStore } from '../storage/open-store.ts';
import { type Command, UsageError } from './command-context.ts';
import { errorText } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import { amount, printable } from './report-text.ts';
import { RUNS_AT_ONCE, requireClient } from './runs.ts';
import { withDatabase } from './with-database.ts';

/** Options of `forget`. */
export interface ForgetOptions {
  /** Pattern of the keys. */
  readonly key?: string;
  readonly client?: string;
  readonly bucket?: string;
  readonly reason: string;
  readonly by: string;
  readonly json: boolean;
}

/** What was done, and what was not. */
interface Outcome {
  readonly runs: number;
  readonly judgements: number;
  /** Versions of reports and copies that were deleted. */
  readonly reportVersions: number;
  /** Reports and copies that are still in their bucket, with the reason. */
  readonly reportsLeft: readonly { readonly name: string; readonly reason: string }[];
  /** Runs of which a judgement is still to come, or to be routed. */
  readonly waiting: number;
}

/** What no command of ours reaches. */
const NOT_REACHED = [
  'the delivered files',
  'copies that others made of files and reports, and logs that they keep',
  'backups of the database, and snapshots',
];

/** How long an interrupted run of it may take to end, in milliseconds. */
const GRACE_MS = 5_000;

/**
 * Removes the values of files from the database, and their reports and copies from the buckets in all versions. It may be repeated,
 * and goes on where it was interrupted. Ends with 75 where one could not be deleted.
 */
export const forget: Command<ForgetOptions> = (context, options) => {
  const { key, client, bucket, reason, by, json } = options;
  if ((key === undefined) === (client === undefined)) {
    throw new UsageError('one of --key and --client is needed');
  }
  return interruptible(GRACE_MS, (signal) =>
    withDatabase(context, async (database, config) => {
      const selection = {
        ...(key === undefined ? {} : { key }),
        ...(client === undefined ? {} : { client }),
        ...(bucket === undefined ? {} : { bucket }),
      };
      await requireClient(database, selection);
      await recordAct(database, {
        act: 'forget',
        actor: by,
        via: 'command',
        reason,
        subject: selection,
      });
      const store = openStore(config);
      let outcome: Outcome = {
        runs: 0,
        judgements: 0,
        reportVersions: 0,
        reportsLeft: [],
        waiting: 0,
      };
      try {
        let after: string | undefined;
        do {
          signal.throwIfAborted();
          const page = {
            ...selection,
            limit: RUNS_AT_ONCE,
            ...(after === undefined ? {} : { after }),
          };
          const ids = await listRunIds(database, page);
          const { judgements, reports, waiting } = await forgetValues(database, ids);
          const deleted = config.s3.forgetReports
            ? await deleteReports(store, reports, signal)
            : { versions: 0, left: reports.map(leftByChoice) };
          outcome = {
            runs: outcome.runs + ids.length,
            judgements: outcome.judgements + judgements,
            reportVersions: outcome.reportVersions + deleted.versions,
            reportsLeft: [...outcome.reportsLeft, ...deleted.left],
            waiting: outcome.waiting + waiting,
          };
          after = ids.length === RUNS_AT_ONCE ? ids.at(-1) : undefined;
        } while (after !== undefined);
      } finally {
        store.close();
      }
      context.stdout.write(
        json ? `${JSON.stringify({ ...outcome, notReached: NOT_REACHED })}\n` : textOf(outcome),
      );
      return outcome.reportsLeft.length === 0 ? EXIT.ok : EXIT.tryAgain;
    }),
  );
};

function leftByChoice({ bucket, key }: ObjectName): Outcome['reportsLeft'][number] {
  return {
    name: `${bucket}/${key}`,
    reason: 'FORGET_REPORTS is false (forget_reports of the stack)',
  };
}

async function deleteReports(
  store: Pick<ObjectStore, 'deleteVersions'>,
  reports: readonly ObjectName[],
  signal: AbortSignal,
): Promise<{ readonly versions: number; readonly left: Outcome['reportsLeft'] }> {
  let versions = 0;
  const left: { name: string; reason: string }[] = [];
  for (const report of reports.flatMap(filesOf)) {
    try {
      versions += await store.deleteVersions(report, signal);
    } catch (error) {
      signal.throwIfAborted();
      left.push({ name: `${report.bucket}/${report.key}`, reason: errorText(error).trim() });
    }
  }
  return { versions, left };
}

/** A report and the page beside it. */
function filesOf(report: ObjectName): readonly ObjectName[] {
  return [report, { ...report, key: pageKey(report.key) }];
}

function textOf({ runs, judgements, reportVersions, reportsLeft, waiting }: Outcome): string {
  return [
    `${amount(runs, 'run')}: ${amount(judgements, 'judgement')} forgotten, verdicts and counts stay`,
    `${amount(reportVersions, 'version')} of reports and copies deleted`,
    ...reportsLeft.map(({ name, reason }) => `  left: ${printable(name)}: ${printable(reason)}`),
    ...(waiting === 0
      ? []
      : [
          `${amount(waiting, 'run')} wait for a judgement, or to be routed, which records values anew: repeat this afterwards`,
        ]),
    `not reached: ${NOT_REACHED.join('; ')}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
