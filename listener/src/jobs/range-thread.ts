import { isUtf8 } from 'node:buffer';
import { parentPort, workerData } from 'node:worker_threads';
import { openRangeReader } from '@file-processing/quality/inspect.ts';
import type { RangeSetup } from '@file-processing/quality/ports.ts';

/** What runs in a thread of range-threads.ts: it reads the blocks that it is sent, one after the other. */

const reader = openRangeReader(workerData as RangeSetup, isUtf8);

parentPort?.on('message', (block: Uint8Array<SharedArrayBuffer>) => {
  // A Buffer looks for a byte many times as fast as another array.
  parentPort?.postMessage(reader.read(Buffer.from(block.buffer, 0, block.length)));
});
