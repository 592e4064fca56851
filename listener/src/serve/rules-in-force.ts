import type { RoutingSettings } from '@file-processing/contract/routing.ts';
import type { RulesLocation } from '@file-processing/contract/rule-set.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { meansUnavailable } from '../database/errors.ts';
import { listMonitoringFiles } from '../database/monitoring-files.ts';
import { applyRuleSet, isApplied, lastRuleSet } from '../database/rules.ts';
import { type Repeated, repeat } from '../queue/worker.ts';
import { findRules, locationText, UnfinishedPushError } from '../rules/location.ts';
import { readRuleSet } from '../rules/rule-set.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What {@link startRules} works with. */
export interface RulesInForceOptions {
  readonly location: RulesLocation;
  readonly database: Database;
  readonly store: Pick<ObjectStore, 'open'>;
  readonly logger: Logger;
  /** What the settings allow a rule set to have done with files. @default nothing */
  readonly routing?: RoutingSettings;
  /**
   * Between two looks. @default 60000, and 20000 for a folder: kubelet brings a mounted ConfigMap up to date every 60 to 90
   * seconds (syncFrequency, workerResyncIntervalJitterFactor), and a change is to be in force within two minutes
   */
  readonly everyMs?: number;
  /** Called with each rule set that was applied, and once with each that is broken. @default nobody */
  readonly onRuleSet?: (outcome: 'applied' | 'refused') => void;
}

/** Keeps a database's rules those of a location. */
export interface RulesInForce extends Repeated {
  /** Whether the rule set that lies there now could not be read or applied; the one before it is in force. */
  isRefused(): boolean;
}

/**
 * Applies the rule set of a location where it is another one than was applied last, at once and then each minute. One that
 * is broken changes nothing: the rules before it stay in force, the log and the metric say so.
 *
 * @throws {RuleSetError} or what the store threw, at the start alone, and only where the database has no rules yet
 */
export async function startRules(options: RulesInForceOptions): Promise<RulesInForce> {
  const { location, database, store, logger, routing, onRuleSet } = options;
  const { everyMs = 'folder' in location ? 20_000 : 60_000 } = options;
  const end = new AbortController();
  const name = locationText(location);
  let refusal: string | undefined;
  let seen: string | undefined;
  // A push that is under way at one look has ended by the next, or was broken off.
  let unfinished = false;

  const look = async () => {
    const found = await findRules(location, store, end.signal);
    if (!(await isDue(database, found.digest, seen))) {
      seen = found.digest;
      refusal = undefined;
      unfinished = false;
      return;
    }
    const rules = readRuleSet(name, await found.files(end.signal), expectationProblems);
    const { changes, leftAlone } = await applyRuleSet(database, rules, name, routing);
    seen = found.digest;
    refusal = undefined;
    unfinished = false;
    onRuleSet?.('applied');
    const overruled = leftAlone.filter(({ winsOver }) => winsOver !== undefined).length;
    logger.info(
      { location: name, digest: found.digest, changes: changes.length, overruled },
      'rules applied',
    );
  };
  const onError = (err: unknown) => {
    if (end.signal.aborted) return;
    // An outage of the database is told by others, and says nothing of the rules.
    if (meansUnavailable(err)) return;
    if (err instanceof UnfinishedPushError && !unfinished) {
      unfinished = true;
      logger.info({ location: name }, 'a push of rules is under way');
      return;
    }
    const reason = err instanceof Error ? err.message : String(err);
    if (reason !== refusal) {
      onRuleSet?.('refused');
      logger.error(
        { err, location: name },
        'the rules were not applied, those before stay in force',
      );
    }
    refusal = reason;
  };

  try {
    await look();
  } catch (error) {
    if (!(await hasRules(database))) throw error;
    onError(error);
  }
  const repeated = repeat(everyMs, look, onError);
  return {
    isRefused: () => refusal !== undefined,
    async stop() {
      end.abort();
      await repeated.stop();
    },
  };
}

/**
 * Another process may have seen a later set than this one, as while a ConfigMap reaches one node after the other: what
 * this process saw before is not applied over it.
 */
async function isDue(
  database: Database,
  digest: string,
  seen: string | undefined,
): Promise<boolean> {
  if (await isApplied(database, digest)) return false;
  return digest !== seen || (await lastRuleSet(database))?.digest === digest;
}

async function hasRules(database: Database): Promise<boolean> {
  if ((await lastRuleSet(database)) !== undefined) return true;
  return (await listMonitoringFiles(database)).some(({ active }) => active);
}
