import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../../listener/src/cli/events.ts';
import { eventFor, readS3Events } from '../../../../src/operations/job/s3-events.ts';

const event = (key: unknown, bucket: unknown = 'drop-box') => ({
  Records: [{ s3: { bucket: { name: bucket }, object: { key } } }],
});

const EVENTS: readonly (readonly [string, string])[] = [
  ['an S3 event', JSON.stringify(event('a/b.csv'))],
  [
    'an SNS message',
    JSON.stringify({ Type: 'Notification', Message: JSON.stringify(event('a+b%2Bc.csv')) }),
  ],
  ['a list', JSON.stringify([event('a'), event('b')])],
  ['one a line', `${JSON.stringify(event('a'))}\n\n${JSON.stringify(event('b'))}\n`],
];

const NO_EVENTS: readonly (readonly [string, string, RegExp])[] = [
  ['no JSON', 'abc', /it is no JSON/],
  ['an empty text', '', /it is no JSON/],
  ['an object without Records', '{}', /Records, a list/],
  ['no record', '{"Records":[]}', /at least one entry/],
  [
    'a record without bucket and key',
    '{"Records":[{}]}',
    /Records\[0\]\.s3\.bucket\.name must be.*Records\[0\]\.s3\.object\.key must be/,
  ],
  ['a key that is a number', JSON.stringify(event(5)), /Records\[0\]\.s3\.object\.key/],
  ['a key that is badly encoded', JSON.stringify(event('%zz')), /Records\[0\]\.s3\.object\.key/],
  [
    'an SNS message about something else',
    '{"Message":"hello"}',
    /must be a JSON object with Records/,
  ],
  ['one bad event of two', JSON.stringify([event('a'), {}]), /event 2: it must be/],
];

describe('events', () => {
  it.each(EVENTS)('are read from %s, as the listener does', (_, text) => {
    const objects = readEvents(text, '').objects.map(({ bucket, key }) => ({ bucket, key }));
    expect(readS3Events(text)).toEqual(objects);
  });

  it.each(NO_EVENTS)('are not read from %s, no more than the listener does', (_, text, problem) => {
    expect(() => readEvents(text, '')).toThrow();
    expect(() => readS3Events(text)).toThrow(problem);
  });

  it.each(['{"Event":"s3:TestEvent"}', '[]'])('that announce nothing are refused: %s', (text) => {
    expect(() => readS3Events(text)).toThrow(/no S3 event/);
  });
});

it.each(['a.csv', 'a b+c/ü&%$(x).csv', "it's\n#1?.csv"])(
  'an event is made for the key %j',
  (key) => {
    expect(readS3Events(eventFor({ bucket: 'b', key }))).toEqual([{ bucket: 'b', key }]);
    expect(readEvents(eventFor({ bucket: 'box', key }), '').objects).toMatchObject([
      { bucket: 'box', key },
    ]);
  },
);
