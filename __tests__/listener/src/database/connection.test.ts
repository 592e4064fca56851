import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect, type Database } from '../../../../listener/src/database/connection.ts';
import { meansUnavailable } from '../../../../listener/src/database/unavailable.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

const opened: Database[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.destroy()));
});

function open(...parameters: Parameters<typeof connect>): Database {
  const database = connect(...parameters);
  opened.push(database);
  return database;
}

async function unavailable(work: Promise<unknown>): Promise<boolean> {
  return work.then(() => false, meansUnavailable);
}

test('the name of the application and the time-outs reach the server', async () => {
  const database = open({ ...given.config, statementTimeoutMs: 1234 }, 'file-processing worker');
  const { rows } = await database.raw(
    "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS t",
  );
  expect(rows).toEqual([{ name: 'file-processing worker', t: '1234ms' }]);
});

test('counts are numbers', async () => {
  const { rows } = await given.database.raw('SELECT count(*) AS count FROM runs');
  expect(rows).toEqual([{ count: 0 }]);
});

test('an exhausted pool means that the database is not available', async () => {
  const database = open({ ...given.config, poolSize: 2, connectTimeoutMs: 2_000 });
  const holders = await Promise.all([database.transaction(), database.transaction()]);
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
  await Promise.all(holders.map((holder) => holder.rollback()));
});

test('a statement over its time means that the database is not available', async () => {
  const database = open({ ...given.config, statementTimeoutMs: 20 });
  expect(await unavailable(database.raw('SELECT pg_sleep(30)'))).toBe(true);
});

test('a port where nobody listens means that the database is not available', async () => {
  const database = open({ ...given.config, port: await closedPort() });
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
});

test('a server that never answers means that the database is not available', async () => {
  const { server, port } = await silentServer();
  const database = open({ ...given.config, port, connectTimeoutMs: 50 });
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
  server.close();
});

test('a connection that the server ends means that the database is not available', async () => {
  const query = given.database.raw('SELECT pg_terminate_backend(pg_backend_pid())');
  expect(await unavailable(query)).toBe(true);
});

test('the pool gets over a connection that the server ended', async () => {
  const database = open({ ...given.config, poolSize: 2 });
  await unavailable(database.raw('SELECT pg_terminate_backend(pg_backend_pid())'));
  // The end of the socket may come after the error.
  await eventually(() => database.raw('SELECT 1'));
});

test('a server without TLS is refused when TLS is asked for', async () => {
  const database = open({ ...given.config, sslMode: 'require' });
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
});

async function silentServer(): Promise<{ server: Server; port: number }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

async function closedPort(): Promise<number> {
  const { server, port } = await silentServer();
  server.close();
  await once(server, 'close');
  return port;
}
