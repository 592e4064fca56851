import { isUtf8 } from 'node:buffer';
import { createHash, getRandomValues } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { EnginePorts } from '@file-processing/quality/ports.ts';
import { NODE_DECOMPRESSION } from './decompression.ts';
import { ScratchSpace } from './scratch-space.ts';

/** What Node gives to the quality engine; all inspections of a process share its scratch space. */
export function nodePorts(scratch: ScratchSpace): EnginePorts {
  return {
    createHash: () => createHash('sha256'),
    isUtf8,
    decompression: NODE_DECOMPRESSION,
    nextTurn: () => setImmediate(),
    fillRandom: getRandomValues,
    openScratch: () => scratch.open(),
  };
}

/** The same with 1 GiB in the system's temporary folder. */
export const NODE_PORTS: EnginePorts = nodePorts(new ScratchSpace({ maxBytes: 2 ** 30 }));
