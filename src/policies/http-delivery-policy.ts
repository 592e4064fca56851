/** How SNS retries a delivery over HTTP (Amazon SNS Developer Guide, "Creating an HTTP/S delivery policy"). */
export interface HttpRetrySettings {
  /** Shortest wait between two attempts, in seconds. */
  readonly minDelaySeconds: number;
  /** Longest wait between two attempts, in seconds. */
  readonly maxDelaySeconds: number;
  /** Attempts after the first one. */
  readonly retries: number;
  /** Most deliveries a second; 0 sets no limit. */
  readonly maxReceivesPerSecond: number;
}

/** The document that a subscription takes as its delivery policy. */
export interface HttpDeliveryPolicy {
  readonly healthyRetryPolicy: {
    readonly minDelayTarget: number;
    readonly maxDelayTarget: number;
    readonly numRetries: number;
    readonly numNoDelayRetries: number;
    readonly numMinDelayRetries: number;
    readonly numMaxDelayRetries: number;
    readonly backoffFunction: 'linear';
  };
  readonly throttlePolicy?: { readonly maxReceivesPerSecond: number };
}

/** SNS drops a message, or sends it to the dead-letter queue, after this many seconds of retries. */
export const LONGEST_RETRY_SECONDS = 3600;

/** Quick retries catch a pod that is being replaced, before the waits grow. */
const MIN_DELAY_RETRIES = 5;
const BACKOFF_RETRIES = 10;

/** A few retries at the shortest wait, a linear rise, and the rest at the longest wait. */
export function httpDeliveryPolicy(settings: HttpRetrySettings): HttpDeliveryPolicy {
  const { retries, maxReceivesPerSecond } = settings;
  const numMinDelayRetries = Math.min(MIN_DELAY_RETRIES, retries);
  return {
    healthyRetryPolicy: {
      minDelayTarget: settings.minDelaySeconds,
      maxDelayTarget: settings.maxDelaySeconds,
      numRetries: retries,
      numNoDelayRetries: 0,
      numMinDelayRetries,
      numMaxDelayRetries: Math.max(0, retries - numMinDelayRetries - BACKOFF_RETRIES),
      backoffFunction: 'linear',
    },
    ...(maxReceivesPerSecond > 0 && { throttlePolicy: { maxReceivesPerSecond } }),
  };
}

/** How long the retries of a policy take in all, in seconds. */
export function totalRetrySeconds({ healthyRetryPolicy: policy }: HttpDeliveryPolicy): number {
  const { minDelayTarget, maxDelayTarget, numRetries, numMinDelayRetries, numMaxDelayRetries } =
    policy;
  const backoffRetries = numRetries - numMinDelayRetries - numMaxDelayRetries;
  return Math.ceil(
    numMinDelayRetries * minDelayTarget +
      backoffRetries * ((minDelayTarget + maxDelayTarget) / 2) +
      numMaxDelayRetries * maxDelayTarget,
  );
}
