import { type HttpRetrySettings, httpRetryPhases } from '../settings/http-retries.ts';

/** How SNS delivers over HTTP. */
export interface HttpDeliverySettings extends HttpRetrySettings {
  /** Most deliveries a second; 0 sets no limit. */
  readonly maxReceivesPerSecond: number;
}

/** The document that a subscription takes (Amazon SNS Developer Guide, "Creating an HTTP/S delivery policy"). */
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

/** Writes the settings as SNS wants them. */
export function httpDeliveryPolicy(settings: HttpDeliverySettings): HttpDeliveryPolicy {
  const { retries, maxReceivesPerSecond } = settings;
  const { minDelayRetries, maxDelayRetries } = httpRetryPhases(retries);
  return {
    healthyRetryPolicy: {
      minDelayTarget: settings.minDelaySeconds,
      maxDelayTarget: settings.maxDelaySeconds,
      numRetries: retries,
      numNoDelayRetries: 0,
      numMinDelayRetries: minDelayRetries,
      numMaxDelayRetries: maxDelayRetries,
      backoffFunction: 'linear',
    },
    ...(maxReceivesPerSecond > 0 && { throttlePolicy: { maxReceivesPerSecond } }),
  };
}
