import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { EXIT, ROLES, type Role } from '@file-processing/contract/listener-interface.ts';
import { readConfig } from '../config.ts';
import { createLogger } from '../serve/logger.ts';
import { SIGNAL_EXIT_CODES, shutdownBudget, takeShutdownSignals } from '../serve/shutdown.ts';
import { startListener } from '../serve/start-listener.ts';
import { requireAws } from './check.ts';
import type { Command } from './command-context.ts';
import { InterruptedError } from './interruption.ts';

/** Options of `serve`. */
export interface ServeOptions {
  readonly role: Role;
  readonly migrate: boolean;
}

/**
 * Works until SIGTERM or SIGINT, then drains. A second signal ends the process at once, and so does
 * the first one while the listener starts: it may wait minutes for another replica's migration.
 */
export const serve: Command<ServeOptions> = async ({ environment }, { role, migrate }) => {
  for (const flag of heapFlags(getHeapStatistics().heap_size_limit)) setFlagsFromString(flag);
  const { takesMessages } = ROLES[role];
  const config = readConfig(environment, { database: true, httpIntake: takesMessages });
  const isLocal = config.s3.localRoot !== undefined;
  const start = async () => {
    // An intake confirms subscriptions, at the region of their topic.
    if (takesMessages || !isLocal) {
      await requireAws(config, { region: !isLocal || config.sqs.queueUrl !== undefined });
    }
    return startListener({ config, role, migrate, logger });
  };
  const logger = createLogger(config.logLevel);
  const signals = takeShutdownSignals((signal) => {
    logger.warn({ signal }, 'second signal, ending at once');
    process.exit(SIGNAL_EXIT_CODES[signal]);
  });
  try {
    const listener = await Promise.race([
      start(),
      signals.first.then((signal) => Promise.reject(new InterruptedError(signal))),
    ]);
    const signal = await signals.first;
    logger.info({ signal }, 'signal received');
    const deadline = setTimeout(() => {
      logger.error('draining took too long, ending; what still runs is found by its heartbeat');
      process.exit(EXIT.tryAgain);
    }, shutdownBudget(config.shutdownSeconds).exit);
    await listener.stop();
    clearTimeout(deadline);
    return EXIT.ok;
  } finally {
    signals.release();
  }
};

/** From here on V8 lets the old generation grow by more of its own accord. */
const LARGE_HEAP_BYTES = 2 ** 30;

/**
 * In a pod of 512 MiB V8 collects the old generation whenever it has grown by 30 %: with every 75th small file, for a sixth of
 * their CPU. With 100 %, `npm run bench -- drain` judges a sixth more per CPU second and holds 30 MB more (220 MB). Not by
 * NODE_OPTIONS, which refuses this flag; V8 looks at it after each collection.
 *
 * @param limit of the heap, in bytes
 * @returns flags of V8 for the rest of the process
 */
export function heapFlags(limit: number): readonly string[] {
  return limit < LARGE_HEAP_BYTES ? ['--heap-growing-percent=100'] : [];
}
