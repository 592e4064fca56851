import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import type { QueueDepth } from './dead-letter-queue.ts';

const BETWEEN_LOOKS_SECONDS = 10;

/**
 * For so long must a queue show nothing: its counts are approximate, and all zero for several minutes mean that it is
 * empty (Amazon SQS Developer Guide, "Confirming that a queue is empty").
 */
const QUIET_SECONDS = 180;

/** Messages that a queue has: those that wait, those that somebody reads, and those that are delayed. */
export function messagesIn({ messages = 0, inFlight = 0, delayed = 0 }: QueueDepth): number {
  return messages + inFlight + delayed;
}

/** The three counts in words; or why they are not known. */
export function depthText(depth: QueueDepth): string {
  const { messages, inFlight, delayed, problem } = depth;
  if (problem !== undefined) return `messages could not be counted: ${problem}`;
  return `${messagesIn(depth)} messages (${messages} waiting, ${inFlight} in flight, ${delayed} delayed)`;
}

/** Name of a queue by its ARN. */
export function queueName(arn: string): string {
  return arn.split(':').at(-1) ?? arn;
}

/**
 * Waits until a queue has shown no message for three minutes.
 *
 * @param look - reads the queue; undefined when there is none
 * @param seconds - how long it may show messages; 0 looks once before it gives up
 * @throws OperationError (EXIT.unavailable) with the counts when the time is over, or when they can't be read
 */
export async function waitUntilEmpty(
  { clock, stderr }: Pick<OperationContext, 'clock' | 'stderr'>,
  look: () => Promise<QueueDepth | undefined>,
  seconds: number,
): Promise<void> {
  let quiet = 0;
  for (let waited = 0; ; waited += BETWEEN_LOOKS_SECONDS) {
    const depth = await look();
    if (depth === undefined) return;
    const isQuiet = depth.problem === undefined && messagesIn(depth) === 0;
    if (isQuiet && quiet >= QUIET_SECONDS) return;
    if (depth.problem !== undefined || (!isQuiet && waited >= seconds)) {
      throw new OperationError(`${queueName(depth.arn)}: ${depthText(depth)}`, {
        next: 'see that the listener fetches (npm run manage -- rollout), then run the same command again, which goes on from here; --allow-message-loss does not wait',
        code: EXIT.unavailable,
      });
    }
    if (waited === 0 || isQuiet === (quiet === 0)) {
      stderr.write(
        `Waiting until ${queueName(depth.arn)} is empty for ${QUIET_SECONDS / 60} minutes: ${depthText(depth)}\n`,
      );
    }
    quiet = isQuiet ? quiet + BETWEEN_LOOKS_SECONDS : 0;
    await clock.sleep(BETWEEN_LOOKS_SECONDS * 1000);
  }
}
