import { beforeAll, describe, expect, it } from 'vitest';
import type { SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import type { IntakeResult } from '../../../../listener/src/http/sns-delivery.ts';
import { eventually } from '../../../support/eventually.ts';
import {
  requestsWith,
  startTestListener,
  type TestListener,
  testKey,
} from '../../support/sns-listener.ts';
import { confirmation, notification, signed, topicArn } from '../../support/sns-messages.ts';

let key: SigningKey;

beforeAll(async () => {
  key = await testKey();
});

async function withListener(use: (listener: TestListener) => Promise<void>): Promise<void> {
  const listener = await startTestListener(key);
  try {
    await use(listener);
  } finally {
    await listener.close();
  }
}

describe('the log', () => {
  it('has one line with the ids of an accepted message', () =>
    withListener(async (listener) => {
      const message = notification();
      await listener.post(signed(message, key, { certificateUrl: listener.certificateUrl }));

      expect(listener.lines).toEqual([
        expect.objectContaining({
          level: 30,
          messageId: message.MessageId,
          topicArn,
          type: 'Notification',
          outcome: 'accepted',
          runIds: ['run-1'],
          msg: 'message taken',
        }),
      ]);
    }));

  it('says why a message is ignored, and the answer does not', async () => {
    const ignored: IntakeResult = { outcome: 'ignored', runIds: [], reason: 'another bucket' };
    const listener = await startTestListener(key, {
      intake: { acceptNotification: async () => ignored },
    });
    const message = signed(notification(), key, { certificateUrl: listener.certificateUrl });
    expect(await (await listener.post(message)).json()).toStrictEqual({
      outcome: 'ignored',
      runIds: [],
    });
    expect(listener.lines).toEqual([expect.objectContaining(ignored)]);
    await listener.close();
  });

  it('has an error for a genuine message that could not be read', async () => {
    const dead: IntakeResult = { outcome: 'dead', runIds: [], reason: 'Records is not a list' };
    const listener = await startTestListener(key, {
      intake: { acceptNotification: async () => dead },
    });
    const message = signed(notification(), key, { certificateUrl: listener.certificateUrl });
    expect((await listener.post(message)).status).toBe(200);
    const messageId = message.MessageId;
    expect(listener.lines).toEqual([expect.objectContaining({ level: 50, messageId, ...dead })]);
    await listener.close();
  });

  it('has a line with ids and code of a refused message', () =>
    withListener(async (listener) => {
      const message = { ...signed(notification(), key), SigningCertURL: listener.certificateUrl };
      await listener.post({ ...message, Message: 'forged-content' });

      expect(listener.lines).toEqual([
        expect.objectContaining({
          level: 40,
          code: 'signature_invalid',
          messageId: message.MessageId,
        }),
      ]);
    }));

  it('never has a body, a token, a signature or a SubscribeURL', () =>
    withListener(async (listener) => {
      const certificateUrl = listener.certificateUrl;
      const secrets = {
        Token: 'secret-token',
        SubscribeURL: 'https://secret-url',
        Message: 'secret-message',
      };
      for (const message of [
        notification({ Message: 'secret-message', Subject: 'secret-subject' }),
        confirmation(secrets),
        confirmation({ ...secrets, Type: 'UnsubscribeConfirmation' }),
      ]) {
        const genuine = signed(message, key, { certificateUrl });
        await listener.post(genuine);
        await listener.post({ ...genuine, Message: 'secret-forgery' });
        await listener.post({ ...genuine, MessageId: 'not an id' });
        await listener.post({ ...genuine, Signature: 'secret-signature!' });
      }

      expect(listener.lines.length).toBeGreaterThanOrEqual(12);
      expect(JSON.stringify(listener.lines)).not.toContain('secret');
    }));

  it('says loudly that a subscription has ended', () =>
    withListener(async (listener) => {
      const message = confirmation({ Type: 'UnsubscribeConfirmation' });
      await listener.post(signed(message, key, { certificateUrl: listener.certificateUrl }));

      expect(listener.lines[0]).toMatchObject({
        level: 50,
        topicArn,
        msg: expect.stringContaining('the subscription has ended'),
      });
    }));
});

describe('the answer', () => {
  it('names outcome and runs', () =>
    withListener(async (listener) => {
      const message = signed(notification(), key, { certificateUrl: listener.certificateUrl });

      const response = await listener.post(message);

      expect(await response.json()).toStrictEqual({ outcome: 'accepted', runIds: ['run-1'] });
    }));

  it('fetches the certificate once for many messages at a time', () =>
    withListener(async (listener) => {
      const message = signed(notification(), key, { certificateUrl: listener.certificateUrl });

      const responses = await Promise.all(Array.from({ length: 20 }, () => listener.post(message)));

      expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(listener.certificateRequests).toHaveLength(1);
    }));
});

describe('a message that is taken after its deadline', () => {
  it('is logged with its outcome, but counted once', async () => {
    const commit = Promise.withResolvers<IntakeResult>();
    const listener = await startTestListener(key, {
      app: { answerMilliseconds: 1_000 },
      intake: { acceptNotification: () => commit.promise },
    });
    const message = signed(notification(), key, { certificateUrl: listener.certificateUrl });

    expect((await listener.post(message)).status).toBe(503);
    commit.resolve({ outcome: 'accepted', runIds: ['run-1'] });
    await eventually(() => {
      expect(listener.lines.at(-1)).toMatchObject({ msg: 'message taken', outcome: 'accepted' });
    });

    expect(await requestsWith(listener.metrics, 'deadline_exceeded')).toBe(1);
    expect(await requestsWith(listener.metrics, 'accepted')).toBe(0);
    await listener.close();
  });
});
