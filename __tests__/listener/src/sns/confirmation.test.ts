import { text } from 'node:stream/consumers';
import { SNSClient } from '@aws-sdk/client-sns';
import { afterEach, describe, expect, it } from 'vitest';
import { createConfirmer, createSnsClients } from '../../../../listener/src/sns/confirmation.ts';
import { type Confirmation, parseEnvelope } from '../../../../listener/src/sns/envelope.ts';
import { confirmation, topicArn, topicOf } from '../../support/sns-messages.ts';
import { startTestServer, type TestServer } from '../../support/sns-sockets.ts';

const topic = topicOf(topicArn);
const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function envelope(): Confirmation {
  const wire = {
    ...confirmation(),
    SignatureVersion: '2',
    Signature: 'AAAA',
    SigningCertURL: 'https://x',
  };
  const parsed = parseEnvelope(JSON.stringify(wire));
  if (parsed.type === 'Notification') {
    throw new Error('not a confirmation');
  }
  return parsed;
}

/** The SDK's own client, at an endpoint that answers as given and remembers the forms. */
async function clientAt(status: number, body: string) {
  const forms: URLSearchParams[] = [];
  const server = await startTestServer(async (request, response) => {
    forms.push(new URLSearchParams(await text(request)));
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  servers.push(server);
  const client = new SNSClient({
    region: topic.region,
    endpoint: server.origin,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return { client, forms };
}

const success =
  '<ConfirmSubscriptionResponse><ConfirmSubscriptionResult><SubscriptionArn>arn:sub</SubscriptionArn>' +
  '</ConfirmSubscriptionResult></ConfirmSubscriptionResponse>';

function failure(message: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>${message}</Message></Error></ErrorResponse>`;
}

describe('confirm', () => {
  it('calls ConfirmSubscription with the topic, the token and AuthenticateOnUnsubscribe', async () => {
    const { client, forms } = await clientAt(200, success);

    expect(await createConfirmer(() => client).confirm(envelope(), topic)).toBe('arn:sub');
    expect(forms.map((form) => Object.fromEntries(form))).toStrictEqual([
      {
        Action: 'ConfirmSubscription',
        Version: '2010-03-31',
        TopicArn: topicArn,
        Token: '233641233797a0f0',
        AuthenticateOnUnsubscribe: 'true',
      },
    ]);
  });

  it("asks for the client of the topic's region", async () => {
    const { client } = await clientAt(200, success);
    const regions: string[] = [];

    await createConfirmer((region) => {
      regions.push(region);
      return client;
    }).confirm(envelope(), topic);

    expect(regions).toEqual(['us-gov-west-1']);
  });

  it('turns an error of AWS into one that SNS tries again, without the token', async () => {
    const { client } = await clientAt(400, failure('Invalid token 233641233797a0f0'));

    const error = await createConfirmer(() => client)
      .confirm(envelope(), topic)
      .catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: 'confirmation_failed', status: 503 });
    expect(error).not.toHaveProperty('cause');
    expect(String(error)).toContain('Invalid token <token>');
  });

  it('ends when its signal does', async () => {
    const { client, forms } = await clientAt(200, success);

    await expect(
      createConfirmer(() => client).confirm(envelope(), topic, AbortSignal.abort()),
    ).rejects.toMatchObject({ code: 'confirmation_failed' });
    expect(forms).toEqual([]);
  });
});

describe('createSnsClients', () => {
  it('makes one client a region', async () => {
    const clientFor = createSnsClients();

    expect(clientFor('us-gov-west-1')).toBe(clientFor('us-gov-west-1'));
    expect(await clientFor('us-gov-west-1').config.region()).toBe('us-gov-west-1');
    expect(await clientFor('cn-north-1').config.region()).toBe('cn-north-1');
  });
});
