import {
  constants,
  crc32,
  createGunzip,
  createInflateRaw,
  createZstdDecompress,
  type Gunzip,
  type InflateRaw,
  type ZstdDecompress,
} from 'node:zlib';
import {
  type CompressionFormat,
  type DecompressedStream,
  type Decompression,
  DecompressionError,
} from '@file-processing/quality/ports.ts';

type Decompressor = Gunzip | InflateRaw | ZstdDecompress;

/** Unpacked bytes come in pieces of this size, which are judged at once. */
const OUTPUT = { chunkSize: 65_536 };
/** One chunk at a time is written, so that it holds all that is left when the stream ends. */
const INPUT = { highWaterMark: 1 };

/** RFC 8878 wants 8 MiB of every decoder; more is asked for by `--long` and `--ultra` alone, and costs as much memory. */
const ZSTD_WINDOW_LOG = 23;

const CREATE: Readonly<Record<CompressionFormat, () => Decompressor>> = {
  gzip: () => createGunzip({ ...OUTPUT, ...INPUT }),
  'deflate-raw': () => createInflateRaw({ ...OUTPUT, ...INPUT }),
  zstd: () =>
    createZstdDecompress({
      ...OUTPUT,
      ...INPUT,
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
    }),
};

/** Unpacking by Node's zlib, off the main thread. */
export const NODE_DECOMPRESSION: Decompression = {
  formats: ['gzip', 'deflate-raw', 'zstd'],
  findsEnd: true,
  open(format, bytes) {
    const stream = CREATE[format]();
    return { bytes: unpacked(stream, bytes), consumed: () => stream.bytesWritten };
  },
  crc32,
};

async function* unpacked(
  stream: Decompressor,
  bytes: AsyncIterator<Uint8Array>,
): DecompressedStream['bytes'] & AsyncGenerator<Uint8Array> {
  const feeding = feed(stream, bytes);
  try {
    yield* stream;
  } catch (error) {
    throw decompressionError(error) ?? error;
  } finally {
    stream.destroy();
    // What it has asked the source for is the source's again only when it came.
    await feeding;
  }
}

/** Never rejects: what the source throws, the stream throws. */
async function feed(stream: Decompressor, bytes: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    while (!stream.destroyed && !stream.readableEnded) {
      const { done, value } = await bytes.next();
      if (done) {
        stream.end();
        return;
      }
      if (!stream.destroyed && !stream.write(value)) await taken(stream);
    }
  } catch (error) {
    stream.destroy(error as Error);
  }
}

/** Waits until the stream has taken what was written, or has ended in front of it. */
function taken(stream: Decompressor): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'end', 'close', 'error'];
    const settle = () => {
      for (const event of events) stream.off(event, settle);
      resolve();
    };
    for (const event of events) stream.on(event, settle);
  });
}

function decompressionError(error: unknown): DecompressionError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code, message } = error;
  if (typeof code !== 'string' || !/^(Z_|ZSTD_)/.test(code)) return undefined;
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    const text = `its window is larger than ${2 ** (ZSTD_WINDOW_LOG - 20)} MiB; pack it without --long and --ultra`;
    return new DecompressionError(text, false);
  }
  return new DecompressionError(message, code === 'Z_BUF_ERROR');
}
