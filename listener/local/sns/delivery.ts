import { type Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type SignedMessage, SNS_HEADERS } from '@file-processing/contract/sns-envelope.ts';

/** When a delivery is tried again. */
export interface RetryPolicy {
  readonly retries: number;
  readonly intervalMilliseconds: number;
  /** How long an endpoint may take to answer. */
  readonly timeoutMilliseconds: number;
}

/** Amazon SNS developer guide, "Amazon SNS message delivery retries", default for HTTP. */
export const defaultRetryPolicy: RetryPolicy = {
  retries: 3,
  intervalMilliseconds: 20_000,
  timeoutMilliseconds: 15_000,
};

/** Something that goes wrong on the way; for tests. */
export type DeliveryFault =
  /** The connection ends in the middle of the body. */
  | { readonly kind: 'drop-request' }
  /** The endpoint gets the message and answers, but the answer is lost. */
  | { readonly kind: 'drop-answer' }
  /** The message is sent later. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The message is sent twice. */
  | { readonly kind: 'duplicate' };

/** One try to deliver a message. */
export interface DeliveryAttempt {
  readonly messageId: string;
  readonly endpoint: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Status of the answer; absent where there was none. */
  readonly status?: number;
  /** Why there was no answer. */
  readonly error?: string;
}

/** What a delivery works with. */
export interface DeliveryOptions {
  readonly endpoint: string;
  /** Absent until the subscription is confirmed. */
  readonly subscriptionArn?: string;
  readonly policy: RetryPolicy;
  readonly agent: Agent;
  /** Ends the delivery. */
  readonly signal: AbortSignal;
  /** Called before each attempt. */
  readonly faultFor: (message: SignedMessage, attempt: number) => DeliveryFault | undefined;
  /** Called after each attempt. */
  readonly onAttempt: (attempt: DeliveryAttempt) => void;
}

/**
 * Posts a message until the endpoint takes it, by the rules of Amazon SNS: 5xx, 429, a time-out and
 * a failed connection are tried again, any other answer but 2xx is final.
 *
 * @returns whether it was taken
 */
export async function deliver(message: SignedMessage, options: DeliveryOptions): Promise<boolean> {
  const { endpoint, policy, signal, faultFor, onAttempt } = options;
  for (let attempt = 1; attempt <= policy.retries + 1; attempt += 1) {
    if (attempt > 1) {
      await wait(policy.intervalMilliseconds, undefined, { signal });
    }
    const fault = faultFor(message, attempt);
    if (fault?.kind === 'delay') {
      await wait(fault.milliseconds, undefined, { signal });
    }
    const answer = await post(message, options, fault);
    onAttempt({ messageId: message.MessageId, endpoint, attempt, ...answer });
    if (answer.status !== undefined && answer.status >= 200 && answer.status < 300) {
      if (fault?.kind === 'duplicate') {
        const second = await post(message, options, undefined);
        onAttempt({ messageId: message.MessageId, endpoint, attempt, ...second });
      }
      return true;
    }
    if (!isRetried(answer.status)) {
      return false;
    }
  }
  return false;
}

function isRetried(status: number | undefined): boolean {
  return status === undefined || status === 429 || (status >= 500 && status < 600);
}

interface Answer {
  readonly status?: number;
  readonly error?: string;
}

function post(
  message: SignedMessage,
  { endpoint, subscriptionArn, policy, agent, signal }: DeliveryOptions,
  fault: DeliveryFault | undefined,
): Promise<Answer> {
  const body = Buffer.from(JSON.stringify(message, undefined, 2));
  return new Promise((resolve) => {
    const outgoing = request(endpoint, {
      method: 'POST',
      agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(policy.timeoutMilliseconds)]),
      headers: {
        [SNS_HEADERS.type]: message.Type,
        [SNS_HEADERS.messageId]: message.MessageId,
        [SNS_HEADERS.topicArn]: message.TopicArn,
        ...(subscriptionArn === undefined
          ? {}
          : { [SNS_HEADERS.subscriptionArn]: subscriptionArn }),
        'content-type': 'text/plain; charset=UTF-8',
        'content-length': body.length,
        'user-agent': 'Amazon Simple Notification Service Agent',
        'accept-encoding': 'gzip,deflate',
      },
    });
    outgoing.once('error', (error) => resolve({ error: error.message }));
    outgoing.once('response', (response) => {
      response.resume();
      response.once('error', (error) => resolve({ error: error.message }));
      response.once('end', () =>
        resolve(
          fault?.kind === 'drop-answer'
            ? { error: 'the answer was dropped' }
            : { status: response.statusCode },
        ),
      );
    });
    if (fault?.kind === 'drop-request') {
      const half = body.subarray(0, body.length >> 1);
      outgoing.write(half, () => outgoing.destroy(new Error('the request was dropped')));
    } else {
      outgoing.end(body);
    }
  });
}
