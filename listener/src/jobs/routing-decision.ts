import { createHash } from 'node:crypto';
import { type RoutingSettings, targetOf } from '@file-processing/contract/routing.ts';
import { MAX_KEY_BYTES } from '@file-processing/contract/s3-object.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import type {
  Attempted,
  EarlierRouting,
  Placed,
  RoutingAct,
  RoutingFolder,
  StandingVerdict,
} from '../database/routing.ts';

/** The tag that a verdict is written to. */
export const VERDICT_TAG = 'dq-verdict';

/** What {@link VERDICT_TAG} says of a copy that is not the right one any more. */
export const SUPERSEDED = 'superseded';

/**
 * Decides what is done with a file for the verdict that stands. What an earlier judgement has put where it belongs by this
 * verdict too is left there; what lies elsewhere is superseded.
 *
 * @param allowed what the settings allow, whatever the rules ask for
 */
export function decideRouting(
  standing: StandingVerdict,
  allowed: RoutingSettings,
): readonly RoutingAct[] {
  const { verdict, object, earlier, isForgotten } = standing;
  const { tag, copy } = (isForgotten ? null : standing.onVerdict) ?? {};
  const isPinned = object.versionId !== null || object.eTag !== null;
  const acts: RoutingAct[] = [];
  if (tag)
    acts.push({ act: 'tag', value: verdict, ...problem(!allowed.tags && NO_TAGS, isPinned) });

  const folder = FOLDERS[verdict];
  const place = copy && {
    bucket: copy.bucket ?? object.bucket,
    prefix: `${copy.prefix}${folder}/`,
  };
  const placed = stillPlaced(earlier);
  const kept = placed.find(
    ({ act, bucket, key, outcome, isDone }) =>
      act === 'copy' &&
      isDone &&
      outcome === 'done' &&
      place?.bucket === bucket &&
      key.startsWith(place.prefix),
  );
  const keptFolder = kept?.key.slice(0, kept.key.lastIndexOf('/') + 1);
  for (const { bucket, key, isDone, folder: of } of placed) {
    const belongs =
      place === undefined
        ? isDone && of === folder
        : bucket === kept?.bucket && key.startsWith(keptFolder ?? '\0');
    if (!belongs) acts.push({ act: 'supersede', bucket, key });
  }
  if (copy === undefined || place === undefined) return acts;

  const { bucket } = place;
  const refused = problem(
    targetOf(allowed, { bucket, prefix: copy.prefix }) === undefined && NO_TARGET,
    isPinned,
  );
  const key = kept?.key ?? copyKey(place.prefix, standing);
  if (kept === undefined) acts.push({ act: 'copy', bucket, key, folder, ...refused });
  if (folder === 'rejected')
    acts.push({ act: 'rejects', bucket, key: rejectsKey(key), folder, ...refused });
  return acts;
}

/**
 * What is left to do for a judgement whose verdict does not stand any more, or whose file was forgotten: what it has put
 * somewhere, or may have, is superseded. Nothing where it had begun nothing.
 */
export function withdrawRouting(begun: readonly RoutingAct[]): readonly RoutingAct[] {
  return [
    ...begun.map((act) => ({ ...act, outcome: act.outcome ?? ('overtaken' as const) })),
    ...begun
      .filter((act) => act.act === 'copy' || act.act === 'rejects')
      .filter(({ outcome }) => outcome === undefined || outcome === 'done')
      .map(({ bucket, key }) => ({ act: 'supersede', bucket, key }) as const),
  ];
}

const FOLDERS: Readonly<Record<Verdict, RoutingFolder>> = {
  passed: 'accepted',
  warned: 'accepted',
  failed: 'rejected',
  unreadable: 'rejected',
};

const NO_TAGS = 'tags are not allowed here (ROUTING_TAGS, routing_tags of the stack)';
const NO_TARGET = 'the place is not allowed here (ROUTING_TARGETS, routing_targets of the stack)';
const NOT_PINNED =
  'the event named neither version nor ETag, so that another file of the same key could be taken for it';

function problem(notAllowed: string | false, isPinned: boolean): Attempted {
  const note = notAllowed || (isPinned ? undefined : NOT_PINNED);
  return note === undefined ? {} : { outcome: 'refused', note };
}

type StillPlaced = Placed & {
  readonly act: 'copy' | 'rejects';
  readonly folder: RoutingFolder;
  readonly isDone: boolean;
};

/** What earlier judgements have put somewhere, or may have, and no one has superseded yet. */
function stillPlaced(earlier: readonly EarlierRouting[]): readonly StillPlaced[] {
  const superseded = new Set(
    earlier.flatMap(({ acts, isDone }) =>
      acts.flatMap((act) => (isDone && act.act === 'supersede' ? [nameOf(act)] : [])),
    ),
  );
  const placed = earlier.flatMap(({ acts, isDone }) =>
    acts.flatMap((act): StillPlaced[] => {
      if (act.act !== 'copy' && act.act !== 'rejects') return [];
      const mayBeThere = act.outcome === undefined || act.outcome === 'done';
      return mayBeThere && !superseded.has(nameOf(act)) ? [{ ...act, isDone }] : [];
    }),
  );
  return [...new Map(placed.map((one) => [nameOf(one), one])).values()];
}

function nameOf({ bucket, key }: Placed): string {
  return `${bucket}/${key}`;
}

/**
 * The key of a copy: the object's own, with a folder before its last part that no other judgement of any delivery has. So
 * a copy belongs to one judgement, whoever is late, and keeps its name.
 */
function copyKey(
  prefix: string,
  { runId, number, object: { key, versionId, eTag } }: StandingVerdict,
): string {
  // A bucket whose versioning is suspended names every object's version `null`.
  const delivery = versionId !== null && versionId !== 'null' ? versionId : `${eTag}.${runId}`;
  const slash = key.lastIndexOf('/') + 1;
  const name = key.slice(slash) || 'file';
  const full = `${prefix}${key.slice(0, slash)}${delivery}.${number}/${name}`;
  if (Buffer.byteLength(full) + REJECTS_BYTES <= MAX_KEY_BYTES) return full;
  const sha256 = createHash('sha256').update(key).digest('hex');
  return `${prefix}${sha256}/${delivery}.${number}/${sha256}`;
}

const REJECTS = '.rejects.csv';
const REJECTS_BYTES = REJECTS.length;

/** Beside the copy, whose folder no other file is in. */
function rejectsKey(key: string): string {
  return `${key}${REJECTS}`;
}
