import { ConfirmSubscriptionCommand, SNSClient } from '@aws-sdk/client-sns';
import type { TopicArn } from '@file-processing/contract/arn.ts';
import type { ProxyAgents } from '../config/proxy-agents.ts';
import { ListenerError } from '../errors.ts';
import type { Confirmation } from './envelope.ts';

/** Confirms subscriptions. */
export interface Confirmer {
  /**
   * Confirms a subscription whose message is verified.
   *
   * @param envelope - the verified message; only its token is used
   * @param topic - the allow-listed topic, as the verifier returned it
   * @param signal - ends the call
   * @returns ARN of the subscription
   * @throws ListenerError `confirmation_failed`
   */
  confirm(envelope: Confirmation, topic: TopicArn, signal?: AbortSignal): Promise<string>;
}

/** The part of the SDK's client that is used. */
export type SnsConfirmationClient = Pick<SNSClient, 'send'>;

/**
 * Makes the confirmer. It calls ConfirmSubscription and never visits the SubscribeURL, which a
 * forged message would choose (CVE-2026-32096).
 *
 * `AuthenticateOnUnsubscribe` is always on: without it the UnsubscribeURL in each message lets
 * whoever holds it end the subscription.
 *
 * @param clientFor - the SNS client of a region
 */
export function createConfirmer(clientFor: (region: string) => SnsConfirmationClient): Confirmer {
  return {
    async confirm(envelope, topic, signal) {
      try {
        const answer = await clientFor(topic.region).send(
          new ConfirmSubscriptionCommand({
            TopicArn: topic.arn,
            Token: envelope.token,
            AuthenticateOnUnsubscribe: 'true',
          }),
          { abortSignal: signal },
        );
        return answer.SubscriptionArn ?? 'unknown';
      } catch (error) {
        throw new ListenerError(
          'confirmation_failed',
          { topicArn: topic.arn, reason: describeSdkError(error, envelope.token) },
          // No cause: an SDK error carries the request, and the request the token.
        );
      }
    },
  };
}

/**
 * Makes SNS clients, one per region. Credentials and `AWS_ENDPOINT_URL_SNS` come from the
 * environment, as the SDK reads them.
 *
 * @param agents - those of a proxy @default the SDK's own
 */
export function createSnsClients(agents: ProxyAgents = {}): (region: string) => SNSClient {
  const clients = new Map<string, SNSClient>();
  return (region) => {
    const known = clients.get(region);
    if (known !== undefined) {
      return known;
    }
    // Two attempts: the answer to SNS is due within seconds, and SNS itself tries again.
    const client = new SNSClient({ region, maxAttempts: 2, requestHandler: agents });
    clients.set(region, client);
    return client;
  };
}

function describeSdkError(error: unknown, token: string): string {
  if (!(error instanceof Error)) {
    return 'unknown';
  }
  return `${error.name}: ${error.message}`.replaceAll(token, '<token>');
}
