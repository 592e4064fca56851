import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { compareWith, type StoredChecksum } from '../../../../listener/src/storage/checksums.ts';

const bytes = Buffer.from('123456789');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

async function compare(stored: StoredChecksum | undefined) {
  const comparison = compareWith(stored);
  comparison.update(bytes.subarray(0, 4));
  comparison.update(bytes.subarray(4));
  return comparison.end(sha256);
}

// The check values of the catalogue of CRC algorithms (reveng.sourceforge.io), and of FIPS 180-4.
const KNOWN = [
  ['CRC64NVME', 'ae8b14860a799888'],
  ['CRC32', 'cbf43926'],
  ['CRC32C', 'e3069283'],
  ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
] as const;

test.each(KNOWN)('the %s of the whole object is compared', async (algorithm, hex) => {
  expect(await compare({ algorithm, value: base64(hex), type: 'FULL_OBJECT' })).toStrictEqual({
    status: 'compared',
    algorithm,
    reason: null,
  });
});

test.each(KNOWN)('another %s is an error that names both', async (algorithm, hex) => {
  const value = base64('00'.repeat(hex.length / 2));
  await expect(compare({ algorithm, value, type: 'FULL_OBJECT' })).rejects.toThrow(
    `the ${algorithm} of the bytes is ${base64(hex)}, the store has ${value}`,
  );
});

test('a store that does not say of what a checksum is has it of the whole object', async () => {
  expect(await compare({ algorithm: 'CRC32', value: base64('cbf43926') })).toMatchObject({
    status: 'compared',
  });
});

test.each([
  ['a composite checksum', { algorithm: 'CRC32', value: base64('00'), type: 'COMPOSITE' }],
  ['the number of parts behind a checksum', { algorithm: 'SHA256', value: `${base64('00')}-2` }],
])('%s is not compared, and said', async (_, stored) => {
  expect(await compare(stored)).toStrictEqual({
    status: 'not checked',
    algorithm: stored.algorithm,
    reason: 'It is composite: of the parts of an upload, not of the object.',
  });
});

test('a checksum that is unknown here is not compared, and said', async () => {
  expect(await compare({ algorithm: 'XXHASH128', value: 'AAAA' })).toStrictEqual({
    status: 'not checked',
    algorithm: 'XXHASH128',
    reason: 'XXHASH128 is not computed here.',
  });
});

test('an object without a checksum is not compared, and said', async () => {
  expect(await compare(undefined)).toStrictEqual({
    status: 'not checked',
    algorithm: null,
    reason: 'The store keeps no checksum of the object.',
  });
});
