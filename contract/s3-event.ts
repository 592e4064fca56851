import { isObject } from './json-object.ts';
import { partitionOf } from './partition.ts';
import type { RoutingTarget } from './routing.ts';
import { decodeKey, encodeKey, isBucketName, keyProblem } from './s3-object.ts';

/** An object that an event tells of. */
export interface ObjectReference {
  readonly bucket: string;
  /** Decoded. */
  readonly key: string;
  /** Absent where the bucket keeps no versions. */
  readonly versionId?: string;
  /** Without quotes, as S3 sends it. */
  readonly eTag?: string;
  /** Hexadecimal; another one for each write of the key. */
  readonly sequencer?: string;
  readonly sizeBytes?: number;
  /** Such as `ObjectCreated:Put`; `ObjectCreated` where the record names none. */
  readonly eventName: string;
  /** ISO 8601. */
  readonly eventTime?: string;
  readonly awsRegion?: string;
}

/** A record that is not a delivery. */
export interface IgnoredRecord {
  readonly bucket: string;
  readonly key: string;
  readonly eventName: string;
  readonly reason: string;
}

/** What a message says. */
export type S3Event =
  | {
      readonly kind: 'objects';
      /** At least one. */
      readonly objects: readonly ObjectReference[];
      readonly ignored: readonly IgnoredRecord[];
    }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'dead'; readonly reason: string };

/** A bucket of deliveries; the listener's settings say so. */
export interface DeliveryBucket {
  /** Undefined: every bucket. */
  readonly name?: string | undefined;
  /** Objects below none of these key prefixes are ignored. Empty: every key counts. */
  readonly prefixes: readonly string[];
  /** Objects whose key ends otherwise are ignored. Undefined: every key counts. */
  readonly suffix?: string | undefined;
  /** Another account that has to own the bucket, in twelve digits. Undefined: not looked at. */
  readonly account?: string | undefined;
}

/** Which objects are deliveries; the listener's settings say so. */
export interface DeliveryFilter {
  /** Objects of other buckets are ignored. At least one. */
  readonly buckets: readonly DeliveryBucket[];
  /** Keys below it are our own reports, in each bucket. Empty: there are none. */
  readonly reportPrefix: string;
  /** Keys below them are our own copies. @default there are none */
  readonly routingTargets?: readonly RoutingTarget[];
}

/** What a list of buckets looks like that {@link readDeliveryBuckets} takes, in words. */
export const DELIVERY_BUCKETS =
  'a JSON list of objects, each with the name of another bucket, and with prefixes (a list), suffix and account (twelve digits) as needed';

/** Reads a list of buckets as S3_BUCKETS has it; undefined for what is not allowed. */
export function readDeliveryBuckets(text: string): readonly DeliveryBucket[] | undefined {
  const list = parse(text);
  if (!('value' in list) || !Array.isArray(list.value) || list.value.length === 0) return undefined;
  const buckets: readonly unknown[] = list.value;
  if (!buckets.every(isDeliveryBucket)) return undefined;
  const names = new Set(buckets.map(({ name }) => name));
  return names.size === buckets.length ? Object.freeze(buckets.map(frozen)) : undefined;
}

function isDeliveryBucket(value: unknown): value is DeliveryBucket {
  if (!isObject(value)) return false;
  const { name, prefixes = [], suffix, account, ...others } = value;
  const isText = (one: unknown) => typeof one === 'string' && one !== '';
  return (
    typeof name === 'string' &&
    isBucketName(name) &&
    Array.isArray(prefixes) &&
    prefixes.every(isText) &&
    (suffix === undefined || isText(suffix)) &&
    (account === undefined || (typeof account === 'string' && /^\d{12}$/.test(account))) &&
    Object.keys(others).length === 0
  );
}

function frozen({ prefixes = [], ...bucket }: Partial<DeliveryBucket>): DeliveryBucket {
  return Object.freeze({ ...bucket, prefixes: Object.freeze([...prefixes]) });
}

/** A bucket whose events are believed without a signature, since the policy of the queue vouches for who sent them. */
export interface TrustedSource {
  readonly bucket: string;
  /** Account that owns the bucket, in twelve digits. */
  readonly account: string;
}

