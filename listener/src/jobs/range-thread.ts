import { isUtf8 } from 'node:buffer';
import { parentPort, workerData } from 'node:worker_threads';
import { openRangeReader } from '@file-processing/quality/inspect.ts';
import type { RangeBlock, RangeSetup } from '@file-processing/quality/ports.ts';
import { pieceCopier } from './shared-memory.ts';

/** What runs in a thread of range-threads.ts: it reads the blocks that it is sent, one after the other. */

const reader = openRangeReader(workerData as RangeSetup, isUtf8, pieceCopier());

parentPort?.on('message', ({ buffer, byteOffset, length }: RangeBlock) => {
  parentPort?.postMessage(reader.read(Buffer.from(buffer, byteOffset, length)));
});
