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

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
