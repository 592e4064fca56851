import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { startConsole } from '../console/console.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import { openStore } from '../storage/open-store.ts';
import type { Command } from './command-context.ts';
import { errorText } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import { withQueue } from './with-database.ts';

/** Options of `console`. */
export interface ConsoleCommandOptions {
  /** 0 picks a free one. */
  readonly port: number;
}

/** Pages that are being answered when a signal comes have so long. */
const GRACE_MS = 5_000;

/** Serves pages on deliveries to browsers of this machine, until a signal ends it. */
export const serveConsole: Command<ConsoleCommandOptions> = (context, { port }) =>
  withQueue(context, (database, queue, config) =>
    interruptible(GRACE_MS, async (signal) => {
      const store = openStore(config);
      const rehearsing = { store, engine: createEngine(config), maxFaults: config.maxFaults };
      const pages = await startConsole({
        database,
        port,
        acting: { queue, filter: config.s3, rehearsing },
        onError: (error) => context.stderr.write(errorText(error)),
      });
      context.stdout.write(`${pages.address}\n`);
      try {
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        return EXIT.ok;
      } finally {
        await pages.close();
        store.close();
      }
    }),
  );
