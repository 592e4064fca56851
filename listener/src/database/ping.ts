import type { Database } from './connection.ts';

/**
 * Whether the database answers within a time; what readiness is made of. Never rejects.
 *
 * @param timeoutMs waiting for a connection included
 */
export async function answers(database: Database, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  const answer = database.raw('SELECT 1').then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
