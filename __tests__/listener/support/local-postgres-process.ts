import { startLocalPostgres } from '../../../listener/local/postgres/local-postgres.ts';

/** A process of its own that starts the local PostgreSQL, says how it went, and waits to be killed. */
const postgres = await startLocalPostgres({ folder: process.argv[2] ?? '' });
process.send?.({ url: postgres.url, outcome: postgres.outcome });
