import { EXIT } from '../exit-codes.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import { waitFor } from '../wait-for.ts';
import { startContainer } from './container.ts';
import { type Edge, findEdge } from './edge.ts';
import { type Candidate, isLoopback } from './endpoint.ts';

/** Seconds until LocalStack answers once its container runs. */
const START_SECONDS = 120;

/**
 * The LocalStack that answers; where none does and this machine is meant, it is started.
 *
 * @returns undefined in a dry run that would have to start it
 * @throws OperationError (unavailable) where it can't be started, or is to be elsewhere
 */
export async function runningEdge(
  context: OperationContext,
  places: readonly Candidate[],
  dryRun: boolean,
): Promise<Edge | undefined> {
  const running = await findEdge(places);
  if (running !== undefined) return running;
  const urls = places.map(({ url }) => url).join(' or ');
  if (!places.every(({ url }) => isLoopback(new URL(url).hostname))) {
    throw new OperationError(`no LocalStack answers at ${urls}`, {
      code: EXIT.unavailable,
      next: 'start it there: the compose file starts it only where this machine is meant',
    });
  }
  if (dryRun) return undefined;
  await startContainer(context);
  const started = await waitFor(context.clock, START_SECONDS, () => findEdge(places));
  if (started !== undefined) return started;
  throw new OperationError(
    `LocalStack was started, but does not answer at ${urls} after ${START_SECONDS} s`,
    { code: EXIT.unavailable, next: 'docker compose logs --tail 200 localstack' },
  );
}
