import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { objectCreatedEvent, S3_SUBJECT } from '@file-processing/contract/s3-event.ts';
import { type Signer, signMessage } from '../../listener/local/sns/message.ts';
import { makeSigningKey } from '../../listener/local/sns/signing-key.ts';

export const TOPIC_ARN = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic';

/** Signs messages, and serves the certificate that they name. */
export interface MessageSource {
  /** For AWS_ENDPOINT_URL_SNS. */
  readonly origin: string;
  /** PEM. */
  readonly certificate: string;
  /**
   * Notifications, each of its own message and object, as the bodies of deliveries.
   *
   * @param client - folder below the prefix. @default nm_albuquerque
   */
  make(count: number, sizeBytes?: number, client?: string): readonly Buffer[];
  close(): Promise<void>;
}

export async function openMessageSource(): Promise<MessageSource> {
  const { privateKey, certificate } = await makeSigningKey();
  const server = createServer((_request, response) => response.end(certificate));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const signer: Signer = {
    privateKey,
    certificateUrl: `${origin}/SimpleNotificationService-0.pem`,
    signatureVersion: '2',
  };
  return {
    origin,
    certificate,
    make: (count, sizeBytes = 1024, client = 'nm_albuquerque') =>
      Array.from({ length: count }, () => notification(signer, sizeBytes, client)),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Where the object of a delivery is. */
export function objectPathOf(body: Buffer): string {
  const [record] = JSON.parse(JSON.parse(body.toString()).Message).Records;
  return `${record.s3.bucket.name}/${record.s3.object.key}`;
}

function notification(signer: Signer, sizeBytes: number, client: string): Buffer {
  const messageId = randomUUID();
  const message = signMessage(
    {
      Type: 'Notification',
      MessageId: messageId,
      TopicArn: TOPIC_ARN,
      Subject: S3_SUBJECT,
      Message: s3Event(`from_client/${client}/${messageId}/Officer_Detail.csv`, sizeBytes),
      Timestamp: new Date().toISOString(),
      UnsubscribeURL: `${new URL(signer.certificateUrl).origin}/?Action=Unsubscribe`,
    },
    signer,
  );
  return Buffer.from(JSON.stringify(message));
}

/** As S3 writes it, with the parts that we do not read. */
function s3Event(key: string, sizeBytes: number): string {
  return JSON.stringify(
    objectCreatedEvent({
      bucket: 'etl-ba-research-client-etl',
      key,
      sizeBytes,
      eTag: 'd41d8cd98f00b204e9800998ecf8427e',
      sequencer: '00A1',
      region: 'us-gov-west-1',
      time: new Date(),
      sender: { name: 'file-processing', account: '123456789012' },
    }),
  );
}
