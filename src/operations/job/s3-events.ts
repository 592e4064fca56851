import { EXIT, OperationError } from '../operation-error.ts';

/** An object that an event announces. */
export interface AnnouncedObject {
  readonly bucket: string;
  /** Decoded. */
  readonly key: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what the listener's `run` takes: an S3 event, the SNS message that carries one, several of
 * them in a JSON list, or one a line.
 *
 * @returns every object that is announced; at least one
 * @throws OperationError (usage) with everything that is no event
 */
export function readS3Events(text: string): readonly AnnouncedObject[] {
  const documents = parse(text);
  const problems: string[] = [];
  const objects = documents.flatMap((document, index) => {
    const where = documents.length === 1 ? '' : `event ${index + 1}: `;
    return objectsIn(document, (problem) => problems.push(`${where}${problem}`));
  });
  if (problems.length > 0) throw noEvent(problems.join('; '));
  if (objects.length === 0) throw noEvent('it is an empty list');
  return objects;
}

/**
 * The shortest event for an object (Amazon S3 User Guide, "Event message structure"). It has neither
 * time nor sequencer, so that the same object gives the same event.
 */
export function eventFor({ bucket, key }: AnnouncedObject): string {
  const encoded = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
  return JSON.stringify({
    Records: [
      {
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: bucket }, object: { key: encoded } },
      },
    ],
  });
}

function objectsIn(
  document: unknown,
  report: (problem: string) => void,
): readonly AnnouncedObject[] {
  const event = eventIn(document);
  const records = isFields(event) ? event.Records : undefined;
  if (!Array.isArray(records) || records.length === 0) {
    const isTest = isFields(event) && event.Event === 's3:TestEvent';
    report(
      isTest
        ? 's3:TestEvent announces no object'
        : 'it must be a JSON object with Records, a list with at least one entry',
    );
    return [];
  }
  return records.flatMap((record: unknown, index) => {
    const bucket = textAt(record, ['s3', 'bucket', 'name']);
    const key = decoded(textAt(record, ['s3', 'object', 'key']));
    if (!bucket) report(`Records[${index}].s3.bucket.name must be a text`);
    if (!key) report(`Records[${index}].s3.object.key must be a text in form encoding`);
    return bucket && key ? [{ bucket, key }] : [];
  });
}

/** An SNS message carries the event as text. */
function eventIn(document: unknown): unknown {
  if (!isFields(document) || typeof document.Message !== 'string') return document;
  try {
    return JSON.parse(document.Message);
  } catch {
    return undefined;
  }
}

function parse(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch (error) {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    if (lines.length > 1) {
      try {
        return lines.map((line) => JSON.parse(line) as unknown);
      } catch {
        // The first error tells more.
      }
    }
    throw noEvent(`it is no JSON, neither as a whole nor by line (${(error as Error).message})`);
  }
}

function textAt(value: unknown, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>(
    (holder, name) => (isFields(holder) ? holder[name] : undefined),
    value,
  );
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function decoded(key: string | undefined): string | undefined {
  try {
    return key === undefined ? undefined : decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noEvent(reason: string): OperationError {
  return new OperationError(`no S3 event: ${reason}`, {
    next: 'give an S3 event with Records, or the SNS message that carries one, or --bucket and --key',
    code: EXIT.usage,
  });
}
