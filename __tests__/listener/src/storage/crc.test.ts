import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { crc32c, crc64Nvme } from '../../../../listener/src/storage/crc.ts';

/** Bit by bit, as the algorithm is defined. */
function bitwise(bytes: Uint8Array, polynomial: bigint, bits: number): string {
  const ones = (1n << BigInt(bits)) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1n) ^ (crc & 1n ? polynomial : 0n);
  }
  return (crc ^ ones).toString(16).padStart(bits / 4, '0');
}

const KINDS = [
  ['CRC-64/NVME', crc64Nvme, 0x9a6c9329ac4bc9b5n, 64],
  ['CRC-32C', crc32c, 0x82f63b78n, 32],
] as const;

test.each(KINDS)('%s is that of the definition, at any length', (_, start, polynomial, bits) => {
  for (const length of [0, 1, 7, 15, 16, 17, 31, 32, 33, 4099]) {
    const bytes = randomBytes(length);
    const crc = start();
    crc.update(bytes);
    expect(crc.digest().toString('hex')).toBe(bitwise(bytes, polynomial, bits));
  }
});

test.each(KINDS)('%s is the same however the bytes come', (_, start) => {
  // More than fits into the memory of the module at once, and from odd places on.
  const bytes = randomBytes(600_001);
  const whole = start();
  whole.update(bytes);
  const pieces = start();
  for (const [from, to] of [
    [0, 0],
    [0, 3],
    [3, 100],
    [100, 300_007],
    [300_007, 600_001],
  ]) {
    pieces.update(bytes.subarray(from, to));
  }
  expect(pieces.digest()).toEqual(whole.digest());
});

test.each(KINDS)('two computations of %s at the same time do not touch each other', (_, start) => {
  const [one, other, alone] = [start(), start(), start()];
  one.update(Buffer.from('one'));
  other.update(Buffer.from('other'));
  one.update(Buffer.from('more'));
  alone.update(Buffer.from('onemore'));
  expect(one.digest()).toEqual(alone.digest());
});
