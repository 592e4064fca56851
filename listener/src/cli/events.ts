import { type ObjectReference, readS3Event } from '../s3/event-records.ts';
import { UsageError } from './command-context.ts';

/** What events say. */
export interface Events {
  readonly objects: readonly ObjectReference[];
  /** Why other records are not deliveries. */
  readonly ignored: readonly string[];
}

/**
 * Reads the events that the command line or a file gives: an S3 event, the SNS message that carries
 * one, several of them in a JSON list, or one a line.
 *
 * @param reportPrefix keys below it are our own reports
 * @throws {UsageError} with everything that is not an event
 */
export function readEvents(text: string, reportPrefix: string): Events {
  const objects: ObjectReference[] = [];
  const ignored: string[] = [];
  const problems: string[] = [];
  const documents = parse(text);
  for (const [index, document] of documents.entries()) {
    const event = readS3Event(s3EventIn(document), { reportPrefix });
    const where = documents.length === 1 ? '' : `event ${index + 1}: `;
    if (event.kind === 'dead') problems.push(where + event.reason);
    else if (event.kind === 'ignored') ignored.push(event.reason);
    else {
      objects.push(...event.objects);
      ignored.push(...event.ignored.map(({ key, reason }) => `${key}: ${reason}`));
    }
  }
  if (problems.length > 0) throw new UsageError(`not an S3 event: ${problems.join('; ')}`);
  return { objects, ignored };
}

function parse(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch (error) {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    const values = lines.length > 1 ? parseLines(lines) : undefined;
    if (values !== undefined) return values;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `not an S3 event: it is not JSON, neither as a whole nor by line (${reason})`,
    );
  }
}

function parseLines(lines: readonly string[]): readonly unknown[] | undefined {
  try {
    return lines.map((line) => JSON.parse(line) as unknown);
  } catch {
    return undefined;
  }
}

/** An SNS message carries the event as text. */
function s3EventIn(document: unknown): string {
  if (typeof document === 'object' && document !== null && 'Message' in document) {
    const { Message: message } = document;
    if (typeof message === 'string') return message;
  }
  return JSON.stringify(document) ?? 'null';
}
