import { Agent } from 'node:http';
import type { SignedMessage, UnsignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { type DeliveryAttempt, type DeliveryFault, deliver, type RetryPolicy } from './delivery.ts';
import { type Signer, signMessage } from './message.ts';

/** A message that no endpoint took. */
export interface DeadLetter {
  readonly subscriptionArn: string;
  readonly message: SignedMessage;
}

/** Decides what goes wrong with an attempt to deliver, which is counted from 1. */
export type FaultFor = (message: SignedMessage, attempt: number) => DeliveryFault | undefined;

/** Signs messages and delivers them until they are taken or dead. */
export interface Sender {
  /** Every try to deliver, in order. */
  readonly attempts: readonly DeliveryAttempt[];
  readonly deadLetters: readonly DeadLetter[];
  /** @returns whether the endpoint took it */
  send(
    subscription: { readonly arn: string; readonly endpoint: string },
    message: UnsignedMessage,
  ): Promise<boolean>;
  /** What goes wrong from now on. */
  injectFaults(faultFor: FaultFor): void;
  /** Ends deliveries, also those that wait for a retry. */
  close(): Promise<void>;
}

/**
 * Makes a sender.
 *
 * @param signer - called for each message, so that a new key counts from the next one on
 */
export function createSender(policy: RetryPolicy, signer: () => Signer): Sender {
  const attempts: DeliveryAttempt[] = [];
  const deadLetters: DeadLetter[] = [];
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  let faultFor: FaultFor = () => undefined;

  return {
    attempts,
    deadLetters,

    async send({ arn, endpoint }, message) {
      const signed = signMessage(message, signer());
      const delivery = deliver(signed, {
        endpoint,
        subscriptionArn: message.Type === 'SubscriptionConfirmation' ? undefined : arn,
        policy,
        agent,
        signal: closing.signal,
        faultFor: (...about) => faultFor(...about),
        onAttempt: (attempt) => attempts.push(attempt),
      }).catch((error: unknown) => {
        if (closing.signal.aborted) {
          return false;
        }
        throw error;
      });
      running.add(delivery);
      const isTaken = await delivery.finally(() => running.delete(delivery));
      if (!isTaken && !closing.signal.aborted) {
        deadLetters.push({ subscriptionArn: arn, message: signed });
      }
      return isTaken;
    },

    injectFaults(newFaultFor) {
      faultFor = newFaultFor;
    },

    async close() {
      closing.abort();
      await Promise.all(running);
      agent.destroy();
    },
  };
}
