import { describe, expect, it } from 'vitest';
import type { Confirmation, Notification } from '../../../../listener/src/sns/envelope.ts';
import { stringToSign } from '../../../../listener/src/sns/string-to-sign.ts';

const notification: Notification = {
  type: 'Notification',
  messageId: 'id-1',
  topicArn: 'arn:topic',
  subject: 'Über',
  message: 'two\nlines',
  timestamp: '2026-11-24T08:00:00.000Z',
  signatureVersion: '2',
  signature: 'AA==',
  signingCertUrl: 'https://certificate',
};

const confirmation: Confirmation = {
  ...notification,
  type: 'UnsubscribeConfirmation',
  token: 'token-1',
  subscribeUrl: 'https://subscribe',
};

describe('stringToSign', () => {
  it('lists the fields of a notification by name', () => {
    expect(stringToSign(notification)).toBe(
      'Message\ntwo\nlines\nMessageId\nid-1\nSubject\nÜber\n' +
        'Timestamp\n2026-11-24T08:00:00.000Z\nTopicArn\narn:topic\nType\nNotification\n',
    );
  });

  it('leaves an absent subject out', () => {
    expect(stringToSign({ ...notification, subject: undefined })).toBe(
      'Message\ntwo\nlines\nMessageId\nid-1\n' +
        'Timestamp\n2026-11-24T08:00:00.000Z\nTopicArn\narn:topic\nType\nNotification\n',
    );
  });

  it('lists token and SubscribeURL of a confirmation, and no subject', () => {
    expect(stringToSign(confirmation)).toBe(
      'Message\ntwo\nlines\nMessageId\nid-1\nSubscribeURL\nhttps://subscribe\n' +
        'Timestamp\n2026-11-24T08:00:00.000Z\nToken\ntoken-1\nTopicArn\narn:topic\n' +
        'Type\nUnsubscribeConfirmation\n',
    );
  });
});
