import pg from 'pg';
import type { DatabaseConfig, Secret } from '../config/database-config.ts';
import { driverSettings } from './connection.ts';
import { BootstrapError, sqlStateOf } from './errors.ts';

/** Name and password of the server's administrator. */
export interface Master {
  readonly user: string;
  readonly password: Secret;
}

/** What a bootstrap made, in the words of its output; empty where all of it was there. */
export type Made = readonly string[];

/** Membership lets a role of Amazon RDS sign in by IAM (Amazon RDS User Guide, "Creating a database account using IAM authentication"). */
const SIGNS_IN_BY_IAM = 'rds_iam';

/** The database that every server has. */
const ALWAYS_THERE = 'postgres';

/** Taken by the transaction that makes the roles; any number other than that of the migrations. */
const BOOTSTRAP_LOCK = 412_870_932;

/** CREATE DATABASE copies a template and waits for whoever is connected to it. */
const STATEMENT_TIMEOUT_MS = 120_000;

const quoted = pg.escapeIdentifier;

/**
 * Makes the database, the role that migrates it (`config.user`) and the role of the listener
 * (`config.listenerUser`) on a server of Amazon RDS, and gives both what they need:
 *
 * - the migrator makes schemas in the database, and owns them and what is in them;
 * - the listener may sign in. Its rights on the tables come with each migration.
 *
 * Neither gets a password: both sign in by IAM. What is there is kept, so that it may run any
 * number of times, and after a kill. Roles and rights are one transaction.
 *
 * @throws {BootstrapError} where the master may not, or a role has rights that it must not have
 */
export async function bootstrapDatabase(
  config: DatabaseConfig & { readonly listenerUser: string },
  master: Master,
): Promise<Made> {
  refuseSharedNames(config, master);
  const on = async (database: string, work: (client: pg.Client) => Promise<Made>) => {
    const client = await connectAs(master, { ...config, database });
    return work(client).finally(() => client.end());
  };
  try {
    const made = await on(ALWAYS_THERE, (server) => createDatabase(server, config.database));
    return [...made, ...(await on(config.database, (client) => createRoles(client, config)))];
  } catch (error) {
    throw explained(error, master);
  }
}

function refuseSharedNames(
  { user, listenerUser }: { readonly user: string; readonly listenerUser: string },
  master: Master,
): void {
  if (new Set([user, listenerUser, master.user]).size === 3) return;
  throw new BootstrapError(
    `DB_USER ${JSON.stringify(user)}, DB_LISTENER_USER ${JSON.stringify(listenerUser)} and the master user ${JSON.stringify(master.user)} must be three roles`,
  );
}

async function connectAs(master: Master, config: DatabaseConfig): Promise<pg.Client> {
  const settings = driverSettings(
    { ...config, ...master, iamRegion: undefined },
    'file-processing bootstrap-database',
  ) as pg.ClientConfig;
  const client = new pg.Client({ ...settings, query_timeout: STATEMENT_TIMEOUT_MS });
  await client.connect();
  return client;
}

async function createDatabase(server: pg.Client, name: string): Promise<Made> {
  const { rowCount } = await server.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount !== 0) return [];
  try {
    await server.query(`CREATE DATABASE ${quoted(name)}`);
  } catch (error) {
    // Another process was faster; while it is at work, only the unique index of names knows.
    if (['42P04', '23505'].includes(sqlStateOf(error) ?? '')) return [];
    throw error;
  }
  return [`database ${name}`];
}

async function createRoles(
  client: pg.Client,
  { database, user, listenerUser }: DatabaseConfig & { readonly listenerUser: string },
): Promise<Made> {
  await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${BOOTSTRAP_LOCK})`);
  const made = [...(await createRole(client, user)), ...(await createRole(client, listenerUser))];
  await requireRole(client, SIGNS_IN_BY_IAM);
  const [migrator, listener] = [quoted(user), quoted(listenerUser)];
  await client.query(`
    GRANT CONNECT, CREATE ON DATABASE ${quoted(database)} TO ${migrator};
    GRANT CONNECT ON DATABASE ${quoted(database)} TO ${listener};
    GRANT ${SIGNS_IN_BY_IAM} TO ${migrator}, ${listener};
  `);
  await requireRights(client, user, listenerUser);
  await client.query('COMMIT');
  return made;
}

/** A role that others made is taken, unless it administers the server: then a leak would be that. */
async function createRole(client: pg.Client, name: string): Promise<Made> {
  const { rows } = await client.query<{ signs_in: boolean; administers: boolean }>(
    `SELECT rolcanlogin AS signs_in,
       rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR EXISTS (
         SELECT FROM pg_roles AS administrators
         WHERE administrators.rolname = 'rds_superuser'
           AND pg_has_role(roles.oid, administrators.oid, 'MEMBER')
       ) AS administers
     FROM pg_roles AS roles WHERE rolname = $1`,
    [name],
  );
  const [role] = rows;
  if (role?.administers) {
    throw new BootstrapError(
      `the role ${JSON.stringify(name)} exists and administers the server; take those attributes from it, or name another role`,
    );
  }
  if (role === undefined) {
    await client.query(`CREATE ROLE ${quoted(name)} LOGIN`);
    return [`role ${name}`];
  }
  if (!role.signs_in) await client.query(`ALTER ROLE ${quoted(name)} LOGIN`);
  return [];
}

async function requireRole(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount !== 0) return;
  throw new BootstrapError(
    `the server has no role ${name}: it is not Amazon RDS for PostgreSQL or Aurora PostgreSQL`,
  );
}

/** Where the master owns neither database nor schema, GRANT ends with a warning and grants nothing. */
async function requireRights(client: pg.Client, migrator: string, listener: string): Promise<void> {
  const { rows } = await client.query<{ lacking: string }>(
    `SELECT lacking FROM (VALUES
       (has_database_privilege($1, current_database(), 'CREATE'), 'CREATE on the database for ' || $1),
       (has_database_privilege($2, current_database(), 'CONNECT'), 'CONNECT to the database for ' || $2)
     ) AS rights (granted, lacking) WHERE NOT granted`,
    [migrator, listener],
  );
  if (rows.length === 0) return;
  throw new BootstrapError(
    `the master user can't grant ${rows.map(({ lacking }) => lacking).join(', ')}: others own it; its owner must grant that, or own the database as the master user`,
  );
}

/** Says who lacks the right: the advice of every other command is about DB_USER. */
function explained(error: unknown, { user }: Master): unknown {
  if (sqlStateOf(error) !== '42501' || !(error instanceof Error)) return error;
  return new BootstrapError(
    `the master user ${JSON.stringify(user)} may not do that: ${error.message}; name another role or database, or let its owner grant that`,
    { cause: error },
  );
}