/** Reads `bucket@account`; undefined for what is not allowed. */
export function readTrustedSource(text: string): TrustedSource | undefined {
  const [, bucket = '', account = ''] = /^([^@]+)@(\d{12})$/.exec(text) ?? [];
  return isBucketName(bucket) ? Object.freeze({ bucket, account }) : undefined;
}

/** An event as S3 or EventBridge puts it into a queue: nobody signed it. */
export interface UnsignedEvent {
  /** The buckets that it is about; at least one. S3's own notifications alone don't say which account owns the bucket. */
  readonly sources: readonly Partial<TrustedSource>[];
  /** Reads it, malformed as it may be. */
  read(filter: DeliveryFilter): S3Event;
}

/** What a text of several events says. */
export interface S3Events {
  readonly objects: readonly ObjectReference[];
  /** Why other records are not deliveries. */
  readonly ignored: readonly string[];
  /** Everything that is not an event; where there is one, nothing must be done. */
  readonly problems: readonly string[];
}

/** S3 sends one record a message; a message with more than this many is not its. */
const MAX_RECORDS = 1000;
/** A key of 1,024 bytes has at most three times as many characters when encoded. */
const MAX_TEXT_CHARACTERS = 3 * 1024;

/** Wider than today's rules: old buckets of us-east-1 have upper case and underscores. */
const BUCKET = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/;
const SEQUENCER = /^[0-9A-Fa-f]{1,64}$/;

type JsonObject = Readonly<Record<string, unknown>>;

/** Told of each thing that is wrong with a record. */
type Report = (problem: string) => void;

/**
 * Reads an S3 event from the Message of an SNS notification.
 *
 * A record without `eventName` counts as a delivery, so that the shortest form (bucket name and
 * object key) works. One malformed record makes the whole message dead: it is kept with the reason.
 * Source: Amazon S3 user guide, "Event message structure".
 *
 * @param message - the Message, unverified JSON
 */
export function readS3Event(message: string, filter: DeliveryFilter): S3Event {
  const event = parse(message);
  return 'value' in event ? readDocument(event.value, filter) : dead('Message is not JSON');
}

/**
 * Reads what people give to `run` and to `manage job-manifest`: an S3 event, the SNS message that
 * carries one, several of them in a JSON list, or one a line.
 */
export function readS3Events(text: string, filter: DeliveryFilter): S3Events {
  const documents = documentsIn(text);
  if (typeof documents === 'string') return { objects: [], ignored: [], problems: [documents] };
  const objects: ObjectReference[] = [];
  const ignored: string[] = [];
  const problems: string[] = [];
  for (const [index, document] of documents.entries()) {
    const event = readCarried(document, filter);
    const where = documents.length === 1 ? '' : `event ${index + 1}: `;
    if (event.kind === 'dead') problems.push(where + event.reason);
    else if (event.kind === 'ignored') ignored.push(event.reason);
    else {
      objects.push(...event.objects);
      ignored.push(...event.ignored.map(({ key, reason }) => `${key}: ${reason}`));
    }
  }
  return { objects, ignored, problems };
}

/**
 * Knows an event without a signature by its shape: a notification of S3, its test event, or an event of EventBridge.
 * Sources: Amazon S3 user guide, "Event message structure" and "EventBridge event message structure".
 *
 * @param body - unverified
 * @returns undefined for anything else, a message of SNS included, whatever it holds beside
 */
export function unsignedEvent(body: string): UnsignedEvent | undefined {
  const parsed = parse(body);
  const document = 'value' in parsed && isObject(parsed.value) ? parsed.value : {};
  if ('Type' in document) return undefined;
  if (document.source === 'aws.s3' && typeof document['detail-type'] === 'string') {
    const bucket = memberOf(memberOf(document.detail, 'bucket'), 'name');
    return {
      // EventBridge always names the account: an event that does not is nobody's.
      sources: [present({ bucket: textOf(bucket), account: textOf(document.account) ?? '' })],
      read: (filter) => readEventBridgeEvent(document, filter),
    };
  }
  const read = (filter: DeliveryFilter) => readDocument(document, filter);
  if (document.Event === 's3:TestEvent') {
    const sources = [present({ bucket: textOf(document.Bucket) })];
    return { sources, read };
  }
  const records: readonly unknown[] = Array.isArray(document.Records) ? document.Records : [];
  if (records.length === 0) return undefined;
  if (!records.every((record) => memberOf(record, 'eventSource') === 'aws:s3')) return undefined;
  const sources = records.map((record) =>
    present({ bucket: textOf(memberOf(memberOf(memberOf(record, 's3'), 'bucket'), 'name')) }),
  );
  return { sources, read };
}

