import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reportKey } from '../../../../listener/src/jobs/report-key.ts';

const runId = '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11';
const prefix = 'data_quality_reports/';
/** What a report's key has beside the object's key. */
const OWN_BYTES = `${prefix}.${runId}.json`.length;

const keyOf = (objectKey: string) => reportKey({ prefix, objectKey, runId });

test("a report's key is the object's below the prefix, with the run", () => {
  expect(keyOf('from_client/Größe 1.csv')).toBe(
    `data_quality_reports/from_client/Größe 1.csv.${runId}.json`,
  );
});

test('a key of exactly 1024 bytes is kept', () => {
  const objectKey = 'x'.repeat(1024 - OWN_BYTES);
  expect(keyOf(objectKey)).toBe(`${prefix}${objectKey}.${runId}.json`);
});

test('a key of one byte more gives way to its SHA-256', () => {
  expect(keyOf('x'.repeat(1025 - OWN_BYTES))).toMatch(
    new RegExp(`^data_quality_reports/[0-9a-f]{64}\\.${runId}\\.json$`),
  );
});

test('bytes of UTF-8 count, not characters', () => {
  const objectKey = 'ä'.repeat(500);
  expect(Buffer.byteLength(keyOf(objectKey))).toBeLessThanOrEqual(1024);
  expect(keyOf(objectKey)).not.toContain('ä');
});

test('the SHA-256 is that of the key of the object', () => {
  // printf 'x%.0s' {1..1024} | sha256sum
  expect(keyOf('x'.repeat(1024))).toBe(
    `${prefix}49abd65bbf7f7e40c7055093ed2e3fd75f2f602f2c5fcf955c213e3135eb03f7.${runId}.json`,
  );
});

test('two long keys that differ at their end have two reports', () => {
  expect(keyOf(`${'x'.repeat(1023)}1`)).not.toBe(keyOf(`${'x'.repeat(1023)}2`));
});

test('no key of an object makes a key that S3 refuses or that lies outside the prefix', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 1024 }), (objectKey) => {
      const key = keyOf(objectKey);
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
      expect(key.startsWith(prefix)).toBe(true);
      expect(keyOf(objectKey)).toBe(key);
    }),
  );
});
