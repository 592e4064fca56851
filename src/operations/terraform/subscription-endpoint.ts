import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';

const BETWEEN_TRIES = 10_000;

/** How the endpoint is asked: a status means that it answers, an error says why it does not. */
export type Ask = (url: string) => Promise<number>;

/** Asks an endpoint over HTTP(S), with the certificates that SNS would accept; ten seconds at most. */
export const askEndpoint: Ask = async (url) => {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) });
  await response.body?.cancel();
  return response.status;
};

/**
 * Waits until the endpoint that SNS will post to answers: before that, the subscription could not be
 * confirmed. Any status below 500 is an answer, since only POST means something there.
 *
 * @param seconds - how long to wait; 0 asks once
 * @throws OperationError (EXIT.unavailable) with the last reason when the time is over
 */
export async function waitForEndpoint(
  { clock, stderr }: Pick<OperationContext, 'clock' | 'stderr'>,
  url: string,
  seconds: number,
  ask: Ask = askEndpoint,
): Promise<void> {
  const end = clock.now().getTime() + seconds * 1000;
  for (let first = true; ; first = false) {
    const reason = await reasonAgainst(url, ask);
    if (reason === undefined) return;
    if (clock.now().getTime() >= end) {
      throw new OperationError(`${url} did not answer within ${seconds} s: ${reason}`, {
        next: 'see that the name points at the load balancer (output load_balancer_hostname) and that the pods are ready (npm run manage -- rollout); then run apply again, which goes on from here',
        code: EXIT.unavailable,
      });
    }
    if (first) stderr.write(`Waiting for ${url} to answer: ${reason}\n`);
    await clock.sleep(BETWEEN_TRIES);
  }
}

async function reasonAgainst(url: string, ask: Ask): Promise<string | undefined> {
  try {
    const status = await ask(url);
    return status < 500 ? undefined : `status ${status}`;
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    // fetch says "fetch failed"; what failed is its cause.
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}
