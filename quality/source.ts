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

/** Why a file that begins like this can't be read as UTF-8 text, or undefined when it may be. */
export function foreignSource(head: Uint8Array): { what: string; encoding: boolean } | undefined {
  return SIGNATURES.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
}
