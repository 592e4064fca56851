import type { RoutingSettings } from '@file-processing/contract/routing.ts';
import { ExpectationCache } from '@file-processing/quality/expectation.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/connection.ts';
import { findJudgement, type JudgementReference } from '../database/judgements.ts';
import { CLASSIFICATIONS } from '../database/monitoring-files.ts';
import {
  noteRouting,
  type RoutingAct,
  type RoutingState,
  routingState,
} from '../database/routing.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { storedReport } from '../privacy/withhold.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
  type StoredObjectReference,
} from '../storage/object-store.ts';
import type { Engine } from './engine-ports.ts';
import { mappingOfJudgement } from './monitored-file.ts';
import { readRows, rejectsCsv } from './rejects.ts';
import { decideRouting, SUPERSEDED, VERDICT_TAG, withdrawRouting } from './routing-decision.ts';
import { expectationOf } from './s3-data-quality-job.ts';

/** What routing may do, and what it shows. */
export interface RoutingForm extends RoutingSettings {
  /** REPORT_VALUES. */
  readonly bySetting: boolean;
}

/** As ROUTING_TAGS and ROUTING_TARGETS have it. */
export function allowedRouting({
  s3,
}: {
  readonly s3: Pick<Config['s3'], 'routingTags' | 'routingTargets'>;
}): RoutingSettings {
  return { tags: s3.routingTags, targets: s3.routingTargets };
}

/** As the settings have it; undefined where nothing is allowed. */
export function routingFormOf({
  s3,
}: {
  readonly s3: Pick<Config['s3'], 'routingTags' | 'routingTargets' | 'reportValues'>;
}): RoutingForm | undefined {
  const allowed = allowedRouting({ s3 });
  const isAnything = allowed.tags || allowed.targets.length > 0;
  return isAnything ? { ...allowed, bySetting: s3.reportValues } : undefined;
}

