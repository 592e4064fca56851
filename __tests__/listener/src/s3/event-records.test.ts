import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareSequencers, readS3Event } from '../../../../listener/src/s3/event-records.ts';
import { s3Event } from '../../support/sns-messages.ts';

const options = { reportPrefix: 'reports/' };

function read(event: unknown) {
  return readS3Event(typeof event === 'string' ? event : JSON.stringify(event), options);
}

function record(object: object, changes: object = {}) {
  return {
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'bucket' }, object },
    ...changes,
  };
}

function keyOf(encoded: string): unknown {
  const event = read({ Records: [record({ key: encoded })] });
  return event.kind === 'objects' ? event.objects[0]?.key : event;
}

describe('readS3Event', () => {
  it('reads all that a record of S3 says about its object', () => {
    expect(read(s3Event('in/Officer+Detail.csv'))).toEqual({
      kind: 'objects',
      objects: [
        {
          bucket: 'etl-ba-research-client-etl',
          key: 'in/Officer Detail.csv',
          eTag: 'd41d8cd98f00b204e9800998ecf8427e',
          sequencer: '00A1',
          sizeBytes: 1024,
          eventName: 'ObjectCreated:Put',
          eventTime: '2026-11-24T08:00:00.000Z',
          awsRegion: 'us-gov-west-1',
        },
      ],
      ignored: [],
    });
  });

  it('takes the shortest form without an event name for a delivery', () => {
    const event = read('{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k.csv"}}}]}');

    expect(event).toEqual({
      kind: 'objects',
      objects: [{ bucket: 'b', key: 'k.csv', eventName: 'ObjectCreated' }],
      ignored: [],
    });
  });

  it.each([
    ['a+b.csv', 'a b.csv'],
    ['a%20b.csv', 'a b.csv'],
    ['a%2Bb.csv', 'a+b.csv'],
    ['%C3%BCber/%E6%97%A5.csv', 'über/日.csv'],
    ['line%0Abreak.csv', 'line\nbreak.csv'],
    ['100%25.csv', '100%.csv'],
    ['über.csv', 'über.csv'],
  ])('decodes the key %s', (encoded, key) => {
    expect(keyOf(encoded)).toBe(key);
  });

  it('decodes whatever key was form-encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (key) => {
        fc.pre(!key.includes('\0') && Buffer.byteLength(key) <= 1024);
        const encoded = new URLSearchParams({ key }).toString().slice('key='.length);
        expect(keyOf(encoded)).toBe(key);
      }),
    );
  });

  it('reads every record of a message', () => {
    const event = read({ Records: [record({ key: 'a' }), record({ key: 'b' })] });

    expect(event).toMatchObject({ kind: 'objects', objects: [{ key: 'a' }, { key: 'b' }] });
  });

  it('treats null and the empty text of an emulator as not there', () => {
    const object = { key: 'k', versionId: null, eTag: '', sequencer: '', size: null };
    const event = read({ Records: [record(object, { eventTime: '', awsRegion: null })] });

    expect(event).toMatchObject({ kind: 'objects', objects: [{ key: 'k' }] });
    expect(event.kind === 'objects' && JSON.parse(JSON.stringify(event.objects[0]))).toEqual({
      bucket: 'bucket',
      key: 'k',
      eventName: 'ObjectCreated:Put',
    });
  });

  it('reads a field called like one of the prototype as missing', () => {
    expect(read('{"__proto__":{"Records":[{}]}}')).toEqual({
      kind: 'dead',
      reason: 'Records is missing',
    });
  });
});

