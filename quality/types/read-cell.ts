import type { CellType } from './cell-type.ts';
import { readDate } from './date.ts';
import { readDateTime } from './datetime.ts';
import { readInteger } from './integer.ts';
import { readNumber } from './number.ts';
import { readText } from './string.ts';

/**
 * `type.read(...)`, with the readers of the common types called by name: the engine can then compile them into
 * the loop over cells, which a call through a property that holds many functions never is.
 */
export function readCell(type: CellType, bytes: Uint8Array, start: number, end: number): number {
  const { read } = type;
  if (read === readText) return readText();
  if (read === readInteger) return readInteger(bytes, start, end);
  if (read === readNumber) return readNumber(bytes, start, end);
  if (read === readDate) return readDate(bytes, start, end);
  if (read === readDateTime) return readDateTime(bytes, start, end);
  return read(bytes, start, end);
}