/** What {@link routeVerdict} works with. */
export interface RouteVerdictOptions extends RoutingForm {
  readonly database: Database;
  readonly store: Pick<ObjectStore, 'open' | 'write' | 'copy' | 'tag'>;
  readonly engine: Engine;
  /** Ends the routing, which then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * Does with a file what its monitored file asks for, by the verdict of a judgement: tags it, copies it, says beside the copy
 * what was wrong, and supersedes what an earlier verdict has put somewhere. What it does is recorded before and after, so
 * that another attempt goes on with it, and a later verdict knows what may be there.
 *
 * What it throws is technical, worth another attempt, and leaves the verdict as it is.
 *
 * @returns the acts with their outcomes; undefined where nothing was to be done
 */
export async function routeVerdict(
  reference: JudgementReference,
  options: RouteVerdictOptions,
): Promise<readonly RoutingAct[] | undefined> {
  const { database } = options;
  for (;;) {
    const state = await routingState(database, reference);
    if (state === undefined || state.isDone) return undefined;
    const { stands, isForgotten } = state;
    const withdraws = !stands || (isForgotten && state.acts !== null);
    const acts = withdraws
      ? withdrawRouting(state.acts ?? [])
      : (state.acts ?? decideRouting(state, options));
    if (acts.length === 0) return undefined;
    const isPlaced = acts.some(({ act }) => act === 'copy' || act === 'rejects');
    const when = { stands, unlessForgotten: !withdraws && isPlaced };
    const note = (now: readonly RoutingAct[], isDone = false) =>
      noteRouting(database, reference, now, { ...when, isDone });
    // Where it is not recorded, a later verdict or who forgot the file does not know what is put somewhere meanwhile.
    if (!(await note(acts))) continue;
    const done = await perform(acts, state, note, options);
    if (done !== undefined && (await note(done, true))) return done;
  }
}

/**
 * Does what has no outcome yet, one after the other, and records each: a large copy is not made again for a later act.
 *
 * @returns undefined where it is not to go on
 */
async function perform(
  acts: readonly RoutingAct[],
  state: RoutingState,
  note: (now: readonly RoutingAct[]) => Promise<boolean>,
  options: RouteVerdictOptions,
): Promise<readonly RoutingAct[] | undefined> {
  const current = [...acts];
  for (const [index, act] of acts.entries()) {
    if (act.outcome !== undefined) continue;
    options.signal.throwIfAborted();
    const copy = current.find(({ act }) => act === 'copy');
    current[index] =
      act.act === 'rejects' && copy !== undefined && copy.outcome !== 'done'
        ? { ...act, ...(copy.outcome === undefined ? {} : { outcome: copy.outcome }) }
        : await outcomeOf(act, state, {
            ...options,
            async onUpload(upload) {
              current[index] = { ...act, upload } as RoutingAct;
              await note(current);
            },
          });
    if (index < acts.length - 1 && !(await note(current))) return undefined;
  }
  return current;
}

type ActOptions = RouteVerdictOptions & { readonly onUpload: (upload: string) => Promise<void> };

async function outcomeOf(
  act: RoutingAct,
  state: RoutingState,
  options: ActOptions,
): Promise<RoutingAct> {
  try {
    return await doAct(act, state, options);
  } catch (error) {
    if (!(error instanceof ObjectUnavailableError)) throw error;
    const outcome = error.code === 'object-gone' ? 'gone' : 'replaced';
    return { ...act, outcome };
  }
}

async function doAct(
  act: RoutingAct,
  state: RoutingState,
  options: ActOptions,
): Promise<RoutingAct> {
  const { store, signal, onUpload } = options;
  const object = objectOf(state);
  switch (act.act) {
    case 'tag':
      return tagged(act, await store.tag?.(object, { [VERDICT_TAG]: act.value }, signal));
    case 'supersede':
      return tagged(act, await store.tag?.(act, { [VERDICT_TAG]: SUPERSEDED }, signal));
    case 'copy': {
      const { upload, ...copy } = act;
      const { status, reason } = await store.copy(object, nameOf(act), {
        sha256: state.sha256,
        ...(upload === undefined ? {} : { leftUpload: upload }),
        ...{ onUpload, signal },
      });
      const note = status === 'compared' ? {} : { note: `not compared: ${reason}` };
      return { ...copy, outcome: 'done', ...note };
    }
    case 'rejects': {
      const body = await rejectsOf(state, options);
      if (body === undefined) {
        return { ...act, outcome: 'refused', note: 'the report was deleted for its age' };
      }
      await store.write(nameOf(act), body, signal);
      return { ...act, outcome: 'done' };
    }
  }
}

function tagged(act: RoutingAct, result: 'tagged' | 'full' | undefined): RoutingAct {
  if (result === 'tagged') return { ...act, outcome: 'done' };
  return result === 'full'
    ? { ...act, outcome: 'full', note: 'the object has ten tags, none of which was changed' }
    : { ...act, outcome: 'refused', note: 'files of a folder have no tags' };
}

function nameOf({ bucket, key }: { readonly bucket: string; readonly key: string }) {
  return { bucket, key };
}

/** What the judgement was made of. */
function objectOf({ object, sizeBytes }: RoutingState): StoredObjectReference {
  const { bucket, key, versionId, eTag } = object;
  return {
    ...{ bucket, key },
    ...(versionId === null ? {} : { versionId }),
    ...(eTag === null ? {} : { eTag }),
    ...(sizeBytes === null ? {} : { sizeBytes }),
  };
}

const EXPECTATIONS = new ExpectationCache();

/** What was wrong, as a report in the bucket may say it; undefined where the report is not there any more. */
async function rejectsOf(
  state: RoutingState,
  { database, store, engine, bySetting, signal }: RouteVerdictOptions,
): Promise<string | undefined> {
  const judgement = await findJudgement(database, state);
  const classes = shownClasses(PLACES.bucket, bySetting);
  const report = judgement && storedReport(judgement, classes);
  if (judgement === undefined || !report) return undefined;
  const records = new Set(report.faults.map(({ record }) => record).filter((one) => one !== null));
  const mapping = await mappingOfJudgement(database, judgement);
  if (mapping === undefined || records.size === 0) return rejectsCsv(report.faults, new Map());
  const rows = await readRows({
    ...{ store, engine, records, signal },
    object: objectOf(state),
    compiled: EXPECTATIONS.compile(expectationOf(mapping)),
    shown: new Set(CLASSIFICATIONS.filter((one) => one === 'public' || classes.includes(one))),
  });
  return rejectsCsv(report.faults, rows);
}
