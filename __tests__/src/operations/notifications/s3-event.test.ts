import { expect, test } from 'vitest';
import { compareSequencers, readS3Event } from '../../../../listener/src/s3/event-records.ts';
import {
  formEncoded,
  objectCreatedEvent,
} from '../../../../src/operations/notifications/s3-event.ts';

const object = {
  bucket: 'client',
  key: 'from client/a+b/Größe (1).csv',
  region: 'us-gov-west-1',
  account: '123456789012',
  time: new Date('2026-01-02T03:04:05.678Z'),
};

test('the listener reads the event as it reads those of S3', () => {
  const facts = { size: 5, eTag: '0'.repeat(32), versionId: 'v1' };
  const event = objectCreatedEvent({ ...object, ...facts });
  expect(readS3Event(JSON.stringify(event), { reportPrefix: '' })).toEqual({
    kind: 'objects',
    ignored: [],
    objects: [
      {
        bucket: 'client',
        key: object.key,
        versionId: 'v1',
        eTag: facts.eTag,
        sizeBytes: 5,
        sequencer: '00695735A528697580',
        eventName: 'ObjectCreated:Put',
        eventTime: '2026-01-02T03:04:05.678Z',
        awsRegion: 'us-gov-west-1',
      },
    ],
  });
});

test.each([
  ['from_client/a.csv', 'from_client/a.csv'],
  ['two words.csv', 'two+words.csv'],
  ['plus+sign.csv', 'plus%2Bsign.csv'],
  ['Größe.csv', 'Gr%C3%B6%C3%9Fe.csv'],
  ['a=b&c.csv', 'a%3Db%26c.csv'],
  ['100%.csv', '100%25.csv'],
])('the key %s is written as a form would', (key, encoded) => {
  expect(formEncoded(key)).toBe(encoded);
});

test('a later event has a later sequencer', () => {
  const sequencer = (time: string) =>
    JSON.stringify(objectCreatedEvent({ ...object, time: new Date(time) })).match(
      /"sequencer":"([0-9A-F]{18})"/,
    )?.[1] ?? '';
  const times = [
    '2026-01-02T03:04:05.001Z',
    '2026-01-02T03:04:05.999Z',
    '2026-01-02T03:04:06.000Z',
  ];
  expect(times.map(sequencer).toSorted(compareSequencers)).toEqual(times.map(sequencer));
});
