import { isUtf8 } from 'node:buffer';
import { parentPort, workerData } from 'node:worker_threads';
import { openRangeReader } from '@file-processing/quality/inspect.ts';
import type { RangeSetup } from '@file-processing/quality/ports.ts';

/** What runs in a thread of range-threads.ts: it reads the blocks that it is sent, one after the other. */

const reader = openRangeReader(workerData as RangeSetup, isUtf8);
/** Shared memory is read word by word at most places; a Buffer copies it at the full speed, and finds bytes so. */
let own = Buffer.alloc(0);

parentPort?.on('message', (block: Uint8Array<SharedArrayBuffer>) => {
  const shared = Buffer.from(block.buffer, 0, block.length);
  if (own.length < shared.length) own = Buffer.allocUnsafeSlow(shared.length);
  parentPort?.postMessage(reader.read(own.subarray(0, shared.copy(own))));
});
