import { DatabaseUnavailableError, meansUnavailable } from '../database/unavailable.ts';

/**
 * Runs work on the database that somebody waits for. It may go on in the background after its time
 * is up; whoever asked has long been told to come again.
 *
 * @throws {DatabaseUnavailableError} when the time is up, or for any error that means it
 */
export async function withinDeadline<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expired.reject(new DatabaseUnavailableError(`no answer within ${deadlineMs} ms`)),
    deadlineMs,
  );
  try {
    return await Promise.race([work(), expired.promise]);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError || !meansUnavailable(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseUnavailableError(reason, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
