import { MAX_CELLS } from '../scanner.ts';
import type { Check } from './check.ts';

/** Bytes needed to recognise a source by its beginning. */
export const SIGNATURE_BYTES = 4;

export const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

const SIGNATURES: readonly { bytes: readonly number[]; what: string; encoding: boolean }[] = [
  { bytes: [0xff, 0xfe], what: 'is UTF-16 (or UTF-32), little-endian', encoding: true },
  { bytes: [0xfe, 0xff], what: 'is UTF-16, big-endian', encoding: true },
  { bytes: [0x00, 0x00, 0xfe, 0xff], what: 'is UTF-32, big-endian', encoding: true },
  { bytes: [0x1f, 0x8b], what: 'is a gzip archive', encoding: false },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'is a zip archive or a spreadsheet', encoding: false },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'is a zstd archive', encoding: false },
];

/** Whether a file can be read at all. */
export const SOURCE_CHECK: Check<'source-error' | 'encoding-error'> = {
  kinds: ['source-error', 'encoding-error'],
  begin: (file) => ({
    head(bytes, found) {
      const unsupported = unsupportedSource(bytes);
      if (unsupported === undefined) return true;
      const kind = unsupported.encoding ? 'encoding-error' : 'source-error';
      if (found.count(kind)) {
        const message = `The file ${unsupported.what}; UTF-8 text is needed.`;
        found.listFile(kind, message, unsupported.encoding ? { byte: 0 } : {});
      }
      return false;
    },
    header({ labelCount }, found) {
      if (labelCount <= MAX_CELLS || !found.count('source-error')) return;
      const message = `The header has ${labelCount} labels; at most ${MAX_CELLS} are read.`;
      found.listFile('source-error', message);
    },
    end(found) {
      if (file.columns !== undefined && (file.dialect.header || file.rows > 0)) return true;
      if (found.count('source-error')) {
        const message = file.bytes === 0 ? 'The file is empty.' : 'The file has no rows.';
        found.listFile('source-error', message);
      }
      return false;
    },
  }),
};

/** Why a file that begins like this can't be read as UTF-8 text, or undefined when it may be. */
export function unsupportedSource(
  head: Uint8Array,
): { what: string; encoding: boolean } | undefined {
  return SIGNATURES.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
}