/** Why EventBridge says that an object came, as S3's own notifications say it. */
const EVENT_OF_REASON: Readonly<Record<string, string>> = {
  PutObject: 'Put',
  'POST Object': 'Post',
  CopyObject: 'Copy',
  CompleteMultipartUpload: 'CompleteMultipartUpload',
};

/** Its keys are as they are, not encoded. */
function readEventBridgeEvent(event: JsonObject, filter: DeliveryFilter): S3Event {
  const type = event['detail-type'];
  if (type !== 'Object Created') {
    return { kind: 'ignored', reason: `${String(type).slice(0, 60)} is not a delivery` };
  }
  const problems: string[] = [];
  const report = (problem: string) => problems.push(problem);
  const detail = objectAt(event.detail, 'detail', report);
  const its = detail && objectAt(detail.bucket, 'detail.bucket', report);
  const object = detail && objectAt(detail.object, 'detail.object', report);
  const bucket = its && readBucketName(its.name, 'detail.bucket.name', report);
  const key = object && readPlainKey(object.key, 'detail.object.key', report);
  const reason = detail && optionalText(detail.reason, 'detail.reason', report);
  const way = EVENT_OF_REASON[reason ?? ''];
  const read = {
    versionId: optionalText(object?.['version-id'], 'detail.object.version-id', report),
    eTag: optionalText(object?.etag, 'detail.object.etag', report),
    sequencer: sequencerOfS3(readSequencer(object?.sequencer, 'detail.object.sequencer', report)),
    sizeBytes: readSize(object?.size, 'detail.object.size', report),
    eventName: way === undefined ? 'ObjectCreated' : `ObjectCreated:${way}`,
    eventTime: readTime(event.time, 'time', report),
    awsRegion: optionalText(event.region, 'region', report),
  };
  if (bucket === undefined || key === undefined || problems.length > 0) {
    return dead(problems.join('; '));
  }
  const reference: ObjectReference = present({ bucket, key, ...read });
  const ignored = reasonToIgnore(reference, filter);
  return ignored === undefined
    ? { kind: 'objects', objects: [reference], ignored: [] }
    : { kind: 'ignored', reason: ignored };
}

/**
 * A sequencer of EventBridge as S3's own notifications write it: in the examples of both, one is in lower case and
 * lacks the two zeros in front. An object that is told of both ways is one delivery then.
 */
function sequencerOfS3(sequencer: string | undefined): string | undefined {
  return sequencer?.toUpperCase().padStart(18, '0');
}

/** What an event is written from. */
export interface CreatedObject {
  readonly bucket: string;
  /** As it is, not encoded. */
  readonly key: string;
  readonly sizeBytes?: number | undefined;
  /** Without quotes. */
  readonly eTag?: string | undefined;
  readonly versionId?: string | undefined;
  readonly sequencer?: string | undefined;
  readonly region?: string | undefined;
  readonly time?: Date | undefined;
  /** Who sends it in the place of S3, and from which account: the request id says that it is a test. */
  readonly sender?: { readonly name: string; readonly account: string } | undefined;
}

/** Subject of the messages that S3 publishes. */
export const S3_SUBJECT = 'Amazon S3 Notification';

/**
 * The event that S3 sends for a new object (Amazon S3 User Guide, "Event message structure"). What
 * is not given is left out, so that the same object gives the same event.
 */
export function objectCreatedEvent(object: CreatedObject): object {
  const { bucket, key, sizeBytes: size, eTag, versionId, sequencer, region, time, sender } = object;
  const arn = region && `arn:${partitionOf(region).name}:s3:::${bucket}`;
  const identity = sender && { principalId: `AWS:${sender.account}` };
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: region,
        eventTime: time?.toISOString(),
        eventName: 'ObjectCreated:Put',
        userIdentity: identity,
        requestParameters: sender && { sourceIPAddress: '127.0.0.1' },
        responseElements: sender && { 'x-amz-request-id': 'TEST', 'x-amz-id-2': sender.name },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: sender?.name,
          bucket: { name: bucket, ownerIdentity: identity, arn },
          object: { key: encodeKey(key), size, eTag, versionId, sequencer },
        },
      },
    ],
  };
}

