import {
  type Decompression,
  DecompressionError,
  type EnginePorts,
} from '@file-processing/quality/ports.ts';
import { createSHA256 } from 'hash-wasm';

/**
 * What a browser gives to the quality engine, for one file. It has no scratch space: a file with more keys than fit into
 * memory fails as `key-check-incomplete`; and it unpacks gzip and zip, but not zstd.
 */
export async function browserPorts(): Promise<EnginePorts> {
  const sha256 = await createSHA256();
  return {
    createHash: () => sha256.init(),
    isUtf8,
    nextTurn,
    decompression: BROWSER_DECOMPRESSION,
    fillRandom: (words) => crypto.getRandomValues(words),
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A message to itself: a timer would wait four milliseconds each time (HTML, "timer initialization steps"). */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

const BROWSER_DECOMPRESSION: Decompression = {
  formats: ['gzip', 'deflate-raw'],
  // Source: Compression Streams, "decompress and enqueue a chunk": bytes behind the end are an error.
  findsEnd: false,
  open(format, bytes) {
    const source = new ReadableStream<BufferSource>({
      async pull(controller) {
        const { done, value } = await bytes.next();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
    });
    const unpacked = source.pipeThrough(new DecompressionStream(format as CompressionFormat));
    return { bytes: readThrough(unpacked), consumed: () => undefined };
  },
  crc32,
};

const NOT_VALID = 'what is packed ends too early or was changed';

async function* readThrough(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    // The only error that the standard names for such bytes, with another text in each browser.
    if (error instanceof TypeError) throw new DecompressionError(NOT_VALID, false);
    throw error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Of one byte each; the polynomial of ISO-HDLC, which zip uses (APPNOTE.TXT, 4.4.7). */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array, value: number): number {
  let crc = ~value;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}
