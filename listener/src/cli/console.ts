import type { ConsoleRight } from '@file-processing/contract/console.ts';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { type ConsoleOptions, consoleLink, startConsole } from '../console/console.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import { createLogger } from '../serve/logger.ts';
import { openStore } from '../storage/open-store.ts';
import type { Command } from './command-context.ts';
import { errorText } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import { withDatabase, withQueue } from './with-database.ts';

/** Options of `console`. */
export interface ConsoleCommandOptions {
  /** 0 picks a free one. @default that of the settings */
  readonly port?: number;
  /** What whoever opens the printed address may do. */
  readonly allow: readonly ConsoleRight[];
  /** Prints what opens the console that is served elsewhere, and ends. */
  readonly link: boolean;
  /** Whose acts they are by such a link. */
  readonly by: string;
}

/** Pages that are being answered when a signal comes have so long. */
const GRACE_MS = 5_000;

/** Serves pages on deliveries until a signal ends it: on this machine, or where the settings say. */
export const serveConsole: Command<ConsoleCommandOptions> = (context, options) => {
  const { allow, link, by } = options;
  if (link) {
    return withDatabase(context, async (database) => {
      context.stdout.write(`${await consoleLink(database, { name: by, rights: allow })}\n`);
      return EXIT.ok;
    });
  }
  return withQueue(context, (database, queue, config) =>
    interruptible(GRACE_MS, async (signal) => {
      const store = openStore(config);
      const rehearsing = { store, engine: createEngine(config), maxFaults: config.maxFaults };
      const { console: settings, logLevel } = config;
      const logger = settings.isLocal ? undefined : createLogger(logLevel);
      const told: Pick<ConsoleOptions, 'onError' | 'onEvent'> = logger
        ? {
            onError: (err) => logger.error({ err }, 'a request to the console failed'),
            onEvent: ({ event, ...of }) => logger.info(of, `console: ${event}`),
          }
        : { onError: (error) => context.stderr.write(errorText(error)) };
      const pages = await startConsole({
        ...{ database, settings, rights: allow, ...told },
        port: options.port ?? settings.port ?? 0,
        acting: { queue, filter: config.s3, rehearsing },
      });
      if (logger) logger.info({ address: pages.address }, 'console: served');
      else context.stdout.write(`${pages.address}\n`);
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
};