/** Seconds and nanoseconds in hexadecimal, always of one length, so that a later event of the key compares as later. */
export function sequencerAt(time: Date): string {
  const milliseconds = time.getTime();
  const digits = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `00${digits(Math.floor(milliseconds / 1000))}${digits((milliseconds % 1000) * 1_000_000)}`;
}

/** Why an object is not a delivery; undefined for one that is. */
export function reasonToIgnore(
  { bucket, key, sizeBytes, ...object }: ObjectReference,
  filter: DeliveryFilter,
): string | undefined {
  const { buckets, reportPrefix, routingTargets = [] } = filter;
  const eventName = object.eventName.replace(/^s3:/, '');
  if (eventName !== 'ObjectCreated' && !eventName.startsWith('ObjectCreated:')) {
    return `${eventName} is not a delivery`;
  }
  const own = buckets.find(({ name = bucket }) => name === bucket);
  if (own === undefined) {
    const names = buckets.map(({ name }) => name).join(', ');
    return `the bucket is ${bucket}, not ${buckets.length === 1 ? '' : 'one of '}${names}`;
  }
  const { prefixes, suffix = '' } = own;
  if (reportPrefix !== '' && key.startsWith(reportPrefix)) {
    return `the key is under our report prefix ${reportPrefix}`;
  }
  const target = routingTargets.find((one) => one.bucket === bucket && key.startsWith(one.prefix));
  if (target !== undefined) return `the key is below ${target.prefix}, where files are routed to`;
  if (prefixes.length > 0 && !prefixes.some((prefix) => key.startsWith(prefix))) {
    return `the key is below none of the key prefixes ${prefixes.join(', ')}`;
  }
  if (!key.endsWith(suffix)) return `the key does not end with ${suffix}`;
  // The S3 console makes such an object for "create folder".
  if (key.endsWith('/') && sizeBytes === 0) return 'the object is an empty folder marker';
  return undefined;
}

function readDocument(event: unknown, filter: DeliveryFilter): S3Event {
  if (!isObject(event)) return dead('Message is not a JSON object');
  if (event.Event === 's3:TestEvent') return { kind: 'ignored', reason: 's3:TestEvent' };
  const { Records: records } = event;
  if (records === undefined) return dead('Records is missing');
  if (!Array.isArray(records)) return dead('Records is not a list');
  if (records.length === 0) return dead('Records is empty');
  if (records.length > MAX_RECORDS) {
    return dead(`Records has ${records.length} entries, at most ${MAX_RECORDS} are allowed`);
  }

  const objects: ObjectReference[] = [];
  const ignored: IgnoredRecord[] = [];
  for (const [index, record] of records.entries()) {
    const problems: string[] = [];
    const object = readRecord(record, `Records[${index}]`, (problem) => problems.push(problem));
    if (object === undefined || problems.length > 0) return dead(problems.join('; '));
    const reason = reasonToIgnore(object, filter);
    if (reason === undefined) {
      objects.push(object);
    } else {
      const { bucket, key, eventName } = object;
      ignored.push({ bucket, key, eventName, reason });
    }
  }
  if (objects.length > 0) return { kind: 'objects', objects, ignored };
  const reasons = new Set(ignored.map(({ reason }) => reason));
  return { kind: 'ignored', reason: [...reasons].join('; ') };
}

function dead(reason: string): S3Event {
  return { kind: 'dead', reason };
}

/** An SNS message carries the event as text. */
function readCarried(document: unknown, filter: DeliveryFilter): S3Event {
  if (isObject(document) && typeof document.Message === 'string') {
    return readS3Event(document.Message, filter);
  }
  return readDocument(document, filter);
}

/** The JSON documents of a text, or what is wrong with it. */
function documentsIn(text: string): readonly unknown[] | string {
  const whole = parse(text);
  if ('value' in whole) return Array.isArray(whole.value) ? whole.value : [whole.value];
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const documents = lines.length > 1 ? lines.map(parse) : [whole];
  if (documents.every((document) => 'value' in document)) {
    return documents.map(({ value }) => value);
  }
  return `it is not JSON, neither as a whole nor by line (${whole.error})`;
}

