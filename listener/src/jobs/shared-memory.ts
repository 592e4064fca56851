import type { CopyPiece, RangeBlock } from '@file-processing/quality/ports.ts';

// Arrays of shared memory are read, written and searched byte by byte; a Buffer copies and finds at the full speed.

/** Copies bytes to a place in shared memory. */
export function fillBlock(block: RangeBlock, bytes: Uint8Array, at: number): void {
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).copy(block, at);
}

/** Makes what copies pieces of shared memory, each over the one before. */
export function pieceCopier(): CopyPiece {
  let piece = Buffer.alloc(0);
  return ({ buffer, byteOffset }, from, to) => {
    const length = to - from;
    if (piece.length < length) piece = Buffer.allocUnsafeSlow(length);
    Buffer.from(buffer, byteOffset + from, length).copy(piece);
    return piece.subarray(0, length);
  };
}
