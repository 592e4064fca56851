import { isObject } from '@file-processing/contract/json-object.ts';
import type { ObjectReference } from '@file-processing/contract/s3-event.ts';

/**
 * JSON text that a jsonb column accepts. PostgreSQL refuses U+0000 and half a surrogate pair, both
 * of which an offending cell of a broken file may hold: they are shown as U+2400 and U+FFFD.
 */
export function toJsonb(value: unknown): string {
  const text = JSON.stringify(value);
  // To look at each value before it is written takes six times as long.
  return REFUSED_ESCAPE.test(text) ? toStorableJson(value) : text;
}

/** How JSON.stringify writes U+0000 and half a surrogate pair; also what a text holds that quotes such an escape. */
const REFUSED_ESCAPE = /\\u(?:0000|d[89a-f])/;

function toStorableJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'string') return storableText(item);
    if (!isObject(item)) return item;
    // Keys are text as well: a header label may be as broken as a cell.
    if (Object.keys(item).every((key) => storableText(key) === key)) return item;
    return Object.fromEntries(
      Object.entries(item).map(([key, inner]) => [storableText(key), inner]),
    );
  });
}

/** Text that a text column accepts; see {@link toJsonb}. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\u2400').toWellFormed();
}

/** A time as a column takes it; the text of an event may hold anything. */
export function readableTime(time: string | undefined): Date | null {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/**
 * What makes an object another delivery of its key: its version where the bucket keeps versions,
 * whatever its sequencer (S3 may send an event more than once); else its content and the order of the
 * write, or where a listing tells of it, which knows no order, the time of the write. S3's own test
 * message and a bare command name neither: then who told of it does.
 *
 * @param source - the message, the invocation of a command, or the listing, that names the object
 */
export function identityOf(
  {
    versionId,
    eTag,
    sequencer,
  }: Pick<Partial<ObjectReference>, 'versionId' | 'eTag' | 'sequencer'>,
  source:
    | { readonly messageId: string }
    | { readonly invocation: string }
    | { readonly lastModified: Date },
): string {
  // A bucket whose versioning is suspended names every object's version `null`.
  if (versionId && versionId !== 'null') return `version ${versionId}`;
  if ('lastModified' in source) return `listed ${eTag ?? ''} ${source.lastModified.toISOString()}`;
  if (eTag || sequencer) return `etag ${eTag ?? ''} ${sequencer ?? ''}`;
  return 'messageId' in source ? `message ${source.messageId}` : `invocation ${source.invocation}`;
}

/** A condition on runs that a listing made and no event has told of yet: only of objects without version. */
export const IS_LISTED = `identity LIKE 'listed %'`;

/**
 * A condition of SQL: an event and a listing tell of the same write of a key, both with the same ETag. S3 says when a
 * write was done in the event, and when the object was last modified in the listing, within seconds of each other; but
 * for a multipart upload, whose ETag has a hyphen, the latter is when it began (Amazon S3 User Guide, "Working with object
 * metadata"), and its event may come until it was listed. A minute is for clocks that differ.
 */
export function isSameWrite(times: {
  readonly eTag: string;
  readonly eventTime: string;
  readonly lastModified: string;
  readonly listedAt: string;
}): string {
  const { eTag, eventTime, lastModified, listedAt } = times;
  const minute = `interval '1 minute'`;
  return `${eventTime} >= ${lastModified} - ${minute} AND (${eventTime} <= ${lastModified} + ${minute}
    OR (${eTag} LIKE '%-%' AND ${eventTime} <= ${listedAt} + ${minute}))`;
}
