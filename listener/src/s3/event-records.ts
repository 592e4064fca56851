/** An object that S3 announced. */
export interface ObjectReference {
  readonly bucket: string;
  /** Decoded key. */
  readonly key: string;
  /** Absent where the bucket keeps no versions. */
  readonly versionId?: string;
  /** Without quotes, as S3 sends it. */
  readonly eTag?: string;
  /** Hexadecimal; orders the events of one key. See {@link compareSequencers}. */
  readonly sequencer?: string;
  readonly sizeBytes?: number;
  /** Such as `ObjectCreated:Put`; `ObjectCreated` where the record names none. */
  readonly eventName: string;
  /** ISO 8601. */
  readonly eventTime?: string;
  readonly awsRegion?: string;
}

/** A record that announces no delivery. */
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

/** Settings of {@link readS3Event}. */
export interface ReadS3EventOptions {
  /** Keys below it are our own reports and no deliveries. Empty: there are none. */
  readonly reportPrefix: string;
}

/** S3 sends one record a message; more than this many is no event of S3. */
const MAX_RECORDS = 1000;
/** Source: Amazon S3 user guide, "Naming Amazon S3 objects". */
const MAX_KEY_BYTES = 1024;
const MAX_TEXT_CHARACTERS = 1024;

const bucketPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/;
const sequencerPattern = /^[0-9A-Fa-f]{1,64}$/;

/** Thrown and caught in this file: the record is malformed, the message dead. */
class MalformedRecord extends Error {}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads an S3 event notification from the Message of an SNS notification.
 *
 * A record without `eventName` counts as a delivery, so that the shortest form (bucket name and
 * object key) works. One malformed record makes the whole message dead: it is kept with the reason.
 * Source: Amazon S3 user guide, "Event message structure".
 *
 * @param message - the Message, unverified JSON
 */
export function readS3Event(message: string, options: ReadS3EventOptions): S3Event {
  try {
    return readRecords(parseMessage(message), options);
  } catch (error) {
    if (error instanceof MalformedRecord) {
      return { kind: 'dead', reason: error.message };
    }
    throw error;
  }
}

/**
 * Orders two sequencers of the same key: negative where `left` is older. They are hexadecimal
 * numbers whose shorter one counts as filled up with zeros on the right.
 * Source: Amazon S3 user guide, "Event message structure".
 */
export function compareSequencers(left: string, right: string): number {
  const width = Math.max(left.length, right.length);
  const paddedLeft = left.toUpperCase().padEnd(width, '0');
  const paddedRight = right.toUpperCase().padEnd(width, '0');
  if (paddedLeft === paddedRight) {
    return 0;
  }
  return paddedLeft < paddedRight ? -1 : 1;
}

function parseMessage(message: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    throw new MalformedRecord('Message is not JSON');
  }
  if (!isObject(value)) {
    throw new MalformedRecord('Message is not a JSON object');
  }
  return value;
}

function readRecords(event: JsonObject, options: ReadS3EventOptions): S3Event {
  if (event.Event === 's3:TestEvent') {
    return { kind: 'ignored', reason: 's3:TestEvent' };
  }
  const records = event.Records;
  if (records === undefined) {
    throw new MalformedRecord('Records is missing');
  }
  if (!Array.isArray(records)) {
    throw new MalformedRecord('Records is not a list');
  }
  if (records.length === 0) {
    throw new MalformedRecord('Records is empty');
  }
  if (records.length > MAX_RECORDS) {
    throw new MalformedRecord(
      `Records has ${records.length} entries, at most ${MAX_RECORDS} are allowed`,
    );
  }

  const objects: ObjectReference[] = [];
  const ignored: IgnoredRecord[] = [];
  for (const [index, record] of records.entries()) {
    const object = readRecord(record, `Records[${index}]`);
    const reason = reasonToIgnore(object, options);
    if (reason === undefined) {
      objects.push(object);
    } else {
      const { bucket, key, eventName } = object;
      ignored.push({ bucket, key, eventName, reason });
    }
  }
  if (objects.length === 0) {
    const reasons = new Set(ignored.map(({ reason }) => reason));
    return { kind: 'ignored', reason: [...reasons].join('; ') };
  }
  return { kind: 'objects', objects, ignored };
}

