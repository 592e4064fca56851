import { inspectCsv } from '@file-processing/quality/inspect.ts';
import { PLACES, shownClasses } from '../../../privacy/places.ts';
import { restore, withhold } from '../../../privacy/withhold.ts';
import type { CheckReply, CheckRequest } from './messages.ts';
import { browserPorts } from './ports.ts';

/** Bytes read at once; a file is never in memory as a whole. */
const SLICE_BYTES = 1024 * 1024;

/** Faults that are listed, as the listener does by default (MAX_FAULTS). */
const MAX_FAULTS = 1_000;

const tell = (reply: CheckReply) => postMessage(reply);

addEventListener('message', async ({ data }: MessageEvent<CheckRequest>) => {
  const { file, expectation } = data;
  try {
    if (await isZstd(file)) return tell({ kind: 'error', message: ZSTD });
    const report = await inspectCsv(slicesOf(file), await browserPorts(), {
      expectation,
      maxFaults: MAX_FAULTS,
      onProgress: (bytes, rows) => tell({ kind: 'progress', bytes, rows }),
    });
    const shown = restore(withhold(report, true), shownClasses(PLACES.terminal));
    tell({ kind: 'report', report: shown });
  } catch (error) {
    tell({ kind: 'error', message: error instanceof Error ? error.message : String(error) });
  }
});

/** Browsers do not unpack it: the file is not judged by what it is packed in. */
const ZSTD =
  'it is packed by zstd, which is not checked here. Check the file before you pack it, or pack it by gzip or zip.';

/** A frame of RFC 8878, or a skippable one. */
async function isZstd(file: File): Promise<boolean> {
  const head = new DataView(await file.slice(0, 4).arrayBuffer());
  if (head.byteLength < 4) return false;
  const magic = head.getUint32(0, true);
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5;
}

async function* slicesOf(file: File): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    yield new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer());
  }
}
