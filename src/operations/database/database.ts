import type { RDSClient } from '@aws-sdk/client-rds';
import {
  databaseIdentifier,
  type PostgresOnDemandSettings,
} from '../../settings/postgres-on-demand-variables.ts';
import type { CommonOptions, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { type Target, targetOf } from '../target.ts';

/** A database as RDS describes it. */
export interface FoundDatabase {
  /** `available`, `stopped`, `modifying` and so on. */
  readonly status: string;
  readonly host: string;
  readonly port: number;
  /** Instances of an Aurora cluster. */
  readonly members: readonly string[];
}

/** A snapshot of a database. */
export interface FoundSnapshot {
  readonly name: string;
  readonly status: string;
  /** `manual` or `automated`. */
  readonly type: string;
  /** Undefined until it is complete. */
  readonly created: Date | undefined;
}

/** What the commands ask of RDS, the same for an instance and for an Aurora cluster. */
export interface DatabaseApi {
  /** Undefined where there is none of the name. */
  readonly find: (identifier: string) => Promise<FoundDatabase | undefined>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly snapshot: (name: string) => Promise<void>;
  /** Those of the database, oldest first. */
  readonly snapshots: () => Promise<readonly FoundSnapshot[]>;
  readonly snapshotNamed: (name: string) => Promise<FoundSnapshot | undefined>;
  /**
   * Gives it another name, the instances of a cluster before the cluster itself; those that an
   * earlier, interrupted run has put aside have one already.
   *
   * @param settled - waits until an instance is available under its new name
   */
  readonly rename: (
    to: string,
    settled: (status: () => Promise<string | undefined>, instance: string) => Promise<void>,
  ) => Promise<void>;
  /** Lifts deletion protection. */
  readonly allowDeletion: () => Promise<void>;
}

/** The database on demand of an environment. */
export interface DatabaseTarget extends Target {
  readonly settings: PostgresOnDemandSettings;
  /** Its name in RDS. */
  readonly identifier: string;
  readonly api: DatabaseApi;
}

/**
 * The database of an environment, and RDS in its region.
 *
 * @throws OperationError (usage) where the environment has none
 */
export async function databaseTarget(
  context: OperationContext,
  options: CommonOptions,
): Promise<DatabaseTarget> {
  const target = targetOf(context, options);
  const settings = target.environment.postgresOnDemand;
  if (settings === undefined) {
    throw new OperationError(`environment ${target.environment.name} has no postgres-on-demand`, {
      next: `environments/${target.environment.name}/postgres_on_demand.tfvars makes one; a database of others is looked after by its owner`,
      code: EXIT.usage,
    });
  }
  const identifier = databaseIdentifier(settings);
  const api = await databaseApi(await target.clients.rds(), settings);
  return { ...target, settings, identifier, api };
}

/** The database as it is now. @throws OperationError where there is none */
export async function requireDatabase({
  api,
  identifier,
  region,
}: DatabaseTarget): Promise<FoundDatabase> {
  const found = await api.find(identifier);
  if (found !== undefined) return found;
  throw new OperationError(`there is no database ${identifier} in ${region}`, {
    next: 'npm run manage -- apply postgres-on-demand makes it',
  });
}

const BETWEEN_TRIES = 10_000;

/**
 * Waits until something in RDS has a status; it takes minutes.
 *
 * @param what - it, for the progress and the error
 * @param seconds - how long to wait; 0 asks once
 * @throws OperationError (EXIT.unavailable) when it has another one still
 */
export async function waitForStatus(
  { clock, stderr }: Pick<OperationContext, 'clock' | 'stderr'>,
  what: string,
  ask: () => Promise<string | undefined>,
  wanted: string,
  seconds: number,
): Promise<void> {
  const end = clock.now().getTime() + seconds * 1000;
  for (let last: string | undefined; ; ) {
    const status = (await ask()) ?? 'not there';
    if (status === wanted) return;
    if (clock.now().getTime() >= end) {
      throw new OperationError(`${what} is ${status} after ${seconds} s, not ${wanted} yet`, {
        next: 'AWS continues; run the command again to keep waiting, or give a longer --wait',
        code: EXIT.unavailable,
      });
    }
    if (status !== last) stderr.write(`Waiting: ${what} is ${status}.\n`);
    last = status;
    await clock.sleep(BETWEEN_TRIES);
  }
}

/** RDS for the engine that the settings name. */
export async function databaseApi(
  client: RDSClient,
  settings: PostgresOnDemandSettings,
): Promise<DatabaseApi> {
  const rds = await import('@aws-sdk/client-rds');
  const identifier = databaseIdentifier(settings);
  return settings.engine === 'rds'
    ? instanceApi(client, rds, identifier)
    : clusterApi(client, rds, identifier);
}

type Rds = typeof import('@aws-sdk/client-rds');

/** What a name gets that is put aside; see db-restore. */
export const ASIDE = '-until-';

/** One instance as RDS describes it; undefined where there is none of the name. */
function describeInstance(client: RDSClient, rds: Rds, name: string) {
  return unlessMissing(async () => {
    const query = new rds.DescribeDBInstancesCommand({ DBInstanceIdentifier: name });
    const { DBInstances = [] } = await client.send(query);
    return DBInstances[0];
  });
}

function instanceApi(client: RDSClient, rds: Rds, identifier: string): DatabaseApi {
  const byName = { DBInstanceIdentifier: identifier };
  const list = async (query: { DBInstanceIdentifier?: string; DBSnapshotIdentifier?: string }) => {
    const found: FoundSnapshot[] = [];
    for await (const { DBSnapshots = [] } of rds.paginateDescribeDBSnapshots({ client }, query)) {
      for (const {
        DBSnapshotIdentifier,
        Status,
        SnapshotType,
        SnapshotCreateTime,
      } of DBSnapshots) {
        found.push(snapshotOf(DBSnapshotIdentifier, Status, SnapshotType, SnapshotCreateTime));
      }
    }
    return found;
  };
  return {
    find: async (name) => {
      const found = await describeInstance(client, rds, name);
      if (found === undefined) return undefined;
      const { DBInstanceStatus = '', Endpoint } = found;
      const { Address = '', Port = 0 } = Endpoint ?? {};
      return { status: DBInstanceStatus, host: Address, port: Port, members: [] };
    },
    start: async () => void (await client.send(new rds.StartDBInstanceCommand(byName))),
    stop: async () => void (await client.send(new rds.StopDBInstanceCommand(byName))),
    snapshot: async (name) => {
      const named = { ...byName, DBSnapshotIdentifier: name };
      await client.send(new rds.CreateDBSnapshotCommand(named));
    },
    snapshots: async () => (await list(byName)).sort(olderFirst),
    snapshotNamed: (name) =>
      unlessMissing(async () => (await list({ DBSnapshotIdentifier: name }))[0]),
    rename: async (to) => {
      const named = { ...byName, NewDBInstanceIdentifier: to, ApplyImmediately: true };
      await client.send(new rds.ModifyDBInstanceCommand(named));
    },
    allowDeletion: async () => {
      const change = { ...byName, DeletionProtection: false, ApplyImmediately: true };
      await client.send(new rds.ModifyDBInstanceCommand(change));
    },
  };
}

function clusterApi(client: RDSClient, rds: Rds, identifier: string): DatabaseApi {
  const byName = { DBClusterIdentifier: identifier };
  const list = async (query: {
    DBClusterIdentifier?: string;
    DBClusterSnapshotIdentifier?: string;
  }) => {
    const found: FoundSnapshot[] = [];
    const pages = rds.paginateDescribeDBClusterSnapshots({ client }, query);
    for await (const { DBClusterSnapshots = [] } of pages) {
      for (const one of DBClusterSnapshots) {
        const { DBClusterSnapshotIdentifier: name, Status, SnapshotType, SnapshotCreateTime } = one;
        found.push(snapshotOf(name, Status, SnapshotType, SnapshotCreateTime));
      }
    }
    return found;
  };
  const find = (name: string) =>
    unlessMissing(async () => {
      const { DBClusters = [] } = await client.send(
        new rds.DescribeDBClustersCommand({ DBClusterIdentifier: name }),
      );
      const [found] = DBClusters;
      if (found === undefined) return undefined;
      const { Status = '', Endpoint = '', Port = 0, DBClusterMembers = [] } = found;
      const members = DBClusterMembers.flatMap(({ DBInstanceIdentifier: one }) => one ?? []);
      return { status: Status, host: Endpoint, port: Port, members };
    });
  return {
    find,
    start: async () => void (await client.send(new rds.StartDBClusterCommand(byName))),
    stop: async () => void (await client.send(new rds.StopDBClusterCommand(byName))),
    snapshot: async (name) => {
      const named = { ...byName, DBClusterSnapshotIdentifier: name };
      await client.send(new rds.CreateDBClusterSnapshotCommand(named));
    },
    snapshots: async () => (await list(byName)).sort(olderFirst),
    snapshotNamed: (name) =>
      unlessMissing(async () => (await list({ DBClusterSnapshotIdentifier: name }))[0]),
    rename: async (to, settled) => {
      const { members = [] } = (await find(identifier)) ?? {};
      for (const member of members.filter((name) => !name.includes(ASIDE))) {
        const renamed = member.replace(identifier, to);
        await client.send(
          new rds.ModifyDBInstanceCommand({
            DBInstanceIdentifier: member,
            NewDBInstanceIdentifier: renamed,
            ApplyImmediately: true,
          }),
        );
        const status = async () => (await describeInstance(client, rds, renamed))?.DBInstanceStatus;
        await settled(status, renamed);
      }
      const named = { ...byName, NewDBClusterIdentifier: to, ApplyImmediately: true };
      await client.send(new rds.ModifyDBClusterCommand(named));
    },
    allowDeletion: async () => {
      const change = { ...byName, DeletionProtection: false, ApplyImmediately: true };
      await client.send(new rds.ModifyDBClusterCommand(change));
    },
  };
}

function snapshotOf(
  name = '',
  status = '',
  type = '',
  created: Date | undefined = undefined,
): FoundSnapshot {
  return { name, status, type, created };
}

/** One that is not complete has no time yet. */
function olderFirst(one: FoundSnapshot, other: FoundSnapshot): number {
  return (one.created?.getTime() ?? Infinity) - (other.created?.getTime() ?? Infinity);
}

async function unlessMissing<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && /^DB\w+NotFound/.test(error.name)) return undefined;
    throw error;
  }
}
