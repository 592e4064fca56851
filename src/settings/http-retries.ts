/** When SNS tries again to deliver a message over HTTP. */
export interface HttpRetrySettings {
  /** Shortest wait between two attempts, in seconds. */
  readonly minDelaySeconds: number;
  /** Longest wait between two attempts, in seconds. */
  readonly maxDelaySeconds: number;
  /** Attempts after the first one. */
  readonly retries: number;
}

/** How many attempts each phase of the retries has (Amazon SNS Developer Guide, "Message delivery retries"). */
export interface HttpRetryPhases {
  /** At the shortest wait: they catch a pod that is being replaced. */
  readonly minDelayRetries: number;
  /** While the wait grows from the shortest to the longest. */
  readonly backoffRetries: number;
  /** At the longest wait. */
  readonly maxDelayRetries: number;
}

/** SNS drops a message, or sends it to the dead-letter queue, after this many seconds of retries. */
export const LONGEST_RETRY_SECONDS = 3600;

const MIN_DELAY_RETRIES = 5;
const BACKOFF_RETRIES = 10;

/** A few retries at the shortest wait, a few while it grows, and the rest at the longest. */
export function httpRetryPhases(retries: number): HttpRetryPhases {
  const minDelayRetries = Math.min(MIN_DELAY_RETRIES, retries);
  const backoffRetries = Math.min(BACKOFF_RETRIES, retries - minDelayRetries);
  return {
    minDelayRetries,
    backoffRetries,
    maxDelayRetries: retries - minDelayRetries - backoffRetries,
  };
}

/** How long the retries take in all, in seconds. */
export function totalRetrySeconds(settings: HttpRetrySettings): number {
  const { minDelaySeconds, maxDelaySeconds, retries } = settings;
  const { minDelayRetries, backoffRetries, maxDelayRetries } = httpRetryPhases(retries);
  return Math.ceil(
    minDelayRetries * minDelaySeconds +
      backoffRetries * ((minDelaySeconds + maxDelaySeconds) / 2) +
      maxDelayRetries * maxDelaySeconds,
  );
}
