import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ChecksumReport } from '@file-processing/quality/report.ts';
import { crc32c, crc64Nvme } from './crc.ts';

/** The checksum that S3 keeps of an object. */
export interface StoredChecksum {
  /** Such as `CRC64NVME`. */
  readonly algorithm: string;
  /** In Base64; a composite one ends with a hyphen and the number of its parts. */
  readonly value: string;
  /** `FULL_OBJECT` or `COMPOSITE`; undefined where the store does not say. */
  readonly type?: string | undefined;
}

/** Compares what is read with a checksum. */
export interface ChecksumComparison {
  /** Takes the next bytes of the object. */
  update(chunk: Uint8Array): void;
  /**
   * Ends it after the last byte.
   *
   * @param sha256 of all bytes, in hexadecimal
   * @throws Error that names both checksums where they differ
   */
  end(sha256: string): Promise<ChecksumReport>;
}

interface RunningChecksum {
  update(chunk: Uint8Array): unknown;
  digest(): Buffer;
}

/** All that S3 keeps of its own accord, but for SHA-256, which the engine computes anyway. */
const RUNNING: Readonly<Record<string, () => RunningChecksum>> = {
  CRC64NVME: crc64Nvme,
  CRC32: () => {
    let value = 0;
    return {
      update(chunk) {
        value = crc32(chunk, value);
      },
      digest() {
        const digest = Buffer.alloc(4);
        digest.writeUInt32BE(value);
        return digest;
      },
    };
  },
  CRC32C: crc32c,
  SHA1: () => createHash('sha1'),
};

/**
 * Begins a comparison. A composite checksum is one of the checksums of an upload's parts, whose bounds the
 * object does not tell. Source: Amazon S3 user guide, "Checking object integrity in Amazon S3".
 *
 * @param stored undefined where the store keeps none
 */
export function compareWith(stored: StoredChecksum | undefined): ChecksumComparison {
  if (stored === undefined) return without(null, 'The store keeps no checksum of the object.');
  const { algorithm, value, type } = stored;
  if (type === 'COMPOSITE' || /-\d+$/.test(value)) {
    return without(algorithm, 'It is composite: of the parts of an upload, not of the object.');
  }
  const compare = (found: string): ChecksumReport => {
    if (found === value) return { status: 'compared', algorithm, reason: null };
    throw new Error(`the ${algorithm} of the bytes is ${found}, the store has ${value}`);
  };
  if (algorithm === 'SHA256') {
    return {
      update() {},
      end: async (sha256) => compare(Buffer.from(sha256, 'hex').toString('base64')),
    };
  }
  const running = RUNNING[algorithm]?.();
  if (running === undefined) return without(algorithm, `${algorithm} is not computed here.`);
  return {
    update: (chunk) => running.update(chunk),
    end: async () => compare(running.digest().toString('base64')),
  };
}

function without(algorithm: string | null, reason: string): ChecksumComparison {
  return { update() {}, end: async () => notChecked(algorithm, reason) };
}

/** What a report says where there is nothing to compare with. @param reason in a sentence */
export function notChecked(algorithm: string | null, reason: string): ChecksumReport {
  return { status: 'not checked', algorithm, reason };
}
