import type { ObjectReference } from '@file-processing/contract/s3-event.ts';

/**
 * JSON text that a jsonb column accepts. PostgreSQL refuses U+0000 and half a surrogate pair, both
 * of which an offending cell of a broken file may hold: they are shown as U+2400 and U+FFFD.
 */
export function toJsonb(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'string') return storableText(item);
    if (!isPlainObject(item)) return item;
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
 * write. S3's own test message and a bare command name neither: then who told of it does.
 *
 * @param source - the message, or the invocation of a command, that names the object
 */
export function identityOf(
  {
    versionId,
    eTag,
    sequencer,
  }: Pick<Partial<ObjectReference>, 'versionId' | 'eTag' | 'sequencer'>,
  source: { readonly messageId: string } | { readonly invocation: string },
): string {
  // A bucket whose versioning is suspended names every object's version `null`.
  if (versionId && versionId !== 'null') return `version ${versionId}`;
  if (eTag || sequencer) return `etag ${eTag ?? ''} ${sequencer ?? ''}`;
  return 'messageId' in source ? `message ${source.messageId}` : `invocation ${source.invocation}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