function readRecord(record: unknown, path: string): ObjectReference {
  const fields = requireObject(record, path);
  const s3 = requireObject(fields.s3, `${path}.s3`);
  const bucket = requireObject(s3.bucket, `${path}.s3.bucket`);
  const object = requireObject(s3.object, `${path}.s3.object`);

  return {
    bucket: readBucketName(bucket.name, `${path}.s3.bucket.name`),
    key: readKey(object.key, `${path}.s3.object.key`),
    versionId: optionalText(object, 'versionId', `${path}.s3.object.versionId`),
    eTag: optionalText(object, 'eTag', `${path}.s3.object.eTag`),
    sequencer: readSequencer(object, `${path}.s3.object.sequencer`),
    sizeBytes: readSize(object.size, `${path}.s3.object.size`),
    eventName: optionalText(fields, 'eventName', `${path}.eventName`) ?? 'ObjectCreated',
    eventTime: readTime(fields, `${path}.eventTime`),
    awsRegion: optionalText(fields, 'awsRegion', `${path}.awsRegion`),
  };
}

function reasonToIgnore(
  object: ObjectReference,
  { reportPrefix }: ReadS3EventOptions,
): string | undefined {
  const eventName = object.eventName.replace(/^s3:/, '');
  if (eventName !== 'ObjectCreated' && !eventName.startsWith('ObjectCreated:')) {
    return `${eventName} is no delivery`;
  }
  if (reportPrefix !== '' && object.key.startsWith(reportPrefix)) {
    return `the key is under our report prefix ${reportPrefix}`;
  }
  // The S3 console makes such an object for "create folder".
  if (object.key.endsWith('/') && object.sizeBytes === 0) {
    return 'the object is an empty folder marker';
  }
  return undefined;
}

function readBucketName(value: unknown, path: string): string {
  const name = requireText(value, path);
  if (!bucketPattern.test(name) || name.includes('..')) {
    throw new MalformedRecord(`${path} is no bucket name`);
  }
  return name;
}

/** Keys come form-encoded: "+" is a space, %XX a byte of UTF-8. */
function readKey(value: unknown, path: string): string {
  const encoded = requireText(value, path);
  let key: string;
  try {
    key = decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw new MalformedRecord(`${path} has a % that begins no character of UTF-8`);
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new MalformedRecord(`${path} is longer than ${MAX_KEY_BYTES} bytes`);
  }
  refuseUnstorableText(key, path);
  return key;
}

function readSequencer(object: JsonObject, path: string): string | undefined {
  const sequencer = optionalText(object, 'sequencer', path);
  if (sequencer !== undefined && !sequencerPattern.test(sequencer)) {
    throw new MalformedRecord(`${path} is not a hexadecimal number of at most 64 digits`);
  }
  return sequencer;
}

function readSize(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new MalformedRecord(`${path} is not a whole number of bytes`);
  }
  return value;
}

function readTime(fields: JsonObject, path: string): string | undefined {
  const time = optionalText(fields, 'eventTime', path);
  if (time !== undefined && !(/^\d{4}-\d\d-\d\dT/.test(time) && !Number.isNaN(Date.parse(time)))) {
    throw new MalformedRecord(`${path} is not a time in ISO 8601`);
  }
  return time;
}

/** Emulators send null or the empty text for what they do not know. */
function optionalText(fields: JsonObject, name: string, path: string): string | undefined {
  const value = fields[name];
  return value === undefined || value === null || value === ''
    ? undefined
    : requireText(value, path);
}

function requireText(value: unknown, path: string): string {
  if (value === undefined || value === null) {
    throw new MalformedRecord(`${path} is missing`);
  }
  if (typeof value !== 'string') {
    throw new MalformedRecord(`${path} is not a text`);
  }
  if (value === '') {
    throw new MalformedRecord(`${path} is empty`);
  }
  // A key of 1,024 bytes has at most three times as many characters when encoded.
  if (value.length > 3 * MAX_TEXT_CHARACTERS) {
    throw new MalformedRecord(`${path} is longer than ${3 * MAX_TEXT_CHARACTERS} characters`);
  }
  refuseUnstorableText(value, path);
  return value;
}

/** PostgreSQL's text holds every character but NUL, and no half of a surrogate pair. */
function refuseUnstorableText(text: string, path: string): void {
  if (text.includes('\0')) {
    throw new MalformedRecord(`${path} has a NUL character`);
  }
  if (!text.isWellFormed()) {
    throw new MalformedRecord(`${path} has half of a surrogate pair`);
  }
}

function requireObject(value: unknown, path: string): JsonObject {
  if (value === undefined || value === null) {
    throw new MalformedRecord(`${path} is missing`);
  }
  if (!isObject(value)) {
    throw new MalformedRecord(`${path} is not an object`);
  }
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
