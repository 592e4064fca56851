import type { JobProgress } from '../jobs/job.ts';
import type { Output } from './command-context.ts';

/** A terminal's line is written over this often, in milliseconds; else a new line is due. */
const TERMINAL_MS = 250;
const LINE_MS = 5_000;

/** Shows how far a long file is; nothing for a short one. */
export interface Progress {
  update(progress: JobProgress): void;
  /** Clears the terminal's line. */
  end(): void;
}

/** @param now milliseconds, from any origin */
export function showProgress(
  name: string,
  output: Output,
  now: () => number = () => performance.now(),
): Progress {
  const everyMs = output.isTTY ? TERMINAL_MS : LINE_MS;
  const startedAt = now();
  let shownAt = startedAt;
  let shown = false;
  return {
    update({ bytes, rows, sizeBytes }) {
      const time = now();
      if (time - shownAt < everyMs) return;
      shownAt = time;
      shown = true;
      const share = sizeBytes > 0 ? ` ${Math.floor((bytes / sizeBytes) * 100)} %,` : '';
      const speed = Math.round(bytes / 1e3 / (time - startedAt));
      const text = `${name}:${share} ${Math.round(bytes / 1e6)} MB, ${rows} rows, ${speed} MB/s`;
      output.write(output.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
    },
    end() {
      if (shown && output.isTTY) output.write('\r\u001b[2K');
    },
  };
}