describe('what is ignored', () => {
  it('ignores a test event', () => {
    const event = read({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' });

    expect(event).toEqual({ kind: 'ignored', reason: 's3:TestEvent' });
  });

  it.each([
    'ObjectRemoved:Delete',
    'ObjectRemoved:DeleteMarkerCreated',
    's3:ObjectRemoved:Delete',
    'ObjectRestore:Completed',
    'ObjectTagging:Put',
    'ObjectCreatedByNobody',
  ])('ignores %s', (eventName) => {
    const event = read({ Records: [record({ key: 'k' }, { eventName })] });

    expect(event).toEqual({
      kind: 'ignored',
      reason: `${eventName.replace('s3:', '')} is no delivery`,
    });
  });

  it('ignores our own reports, by the decoded key', () => {
    const event = read({ Records: [record({ key: 'reports%2Fa.json' })] });

    expect(event).toEqual({
      kind: 'ignored',
      reason: 'the key is under our report prefix reports/',
    });
  });

  it('ignores no key where there is no report prefix', () => {
    const message = JSON.stringify({ Records: [record({ key: 'a.csv' })] });

    expect(readS3Event(message, { reportPrefix: '' }).kind).toBe('objects');
  });

  it('ignores the marker of an empty folder', () => {
    expect(read({ Records: [record({ key: 'folder/', size: 0 })] }).kind).toBe('ignored');
  });

  it('names what it ignores beside a delivery', () => {
    const event = read({ Records: [record({ key: 'reports/a' }), record({ key: 'b' })] });

    expect(event).toMatchObject({
      kind: 'objects',
      objects: [{ key: 'b' }],
      ignored: [{ bucket: 'bucket', key: 'reports/a', eventName: 'ObjectCreated:Put' }],
    });
  });
});

describe('what is dead', () => {
  const at = 'Records[0].s3.object';
  it.each([
    ['no JSON', 'hello', 'Message is not JSON'],
    ['a list', '[]', 'Message is not a JSON object'],
    ['null', 'null', 'Message is not a JSON object'],
    ['no records', '{}', 'Records is missing'],
    ['records that are no list', '{"Records":{}}', 'Records is not a list'],
    ['an empty list', '{"Records":[]}', 'Records is empty'],
    ['a record that is no object', '{"Records":[1]}', 'Records[0] is not an object'],
    ['no s3', { Records: [{}] }, 'Records[0].s3 is missing'],
    ['no bucket', { Records: [{ s3: { object: {} } }] }, 'Records[0].s3.bucket is missing'],
    [
      'a bucket name that is a path',
      { Records: [{ s3: { bucket: { name: '../etc' }, object: { key: 'k' } } }] },
      'Records[0].s3.bucket.name is no bucket name',
    ],
    [
      'a bucket name with two dots',
      { Records: [{ s3: { bucket: { name: 'a..b' }, object: { key: 'k' } } }] },
      'Records[0].s3.bucket.name is no bucket name',
    ],
    ['no key', { Records: [record({})] }, `${at}.key is missing`],
    ['an empty key', { Records: [record({ key: '' })] }, `${at}.key is empty`],
    ['a key that is a number', { Records: [record({ key: 1 })] }, `${at}.key is not a text`],
    ...['%', '%2', '%zz', 'a%C3', '%ff', '%C0%80'].map((key): [string, object, string] => [
      `the key ${key}`,
      { Records: [record({ key })] },
      `${at}.key has a % that begins no character of UTF-8`,
    ]),
    ['NUL in the key', { Records: [record({ key: 'a%00' })] }, `${at}.key has a NUL character`],
    [
      'half a surrogate pair in the key',
      '{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"\\ud800"}}}]}',
      `${at}.key has half of a surrogate pair`,
    ],
    [
      'a key of 1,025 bytes',
      { Records: [record({ key: `${'ü'.repeat(512)}a` })] },
      `${at}.key is longer than 1024 bytes`,
    ],
    [
      'a very long key',
      { Records: [record({ key: 'a'.repeat(200_000) })] },
      `${at}.key is longer than 3072 characters`,
    ],
    [
      'a size that is a text',
      { Records: [record({ key: 'k', size: '1' })] },
      `${at}.size is not a whole number of bytes`,
    ],
    [
      'a negative size',
      { Records: [record({ key: 'k', size: -1 })] },
      `${at}.size is not a whole number of bytes`,
    ],
    [
      'a size beyond exact numbers',
      '{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k","size":1e300}}}]}',
      `${at}.size is not a whole number of bytes`,
    ],
    [
      'a sequencer that is not hexadecimal',
      { Records: [record({ key: 'k', sequencer: 'xyz' })] },
      `${at}.sequencer is not a hexadecimal number of at most 64 digits`,
    ],
    [
      'an event time that is none',
      { Records: [record({ key: 'k' }, { eventTime: 'yesterday' })] },
      'Records[0].eventTime is not a time in ISO 8601',
    ],
    [
      'an event name that is an object',
      { Records: [record({ key: 'k' }, { eventName: {} })] },
      'Records[0].eventName is not a text',
    ],
    [
      'one bad record among good ones',
      { Records: [record({ key: 'k' }), record({ key: '%' })] },
      'Records[1].s3.object.key has a % that begins no character of UTF-8',
    ],
    [
      'too many records',
      { Records: Array.from({ length: 1001 }, () => record({ key: 'k' })) },
      'Records has 1001 entries, at most 1000 are allowed',
    ],
    [
      'deep nesting',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      'Message is not a JSON object',
    ],
  ])('says what is wrong with %s', (_, event, reason) => {
    expect(read(event)).toEqual({ kind: 'dead', reason });
  });

  it('never throws, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.json(), (message) => {
        expect(['dead', 'ignored', 'objects']).toContain(readS3Event(message, options).kind);
      }),
    );
  });
});

describe('compareSequencers', () => {
  it.each([
    ['0055AED6DCD90281E5', '0055AED6DCD90281E6', -1],
    ['00b', '00A', 1],
    ['00A', '00a', 0],
    ['1', '1000', 0],
    ['1', '0FFF', 1],
    ['10', '1001', -1],
    ['1001', '10', 1],
    ['1000', '1', 0],
  ])('compares %s with %s', (left, right, order) => {
    expect(compareSequencers(left, right)).toBe(order);
  });

  it('orders a list from the oldest to the newest', () => {
    expect(['0B', '0A1', '0A'].sort(compareSequencers)).toEqual(['0A', '0A1', '0B']);
  });
});
