import {
  type DeliveryBucket,
  type DeliveryFilter,
  objectCreatedEvent,
  readDeliveryBuckets,
  readS3Event,
  readS3Events,
  sequencerAt,
  unsignedEvent,
} from '@file-processing/contract/s3-event.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventOf } from '../listener/support/cli.ts';
import { eventBridgeEvent, s3Event } from '../listener/support/sns-messages.ts';

const EVERYTHING: DeliveryFilter = { buckets: [{ prefixes: [] }], reportPrefix: '' };
const options: DeliveryFilter = { ...EVERYTHING, reportPrefix: 'reports/' };

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
    expect(read(s3Event('in/Officer+Detail.csv'))).toStrictEqual({
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

    expect(event).toStrictEqual({
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

  it('reads every record of a message', () => {
    const event = read({ Records: [record({ key: 'a' }), record({ key: 'b' })] });

    expect(event).toMatchObject({ kind: 'objects', objects: [{ key: 'a' }, { key: 'b' }] });
  });

  it('treats null and the empty text of an emulator as not there', () => {
    const object = { key: 'k', versionId: null, eTag: '', sequencer: '', size: null };
    const event = read({ Records: [record(object, { eventTime: '', awsRegion: null })] });

    expect(event).toMatchObject({ kind: 'objects', objects: [{ key: 'k' }] });
    expect(event.kind === 'objects' && JSON.parse(JSON.stringify(event.objects[0]))).toStrictEqual({
      bucket: 'bucket',
      key: 'k',
      eventName: 'ObjectCreated:Put',
    });
  });

  it('reads a field called like one of the prototype as missing', () => {
    expect(read('{"__proto__":{"Records":[{}]}}')).toStrictEqual({
      kind: 'dead',
      reason: 'Records is missing',
    });
  });
});

describe('what is ignored', () => {
  it('ignores a test event', () => {
    const event = read({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' });

    expect(event).toStrictEqual({ kind: 'ignored', reason: 's3:TestEvent' });
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

    expect(event).toStrictEqual({
      kind: 'ignored',
      reason: `${eventName.replace('s3:', '')} is not a delivery`,
    });
  });

  it('ignores our own reports, by the decoded key', () => {
    const event = read({ Records: [record({ key: 'reports%2Fa.json' })] });

    expect(event).toStrictEqual({
      kind: 'ignored',
      reason: 'the key is under our report prefix reports/',
    });
  });

  it('ignores no key where there is no report prefix', () => {
    const message = JSON.stringify({ Records: [record({ key: 'a.csv' })] });

    expect(readS3Event(message, EVERYTHING).kind).toBe('objects');
  });

  it('ignores the marker of an empty folder', () => {
    expect(read({ Records: [record({ key: 'folder/', size: 0 })] }).kind).toBe('ignored');
  });

  it.each([
    ['bucket', { name: 'own' }, 'the bucket is bucket, not own'],
    [
      'key prefixes',
      { prefixes: ['a/', 'b/'] },
      'the key is below none of the key prefixes a/, b/',
    ],
    ['key suffix', { suffix: '.csv' }, 'the key does not end with .csv'],
  ])('ignores what another %s says', (_, bucket, reason) => {
    const message = JSON.stringify({ Records: [record({ key: 'c/a+b.txt' })] });
    const buckets = [{ prefixes: [], ...bucket }];

    expect(readS3Event(message, { ...options, buckets })).toStrictEqual({
      kind: 'ignored',
      reason,
    });
  });

  it('holds an object against its own bucket of several, and no other', () => {
    const message = JSON.stringify({ Records: [record({ key: 'b/a.csv' })] });
    const own = { name: 'bucket', prefixes: ['a/'] };
    const other = { name: 'other', prefixes: ['b/'] };
    const ignored = (...buckets: readonly DeliveryBucket[]) =>
      readS3Event(message, { ...options, buckets });

    expect(ignored(other, own)).toStrictEqual({
      kind: 'ignored',
      reason: 'the key is below none of the key prefixes a/',
    });
    expect(ignored(other, { ...own, prefixes: ['b/'] }).kind).toBe('objects');
    expect(ignored(other, { name: 'third', prefixes: [] })).toStrictEqual({
      kind: 'ignored',
      reason: 'the bucket is bucket, not one of other, third',
    });
  });

  it('takes what bucket, one of the key prefixes and the key suffix allow', () => {
    const message = JSON.stringify({ Records: [record({ key: 'b/a+b.csv' })] });
    const buckets = [{ name: 'bucket', prefixes: ['a/', 'b/'], suffix: '.csv' }];

    expect(readS3Event(message, { ...options, buckets }).kind).toBe('objects');
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

describe('a list of buckets', () => {
  it('is read with what it leaves out', () => {
    const text =
      '[{"name":"one","prefixes":["a/"],"suffix":".csv","account":"123456789012"},{"name":"two"}]';
    expect(readDeliveryBuckets(text)).toStrictEqual([
      { name: 'one', prefixes: ['a/'], suffix: '.csv', account: '123456789012' },
      { name: 'two', prefixes: [] },
    ]);
  });

  it.each([
    ['no JSON', 'one,two'],
    ['no list', '{"name":"one"}'],
    ['empty', '[]'],
    ['of texts', '["one"]'],
    ['without a name', '[{"prefixes":["a/"]}]'],
    ['with the name of no bucket', '[{"name":"One"}]'],
    ['with a name twice', '[{"name":"one"},{"name":"one"}]'],
    ['with prefixes that are not a list', '[{"name":"one","prefixes":"a/"}]'],
    ['with an empty prefix', '[{"name":"one","prefixes":[""]}]'],
    ['with an empty suffix', '[{"name":"one","suffix":""}]'],
    ['with an account of eleven digits', '[{"name":"one","account":"12345678901"}]'],
    ['with what is not known', '[{"name":"one","prefix":"a/"}]'],
  ])('is refused where it is %s', (_, text) => {
    expect(readDeliveryBuckets(text)).toBeUndefined();
  });
});

describe('what is dead', () => {
  const at = 'Records[0].s3.object';
  it.each([
    ['no JSON', 'hello', 'Message is not JSON'],
    ['a list', '[]', 'Message is not a JSON object'],
    ['null', 'null', 'Message is not a JSON object'],
    ['no records', '{}', 'Records is missing'],
    ['records that are not a list', '{"Records":{}}', 'Records is not a list'],
    ['an empty list', '{"Records":[]}', 'Records is empty'],
    ['a record that is not an object', '{"Records":[1]}', 'Records[0] is not an object'],
    ['no s3', { Records: [{}] }, 'Records[0].s3 is missing'],
    [
      'no bucket',
      { Records: [{ s3: { object: { key: 'k' } } }] },
      'Records[0].s3.bucket is missing',
    ],
    [
      'a bucket name that is a path',
      { Records: [{ s3: { bucket: { name: '../etc' }, object: { key: 'k' } } }] },
      'Records[0].s3.bucket.name is not a bucket name',
    ],
    [
      'a bucket name with two dots',
      { Records: [{ s3: { bucket: { name: 'a..b' }, object: { key: 'k' } } }] },
      'Records[0].s3.bucket.name is not a bucket name',
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
      'an event time that is not a time',
      { Records: [record({ key: 'k' }, { eventTime: 'yesterday' })] },
      'Records[0].eventTime is not a time in ISO 8601',
    ],
    [
      'an event name that is an object',
      { Records: [record({ key: 'k' }, { eventName: {} })] },
      'Records[0].eventName is not a text',
    ],
    [
      'all that is wrong with a record',
      { Records: [{ s3: { bucket: { name: '' }, object: { key: 1, size: -1 } } }] },
      'Records[0].s3.bucket.name is empty; Records[0].s3.object.key is not a text; Records[0].s3.object.size is not a whole number of bytes',
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
    expect(read(event)).toStrictEqual({ kind: 'dead', reason });
  });

  it('never throws, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.json(), (message) => {
        expect(['dead', 'ignored', 'objects']).toContain(readS3Event(message, options).kind);
      }),
    );
  });
});

describe('readS3Events', () => {
  const keysOf = (text: string) => readS3Events(text, options).objects.map(({ key }) => key);

  it.each([
    ['an S3 event', eventOf('bucket', 'a+b.csv', 'c%2Bd.csv'), ['a b.csv', 'c+d.csv']],
    ['an SNS message', JSON.stringify({ Message: eventOf('bucket', 'a') }), ['a']],
    ['a JSON list', `[${eventOf('bucket', 'a')}, ${eventOf('bucket', 'b')}]`, ['a', 'b']],
    [
      'an event over several lines',
      JSON.stringify(JSON.parse(eventOf('bucket', 'a')), null, 2),
      ['a'],
    ],
    ['one event a line', `${eventOf('bucket', 'a')}\r\n\n${eventOf('bucket', 'b')}\n`, ['a', 'b']],
    ['an empty list', '[]', []],
  ])('reads %s', (_, text, keys) => {
    expect(keysOf(text)).toStrictEqual(keys);
  });

  it('says why something is ignored', () => {
    expect(readS3Events(eventOf('bucket', 'reports/a.json'), options)).toStrictEqual({
      objects: [],
      ignored: ['the key is under our report prefix reports/'],
      problems: [],
    });
    expect(readS3Events(eventOf('bucket', 'reports/a', 'b'), options).ignored).toStrictEqual([
      'reports/a: the key is under our report prefix reports/',
    ]);
  });

  it.each([
    ['', /^it is not JSON/],
    ['no JSON', /^it is not JSON, neither as a whole nor by line \(.+\)$/],
    ['{}\n{', /^it is not JSON/],
    ['null', /^Message is not a JSON object$/],
    ['{"Message":"hello"}', /^Message is not JSON$/],
    ['{"Records":[]}', /^Records is empty$/],
    ['[{}, {"Records":[]}]', /^event 1: Records is missing; event 2: Records is empty$/],
  ])('finds no event in %j', (text, problem) => {
    const { objects, problems } = readS3Events(text, options);
    expect(objects).toStrictEqual([]);
    expect(problems.join('; ')).toMatch(problem);
  });
});

describe('objectCreatedEvent', () => {
  const created = {
    bucket: 'client',
    key: 'from client/a+b/Größe (1).csv',
    versionId: 'v1',
    eTag: '0'.repeat(32),
    sizeBytes: 5,
  };
  const time = new Date('2026-01-02T03:04:05.678Z');

  it('is read as the events of S3 are', () => {
    const event = objectCreatedEvent({
      ...created,
      region: 'us-gov-west-1',
      time,
      sequencer: sequencerAt(time),
      sender: { name: 'test', account: '123456789012' },
    });
    expect(readS3Event(JSON.stringify(event), EVERYTHING)).toStrictEqual({
      kind: 'objects',
      ignored: [],
      objects: [
        {
          ...created,
          sequencer: '00695735A528697580',
          eventName: 'ObjectCreated:Put',
          eventTime: '2026-01-02T03:04:05.678Z',
          awsRegion: 'us-gov-west-1',
        },
      ],
    });
  });

  it('says nothing of what is not given', () => {
    const event = JSON.stringify(objectCreatedEvent({ bucket: 'b', key: 'a b/c' }));
    expect(JSON.parse(event)).toStrictEqual({
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          eventName: 'ObjectCreated:Put',
          s3: { s3SchemaVersion: '1.0', bucket: { name: 'b' }, object: { key: 'a+b/c' } },
        },
      ],
    });
  });
});

it('gives a later time a later sequencer', () => {
  const times = [
    '2026-01-02T03:04:05.001Z',
    '2026-01-02T03:04:05.999Z',
    '2026-01-02T03:04:06.000Z',
  ];
  const sequencers = times.map((time) => sequencerAt(new Date(time)));
  expect(sequencers.toSorted()).toStrictEqual(sequencers);
});

describe('unsignedEvent', () => {
  const readUnsigned = (event: object) => unsignedEvent(JSON.stringify(event))?.read(options);
  const object = {
    bucket: 'etl-ba-research-client-etl',
    key: 'in/Officer Detail.csv',
    eTag: 'd41d8cd98f00b204e9800998ecf8427e',
    sequencer: '00617F08299329D189',
    sizeBytes: 1024,
    eventName: 'ObjectCreated:Put',
    eventTime: '2026-11-24T08:00:00Z',
    awsRegion: 'us-gov-west-1',
  };

  it('reads all that EventBridge says about an object', () => {
    const event = readUnsigned(eventBridgeEvent({ 'version-id': 'v1' }));
    const objects = [{ ...object, versionId: 'v1' }];
    expect(event).toStrictEqual({ kind: 'objects', objects, ignored: [] });
  });

  it('takes an event of EventBridge for the same object as a notification of S3', () => {
    const [record] = JSON.parse(s3Event('in/Officer+Detail.csv')).Records;
    record.s3.object.sequencer = '00617F08299329D189';
    expect(readUnsigned({ Records: [record] })).toMatchObject({
      objects: [{ ...object, eventTime: expect.anything() }],
    });
  });

  it('says whose events they are', () => {
    expect(unsignedEvent(JSON.stringify(eventBridgeEvent()))).toMatchObject({
      sources: [{ bucket: 'etl-ba-research-client-etl', account: '123456789012' }],
    });
    expect(unsignedEvent(s3Event())?.sources).toEqual([{ bucket: 'etl-ba-research-client-etl' }]);
  });

  it.each([
    'a+b.csv',
    'a b.csv',
    'a%20b.csv',
    '100%.csv',
    '\u00fcber/\u65e5.csv',
    'line\nbreak.csv',
  ])('takes the key %j as it is', (key) => {
    expect(readUnsigned(eventBridgeEvent({ key }))).toMatchObject({ objects: [{ key }] });
  });

  it.each([
    ['PutObject', 'ObjectCreated:Put'],
    ['POST Object', 'ObjectCreated:Post'],
    ['CopyObject', 'ObjectCreated:Copy'],
    ['CompleteMultipartUpload', 'ObjectCreated:CompleteMultipartUpload'],
    ['Something new', 'ObjectCreated'],
    [undefined, 'ObjectCreated'],
  ])('names the event of an object that came by %s', (reason, eventName) => {
    const event = eventBridgeEvent();
    expect(readUnsigned({ ...event, detail: { ...event.detail, reason } })).toMatchObject({
      objects: [{ eventName }],
    });
  });

  it.each([
    [{ key: undefined }, 'detail.object.key is missing'],
    [{ key: '' }, 'detail.object.key is empty'],
    [{ key: 7 }, 'detail.object.key is not a text'],
    [{ key: 'a\0' }, 'detail.object.key has a NUL character'],
    [{ key: 'k'.repeat(1025) }, 'detail.object.key is longer than 1024 bytes'],
    [{ size: -1 }, 'detail.object.size is not a whole number of bytes'],
    [
      { sequencer: 'x' },
      'detail.object.sequencer is not a hexadecimal number of at most 64 digits',
    ],
  ])('keeps an event of EventBridge with the object %j as dead', (part, reason) => {
    expect(readUnsigned(eventBridgeEvent(part))).toEqual({ kind: 'dead', reason });
  });

  it('keeps one without an object, and one of an impossible time, as dead', () => {
    const detail = { bucket: { name: 'b' } };
    expect(readUnsigned(eventBridgeEvent({}, { detail, time: 'now' }))).toEqual({
      kind: 'dead',
      reason: 'detail.object is missing; time is not a time in ISO 8601',
    });
  });

  it('ignores other events of EventBridge, and objects that are not deliveries', () => {
    const deleted = eventBridgeEvent({}, { 'detail-type': 'Object Deleted' });
    expect(readUnsigned(deleted)).toMatchObject({ reason: 'Object Deleted is not a delivery' });
    expect(readUnsigned(eventBridgeEvent({ key: 'reports/a.json' }))).toMatchObject({
      kind: 'ignored',
    });
  });

  it('knows nothing else', () => {
    for (const text of ['hello', '[]', '7', 'null', '{}', '{"Records":[]}', '{"Records":[null]}']) {
      expect(unsignedEvent(text)).toBeUndefined();
    }
  });

  it('never throws, whatever it gets', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('aws.s3', 'x'), (text, source) => {
        const document = { ...JSON.parse(text), source, 'detail-type': 'Object Created' };
        unsignedEvent(JSON.stringify(document))?.read(options);
        unsignedEvent(text)?.read(options);
      }),
    );
  });
});
