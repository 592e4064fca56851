import { encodeText } from '../text.ts';
import type { CellType } from './cell-type.ts';
import { asciiKey } from './json.ts';

/** A list has no order value. */
const VALID = 0;

/**
 * Table Schema `list`: items of one type in its default format, with a delimiter between them. Blanks belong to the
 * items. Its length is the number of its items.
 *
 * @param delimiter a text of at least one character
 */
export function listType(item: CellType, delimiter: string, itemsMayBeEmpty: boolean): CellType {
  const separator = encodeText(delimiter);
  const visit = (
    bytes: Uint8Array,
    start: number,
    end: number,
    take: (from: number, to: number) => boolean,
  ): boolean => {
    for (let from = start; ; ) {
      const to = find(bytes, from, end, separator);
      if (!take(from, to)) return false;
      if (to === end) return true;
      from = to + separator.length;
    }
  };
  return {
    read: (bytes, start, end) => {
      const valid = visit(bytes, start, end, (from, to) =>
        from === to ? itemsMayBeEmpty : !Number.isNaN(item.read(bytes, from, to)),
      );
      return valid ? VALID : Number.NaN;
    },
    key: (bytes, start, end) => {
      const keys: (number | string)[] = [];
      visit(bytes, start, end, (from, to) => {
        const value = from === to ? VALID : item.read(bytes, from, to);
        return keys.push(from === to ? '' : item.key(bytes, from, to, value)) > 0;
      });
      return asciiKey(keys.map((key) => JSON.stringify(String(key))).join());
    },
    length: (bytes, start, end) => {
      let items = 0;
      visit(bytes, start, end, () => ++items > 0);
      return items;
    },
    show: () => null,
  };
}

/** Where the separator begins next, or the end. */
function find(bytes: Uint8Array, from: number, end: number, separator: Uint8Array): number {
  const first = separator[0] as number;
  for (let at = from; at + separator.length <= end; at++) {
    if (bytes[at] !== first) continue;
    let same = 1;
    while (same < separator.length && bytes[at + same] === separator[same]) same++;
    if (same === separator.length) return at;
  }
  return end;
}
