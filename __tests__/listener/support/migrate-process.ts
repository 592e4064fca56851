import { migrate } from '../../../listener/src/database/migrate.ts';
import { databaseConfigOf } from './database-config.ts';

/** A process of its own that migrates the database at its first argument and sends what ran. */
const url = process.argv[2] ?? '';
process.send?.(await migrate(databaseConfigOf(url, new URL(url).pathname.slice(1))));
process.disconnect?.();
