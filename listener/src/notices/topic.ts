import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { TopicArn } from '@file-processing/contract/arn.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import { recordedTraceparent } from '../tracing/tracing.ts';
import type { Notice } from './notice.ts';
import type { Outlet } from './outlet.ts';

/** Attributes that filter policies of subscriptions match: a loader takes what passed, and nothing else (Amazon SNS, "Subscription filter policies"). */
export function attributesOf({ data }: Notice) {
  const { state, verdict, client, mapping } = data;
  const texts = {
    ...{ state, verdict, client, mapping: mapping?.name ?? null },
    traceparent: recordedTraceparent() ?? null,
  };
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, value]) =>
      // SNS refuses an attribute without a value.
      value === null || value === '' ? [] : [[name, { DataType: 'String', StringValue: value }]],
    ),
  );
}

/** A topic that gets every change. */
export function topicOutlet(
  { arn, region }: TopicArn,
  client: Pick<SNSClient, 'send' | 'destroy'> = new SNSClient({
    region,
    // The outbox tries again.
    maxAttempts: 2,
    requestHandler: proxyAgents(),
  }),
): Outlet {
  return {
    way: 'sns',
    target: arn,
    async send({ notices: [notice] }, signal) {
      if (notice === undefined) return;
      const message = {
        TopicArn: arn,
        Message: JSON.stringify(notice),
        MessageAttributes: attributesOf(notice),
      };
      await client.send(new PublishCommand(message), { abortSignal: signal }).catch((error) => {
        // The message of an error of the SDK may quote the request.
        throw new Error(`SNS: ${error instanceof Error ? error.name : 'unknown'}`);
      });
    },
    close: () => client.destroy(),
  };
}
