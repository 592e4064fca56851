import type { Verdict } from '@file-processing/quality/verdict.ts';
import { toJsonb } from './column-values.ts';
import type { Database } from './connection.ts';
import type { OnVerdict } from './monitoring-files.ts';
import { tablesOf } from './tables.ts';

/**
 * What became of an act. `full`: the object has as many tags as S3 allows. `gone`, `replaced`: the object is not there any
 * more, or is another one by now. `refused`: it is not allowed, or can't be done. `overtaken`: a later verdict stands, or
 * the values of the file were forgotten.
 */
export type RoutingOutcome = 'done' | 'full' | 'gone' | 'replaced' | 'refused' | 'overtaken';

/** What is known of how an act ended. */
export interface Attempted {
  /** Undefined as long as it is not known. */
  readonly outcome?: RoutingOutcome;
  /** What a person should know of it; holds no value of a file. */
  readonly note?: string;
}

/** An object that routing puts somewhere. */
export interface Placed extends Attempted {
  readonly bucket: string;
  readonly key: string;
}

/** Where a copy lies by its verdict. */
export type RoutingFolder = 'accepted' | 'rejected';

/** One thing that is done with a file for its verdict. */
export type RoutingAct =
  | (Attempted & { readonly act: 'tag'; readonly value: Verdict })
  /** `upload`: id of an unfinished upload in parts. */
  | (Placed & { readonly act: 'copy'; readonly folder: RoutingFolder; readonly upload?: string })
  /** Writes what was wrong with the rows beside the copy. */
  | (Placed & { readonly act: 'rejects'; readonly folder: RoutingFolder })
  /** Tags what an earlier verdict has put somewhere. */
  | (Placed & { readonly act: 'supersede' });

/** What was done for an earlier judgement of the same object version. */
export interface EarlierRouting {
  readonly acts: readonly RoutingAct[];
  /** Whether all of it has an outcome. */
  readonly isDone: boolean;
}

/** A verdict that stands, and what has to be known to act on it. */
export interface StandingVerdict {
  readonly runId: string;
  /** Of the judgement. */
  readonly number: number;
  readonly verdict: Verdict;
  readonly object: {
    readonly bucket: string;
    readonly key: string;
    readonly versionId: string | null;
    readonly eTag: string | null;
  };
  /** Of the monitored file; null where nothing is asked for. */
  readonly onVerdict: OnVerdict | null;
  /** Whether the values of the file were forgotten since. */
  readonly isForgotten: boolean;
  /** In the order of their judgements. */
  readonly earlier: readonly EarlierRouting[];
}

/** A judgement that ended with a verdict, and what was done for it and for those before it. */
export interface RoutingState extends StandingVerdict {
  /** Whether the verdict stands: no later judgement has one. */
  readonly stands: boolean;
  /** As they were recorded; null where nothing was begun. */
  readonly acts: readonly RoutingAct[] | null;
  readonly isDone: boolean;
  readonly sizeBytes: number | null;
  /** Of the bytes that were judged, in hexadecimal; null where they were not read to their end. */
  readonly sha256: string | null;
}

type StateRow = Omit<RoutingState, 'object' | 'earlier'> &
  RoutingState['object'] & { readonly earlier: readonly EarlierRouting[] | null };

/** Looks up what there is to know for the routing of a judgement; undefined for one without a verdict. */
export async function routingState(
  database: Database,
  { runId, number }: Pick<StandingVerdict, 'runId' | 'number'>,
): Promise<RoutingState | undefined> {
  const { runs, judgements, monitoringFiles } = tablesOf(database);
  const { rows } = await database.raw<{ rows: StateRow[] }>(
    `SELECT run.id AS "runId", judgement.number, judgement.verdict, run.bucket, run.key,
       run.version_id AS "versionId", run.e_tag AS "eTag", run.size_bytes AS "sizeBytes",
       judgement.sha256, judgement.routing AS acts, judgement.routed_at IS NOT NULL AS "isDone",
       judgement.forgotten_at IS NOT NULL AS "isForgotten", file.on_verdict AS "onVerdict",
       run.verdict_number = judgement.number AS stands,
       (
         SELECT jsonb_agg(
           jsonb_build_object('acts', routing, 'isDone', routed_at IS NOT NULL) ORDER BY number
         )
         FROM ${judgements} AS other
         WHERE other.run_id = run.id AND other.number < judgement.number AND routing IS NOT NULL
       ) AS earlier
     FROM ${judgements} AS judgement
     JOIN ${runs} AS run ON run.id = judgement.run_id
     LEFT JOIN ${monitoringFiles} AS file ON file.id = judgement.monitoring_file_id
     WHERE judgement.run_id = ? AND judgement.number = ? AND judgement.status = 'finished'`,
    [runId, number],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { bucket, key, versionId, eTag, earlier, ...state } = row;
  return { ...state, object: { bucket, key, versionId, eTag }, earlier: earlier ?? [] };
}

/** When {@link noteRouting} records. */
export interface RoutingNote {
  /** Whether the verdict was the standing one: nothing is recorded where that has changed. */
  readonly stands: boolean;
  /** Each act has its outcome. @default false */
  readonly isDone?: boolean;
  /** Nothing is recorded where the values of the file were forgotten. @default false */
  readonly unlessForgotten?: boolean;
}

/**
 * Records what is about to be done, or how far it is. While the verdict stands: whoever has a later verdict of the run sees
 * what was begun before, as that verdict waits for this statement, or this one sees the verdict.
 *
 * @returns false where it was not recorded, also where another process has done all of it
 */
export async function noteRouting(
  database: Database,
  { runId, number }: Pick<StandingVerdict, 'runId' | 'number'>,
  acts: readonly RoutingAct[],
  { stands, isDone = false, unlessForgotten = false }: RoutingNote,
): Promise<boolean> {
  const { runs, judgements } = tablesOf(database);
  const { rowCount } = await database.raw<{ rowCount: number }>(
    `WITH run AS (
       SELECT id FROM ${runs} WHERE id = ? AND (verdict_number = ?) = ?::boolean FOR SHARE
     )
     UPDATE ${judgements} AS judgement
     SET routing = ?::jsonb, routed_at = CASE WHEN ?::boolean THEN now() END
     FROM run WHERE judgement.run_id = run.id AND judgement.number = ? AND routed_at IS NULL
       AND (NOT ?::boolean OR forgotten_at IS NULL)`,
    [runId, number, stands, toJsonb(acts), isDone, number, unlessForgotten],
  );
  return rowCount === 1;
}
