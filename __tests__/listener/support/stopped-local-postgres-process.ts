import { startLocalPostgres } from '../../../listener/local/postgres/local-postgres.ts';

/** A process that starts the local PostgreSQL with given binaries, stops it, and has nothing else to do. */
const [, , folder = '', binaries = ''] = process.argv;
const postgres = await startLocalPostgres({ folder, binaries });
await postgres.stop();