function parse(text: string): { readonly value: unknown } | { readonly error: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function readRecord(record: unknown, path: string, report: Report): ObjectReference | undefined {
  const fields = objectAt(record, path, report);
  const s3 = fields && objectAt(fields.s3, `${path}.s3`, report);
  if (fields === undefined || s3 === undefined) return undefined;
  const its = objectAt(s3.bucket, `${path}.s3.bucket`, report);
  const object = objectAt(s3.object, `${path}.s3.object`, report);
  const bucket = its && readBucketName(its.name, `${path}.s3.bucket.name`, report);
  if (object === undefined) return undefined;
  const optional = (holder: JsonObject, name: string, at: string) =>
    optionalText(holder[name], `${path}${at}.${name}`, report);
  const read = {
    key: readKey(object.key, `${path}.s3.object.key`, report),
    versionId: optional(object, 'versionId', '.s3.object'),
    eTag: optional(object, 'eTag', '.s3.object'),
    sequencer: readSequencer(object.sequencer, `${path}.s3.object.sequencer`, report),
    sizeBytes: readSize(object.size, `${path}.s3.object.size`, report),
    eventName: optional(fields, 'eventName', '') ?? 'ObjectCreated',
    eventTime: readTime(fields.eventTime, `${path}.eventTime`, report),
    awsRegion: optional(fields, 'awsRegion', ''),
  };
  return bucket === undefined || read.key === undefined
    ? undefined
    : present({ bucket, ...read, key: read.key });
}

/** Without the members that are undefined: what a record does not say is absent. */
function present<T extends object>(members: T): T {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as T;
}

function readBucketName(value: unknown, path: string, report: Report): string | undefined {
  const name = requiredText(value, path, report);
  if (name === undefined || (BUCKET.test(name) && !name.includes('..'))) return name;
  return refuse(report, `${path} is not a bucket name`);
}

function readKey(value: unknown, path: string, report: Report): string | undefined {
  const encoded = requiredText(value, path, report);
  if (encoded === undefined) return undefined;
  const key = decodeKey(encoded);
  if (key === undefined) {
    return refuse(report, `${path} has a % that begins no character of UTF-8`);
  }
  return readPlainKey(key, path, report);
}

function readPlainKey(value: unknown, path: string, report: Report): string | undefined {
  const key = requiredText(value, path, report);
  if (key === undefined) return undefined;
  const problem = keyProblem(key);
  return problem === undefined ? key : refuse(report, `${path} ${problem}`);
}

function readSequencer(value: unknown, path: string, report: Report): string | undefined {
  const sequencer = optionalText(value, path, report);
  if (sequencer === undefined || SEQUENCER.test(sequencer)) return sequencer;
  return refuse(report, `${path} is not a hexadecimal number of at most 64 digits`);
}

function readSize(value: unknown, path: string, report: Report): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  return refuse(report, `${path} is not a whole number of bytes`);
}

function readTime(value: unknown, path: string, report: Report): string | undefined {
  const time = optionalText(value, path, report);
  if (time === undefined) return undefined;
  if (/^\d{4}-\d\d-\d\dT/.test(time) && !Number.isNaN(Date.parse(time))) return time;
  return refuse(report, `${path} is not a time in ISO 8601`);
}

/** Emulators send null or the empty text for what they do not know. */
function optionalText(value: unknown, path: string, report: Report): string | undefined {
  return value === undefined || value === null || value === ''
    ? undefined
    : requiredText(value, path, report);
}

function requiredText(value: unknown, path: string, report: Report): string | undefined {
  if (value === undefined || value === null) return refuse(report, `${path} is missing`);
  if (typeof value !== 'string') return refuse(report, `${path} is not a text`);
  if (value === '') return refuse(report, `${path} is empty`);
  if (value.length > MAX_TEXT_CHARACTERS) {
    return refuse(report, `${path} is longer than ${MAX_TEXT_CHARACTERS} characters`);
  }
  // PostgreSQL's text holds every character but NUL, and no half of a surrogate pair.
  if (value.includes('\0')) return refuse(report, `${path} has a NUL character`);
  if (!value.isWellFormed()) return refuse(report, `${path} has half of a surrogate pair`);
  return value;
}

function objectAt(value: unknown, path: string, report: Report): JsonObject | undefined {
  if (isObject(value)) return value;
  const missing = value === undefined || value === null;
  return refuse(report, `${path} is ${missing ? 'missing' : 'not an object'}`);
}

function refuse(report: Report, problem: string): undefined {
  report(problem);
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
