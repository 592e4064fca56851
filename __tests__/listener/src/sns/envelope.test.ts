import { describe, expect, it } from 'vitest';
import { ListenerError } from '../../../../listener/src/errors.ts';
import { parseEnvelope } from '../../../../listener/src/sns/envelope.ts';

const wireNotification = {
  Type: 'Notification',
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  TopicArn: 'arn:aws:sns:us-west-2:123456789012:MyTopic',
  Subject: 'My First Message',
  Message: 'Hello world!',
  Timestamp: '2026-11-24T08:00:00.123Z',
  SignatureVersion: '2',
  Signature: 'c2lnbmF0dXJl',
  SigningCertURL: 'https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem',
  UnsubscribeURL: 'https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe',
};

const wireConfirmation = {
  ...wireNotification,
  Type: 'SubscriptionConfirmation',
  Subject: undefined,
  Token: '2336412f37f',
  SubscribeURL: 'https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription',
};

function parse(fields: object) {
  return parseEnvelope(JSON.stringify(fields));
}

function errorOf(body: string): ListenerError {
  try {
    parseEnvelope(body);
  } catch (error) {
    if (error instanceof ListenerError) {
      return error;
    }
  }
  throw new Error('there was no ListenerError');
}

describe('parseEnvelope', () => {
  it('reads a notification', () => {
    expect(parse(wireNotification)).toStrictEqual({
      type: 'Notification',
      messageId: wireNotification.MessageId,
      topicArn: wireNotification.TopicArn,
      subject: 'My First Message',
      message: 'Hello world!',
      timestamp: '2026-11-24T08:00:00.123Z',
      signatureVersion: '2',
      signature: 'c2lnbmF0dXJl',
      signingCertUrl: wireNotification.SigningCertURL,
    });
  });

  it.each(['SubscriptionConfirmation', 'UnsubscribeConfirmation'])('reads a %s', (Type) => {
    expect(parse({ ...wireConfirmation, Type })).toMatchObject({
      type: Type,
      token: '2336412f37f',
      subscribeUrl: wireConfirmation.SubscribeURL,
    });
  });

  it.each([undefined, null, ''])('takes the subject %j for absent', (Subject) => {
    expect(parse({ ...wireNotification, Subject })).not.toHaveProperty('subject');
  });

  it('takes a time without milliseconds', () => {
    const Timestamp = '2026-11-24T08:00:00Z';

    expect(parse({ ...wireNotification, Timestamp })).toMatchObject({ timestamp: Timestamp });
  });

  it('ignores fields that it does not know', () => {
    expect(parse({ ...wireNotification, Token: '', extra: [1] })).not.toHaveProperty('extra');
  });

  it('lets the last of two equal keys count', () => {
    const body = JSON.stringify(wireNotification).replace('{', '{"Message":"first",');

    expect(parseEnvelope(body).message).toBe('Hello world!');
  });

  it('takes no field from the prototype', () => {
    const { MessageId, ...rest } = wireNotification;
    const body = JSON.stringify(rest).replace('{', `{"__proto__":{"MessageId":"${MessageId}"},`);

    expect(errorOf(body).message).toContain('MessageId is missing');
  });
});

describe('a body that is not an SNS message', () => {
  it.each(['', 'hello', '{', '{"Type":"Notification"', 'a=b&c=d'])(
    'refuses %j as no JSON',
    (body) => {
      expect(errorOf(body).code).toBe('body_not_json');
    },
  );

  it('does not repeat the body in the error', () => {
    expect(errorOf('{"Token":"secret-token"').message).not.toContain('secret');
  });

  it.each(['null', '1', '"Notification"', '[]', 'true'])('refuses %s as no object', (body) => {
    expect(errorOf(body).code).toBe('envelope_invalid');
  });

  it.each([undefined, null, 1, [], {}, '', 'notification', 'toString', 'x'.repeat(5000)])(
    'refuses the type %j',
    (Type) => {
      const error = errorOf(JSON.stringify({ ...wireNotification, Type }));

      expect(error.message).toContain('allowed are Notification, SubscriptionConfirmation');
    },
  );

  it('names all problems at once', () => {
    const body = JSON.stringify({
      ...wireNotification,
      MessageId: 1,
      Signature: '!',
      Message: null,
    });

    expect(errorOf(body).details.problems).toBe(
      'MessageId is of type number, a string is needed; Message is null, a string is needed; ' +
        'Signature is not base64',
    );
  });

  it.each([
    ['MessageId', 'a b', 'MessageId is not letters, digits, "-" and "_"'],
    ['MessageId', 'a'.repeat(101), 'MessageId has 101 characters, at most 100 are allowed'],
    ['TopicArn', 'arn:aws:sns:x\n', 'TopicArn is not an ARN'],
    ['Message', '', 'Message is empty'],
    ['Message', 'a'.repeat(262_145), 'Message has 262145 characters, at most 262144 are allowed'],
    ['Timestamp', 'now', 'Timestamp is not a time like 2026-11-24T08:00:00.000Z'],
    ['Timestamp', '2026-11-24T08:00:00+02:00', 'Timestamp is not a time like'],
    ['Timestamp', '2026-13-24T08:00:00Z', 'Timestamp is not a calendar date'],
    ['SignatureVersion', 2, 'SignatureVersion is of type number, a string is needed'],
    ['Signature', 'abc', 'Signature is not base64'],
    ['Signature', 'A'.repeat(4096), 'Signature has 4096 characters'],
    ['SigningCertURL', undefined, 'SigningCertURL is missing'],
    ['SigningCertURL', ['https://x'], 'SigningCertURL is a list, a string is needed'],
    ['Subject', 7, 'Subject is of type number, a string is needed'],
    ['Subject', 'a'.repeat(1025), 'Subject has 1025 characters, at most 1024 are allowed'],
  ])('refuses %s with its own reason (%#)', (name, value, problem) => {
    const error = errorOf(JSON.stringify({ ...wireNotification, [name]: value }));

    expect(error.code).toBe('envelope_invalid');
    expect(error.details.problems).toContain(problem);
  });

  it.each(['Token', 'SubscribeURL'])('needs %s in a confirmation', (name) => {
    const error = errorOf(JSON.stringify({ ...wireConfirmation, [name]: undefined }));

    expect(error.details.problems).toBe(`${name} is missing, a string is needed`);
  });

  it('survives a document that is nested a hundred thousand deep', () => {
    expect(errorOf('[{"a":'.repeat(50_000)).code).toBe('body_not_json');
    expect(errorOf('['.repeat(100_000) + ']'.repeat(100_000)).code).toBe('envelope_invalid');
  });
});
