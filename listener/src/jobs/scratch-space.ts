import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScratchFile } from '@file-processing/quality/ports.ts';

/** Where the scratch files of a process are, and how much they may take together. */
export interface ScratchSpaceOptions {
  /** @default the system's temporary folder (`TMPDIR`) */
  readonly folder?: string;
  /** From 0: then every file of which the keys do not fit into memory ends in a {@link ScratchFullError}. */
  readonly maxBytes: number;
}

/** A file can't be judged for want of disk space. It says nothing about the file, and another try may have more. */
export class ScratchFullError extends Error {
  override readonly name = 'ScratchFullError';
  readonly code = 'scratch-full';
}

const NAME = /^file-processing-(\d+)-[0-9a-f]{32}\.keys$/;

/**
 * The disk space of one process for what its inspections can't hold in memory. Files in it are made anew, can be read by
 * this user alone, and have no name as soon as they are open, so that the system takes them away with the process
 * however it ends; where an open file has to keep its name (Windows), the next process takes it away.
 */
export class ScratchSpace {
  readonly #folder: string;
  readonly #maxBytes: number;
  #used = 0;
  #isSwept = false;

  constructor({ folder = tmpdir(), maxBytes }: ScratchSpaceOptions) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Bytes that the files which are open take. */
  get usedBytes(): number {
    return this.#used;
  }

  /** @throws what the file system throws where none can be made */
  open(): ScratchFile {
    if (!this.#isSwept) this.#sweep();
    const name = `file-processing-${process.pid}-${randomBytes(16).toString('hex')}.keys`;
    const path = join(this.#folder, name);
    const file = openSync(path, 'wx+', 0o600);
    const isGone = removed(path);
    let size = 0;
    let isOpen = true;
    return {
      write: (bytes, position) => {
        const more = Math.max(0, position + bytes.length - size);
        if (this.#used + more > this.#maxBytes) throw this.#full();
        this.#used += more;
        size += more;
        try {
          for (let from = 0; from < bytes.length; ) {
            from += writeSync(file, bytes, from, bytes.length - from, position + from);
          }
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          throw code === 'ENOSPC' || code === 'EDQUOT' ? this.#full(error) : error;
        }
      },
      read: (bytes, position) => {
        for (let from = 0; from < bytes.length; ) {
          const count = readSync(file, bytes, from, bytes.length - from, position + from);
          if (count === 0) throw new Error('a scratch file is shorter than what was written to it');
          from += count;
        }
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#used -= size;
        closeSync(file);
        if (!isGone) removed(path);
      },
    };
  }

  #full(cause?: unknown): ScratchFullError {
    const limit =
      cause === undefined
        ? `SCRATCH_MIB allows ${Math.floor(this.#maxBytes / 2 ** 20)} MiB for all files in hand`
        : 'the disk is full';
    const advice = 'raise SCRATCH_MIB or KEY_MEMORY_MIB, or check fewer files at a time';
    return new ScratchFullError(
      `the keys of a unique field or primary key need more scratch space in ${this.#folder} than there is: ${limit}; ${advice}`,
      { cause },
    );
  }

  /** Takes away what processes left that were ended while their files still had names. */
  #sweep(): void {
    this.#isSwept = true;
    for (const name of readdirSync(this.#folder)) {
      const pid = Number(NAME.exec(name)?.[1] ?? 0);
      // What bears this process' number is of an earlier one with the same, as in a container.
      if (pid > 0 && (pid === process.pid || !isRunning(pid))) removed(join(this.#folder, name));
    }
  }
}

function removed(path: string): boolean {
  try {
    rmSync(path);
    return true;
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
