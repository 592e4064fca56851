import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { EnginePorts } from '@file-processing/quality/ports.ts';
import { NODE_DECOMPRESSION } from './decompression.ts';

/** What Node gives to the quality engine. */
export const NODE_PORTS: EnginePorts = {
  createHash: () => createHash('sha256'),
  isUtf8,
  decompression: NODE_DECOMPRESSION,
  nextTurn: () => setImmediate(),
};
