import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { lookAtPeriods } from '../database/period-clock.ts';
import { type Repeated, repeat } from '../queue/worker.ts';

/** What {@link startClock} works with. */
export interface ClockSettings {
  readonly database: Database;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Whether notices have a way out. */
  readonly tells: boolean;
  /** How often the states of what is due are brought up to date. @default 5000 */
  readonly everyMs?: number;
}

/** Works out again and again what has come, is late or is missing; of all processes one at a time. */
export function startClock({ database, logger, tells, everyMs = 5_000 }: ClockSettings): Repeated {
  const refused = new Set<string>();
  let stopping = false;
  const look = async () => {
    for (let more = true; more && !stopping; ) {
      const found = await lookAtPeriods({ database, tells });
      if (found === undefined) return;
      more = found.hasMore;
      for (const file of found.badSchedules) {
        if (refused.has(file)) continue;
        refused.add(file);
        logger.error({ file }, 'the schedule can not be worked by: nothing is expected');
      }
      if (found.changes.length === 0) continue;
      const counts: Record<string, number> = {};
      for (const { to } of found.changes) counts[to] = (counts[to] ?? 0) + 1;
      const isBad = (counts.late ?? 0) + (counts.missing ?? 0) > 0;
      logger[isBad ? 'warn' : 'info'](counts, 'states of deliveries changed');
    }
  };
  const repeated = repeat(everyMs, look, (error) =>
    logger.warn({ err: error }, 'the states of deliveries were not brought up to date'),
  );
  return {
    async stop() {
      stopping = true;
      await repeated.stop();
    },
  };
}
