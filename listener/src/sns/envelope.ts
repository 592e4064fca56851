import { MESSAGE_TYPES, type MessageType } from '@file-processing/contract/sns-envelope.ts';
import { ListenerError } from '../errors.ts';

interface SignedEnvelope {
  /** Unique per message; a retry keeps it. */
  readonly messageId: string;
  /** ARN of the topic that the message was published to. */
  readonly topicArn: string;
  /** What was published, or for a confirmation a sentence for a human reader. */
  readonly message: string;
  /** Time of publication as it was sent (the signature covers the text), ISO 8601 in UTC. */
  readonly timestamp: string;
  /** `1` (SHA-1) or `2` (SHA-256). */
  readonly signatureVersion: string;
  /** Base64. */
  readonly signature: string;
  /** Where the message claims that its certificate is. Not covered by the signature. */
  readonly signingCertUrl: string;
}

/** A published message. */
export interface Notification extends SignedEnvelope {
  readonly type: 'Notification';
  /** Absent when nothing or the empty text was sent: SNS signs no empty Subject. */
  readonly subject?: string;
  /**
   * W3C `traceparent` of whoever published, where the message attribute of that name has one. Not covered by the
   * signature: good for a link, and for no decision.
   */
  readonly senderTraceparent?: string;
}

/** The first message to a new endpoint; or, as `UnsubscribeConfirmation`, the last one. */
export interface Confirmation extends SignedEnvelope {
  readonly type: Exclude<MessageType, 'Notification'>;
  /** Secret: whoever holds it can confirm the subscription. Never log it. */
  readonly token: string;
  /** Holds the token as well. Never visited and never logged. */
  readonly subscribeUrl: string;
}

/**
 * An SNS message as posted to an HTTP endpoint, well-formed but not verified.
 * Source: Amazon SNS developer guide, "Parsing Amazon SNS message formats".
 */
export type Envelope = Notification | Confirmation;

interface FieldRule {
  readonly name: string;
  readonly maxCharacters: number;
  readonly pattern?: RegExp;
  /** What the pattern allows, for the message. */
  readonly expected?: string;
}

const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bounds are those of SNS or wider; the 256 KiB of Message is SNS's own limit. */
const commonFields: readonly FieldRule[] = [
  {
    name: 'MessageId',
    maxCharacters: 100,
    pattern: /^[\w-]+$/,
    expected: 'letters, digits, "-" and "_"',
  },
  { name: 'TopicArn', maxCharacters: 400, pattern: /^[\w:.-]+$/, expected: 'an ARN' },
  { name: 'Message', maxCharacters: 262_144 },
  {
    name: 'Timestamp',
    maxCharacters: 35,
    pattern: timestampPattern,
    expected: 'a time like 2026-11-24T08:00:00.000Z',
  },
  { name: 'SignatureVersion', maxCharacters: 8, pattern: /^\d+$/, expected: 'a number as text' },
  { name: 'Signature', maxCharacters: 2048, pattern: base64Pattern, expected: 'base64' },
  { name: 'SigningCertURL', maxCharacters: 2048 },
];

const confirmationFields: readonly FieldRule[] = [
  { name: 'Token', maxCharacters: 2048 },
  { name: 'SubscribeURL', maxCharacters: 4096 },
];

const MAX_SUBJECT_CHARACTERS = 1024;

/**
 * Reads an SNS message from a request body. Fields that SNS sends beside these
 * (`UnsubscribeURL`, `MessageAttributes`) are not signed and therefore not read, but for a `traceparent`.
 * Where a key occurs twice the last one counts, for the signature as for everything else.
 *
 * @param body - the decoded request body
 * @throws ListenerError `body_not_json` or `envelope_invalid` with all problems
 */
export function parseEnvelope(body: string): Envelope {
  const fields = parseJsonObject(body);
  const type = fields.Type;
  if (!isMessageType(type)) {
    const given = typeof type === 'string' ? JSON.stringify(type.slice(0, 60)) : describe(type);
    throw invalidEnvelope([`Type is ${given}, allowed are ${MESSAGE_TYPES.join(', ')}`]);
  }

  const rules = type === 'Notification' ? commonFields : [...commonFields, ...confirmationFields];
  const problems = rules.flatMap((rule) => fieldProblem(fields, rule) ?? []);
  if (type === 'Notification') {
    problems.push(...subjectProblems(fields.Subject));
  }
  if (problems.length > 0) {
    throw invalidEnvelope(problems);
  }

  const text = (name: string): string => String(fields[name]);
  const signed: SignedEnvelope = {
    messageId: text('MessageId'),
    topicArn: text('TopicArn'),
    message: text('Message'),
    timestamp: text('Timestamp'),
    signatureVersion: text('SignatureVersion'),
    signature: text('Signature'),
    signingCertUrl: text('SigningCertURL'),
  };
  if (type !== 'Notification') {
    return { type, ...signed, token: text('Token'), subscribeUrl: text('SubscribeURL') };
  }
  const senderTraceparent = traceparentIn(fields.MessageAttributes);
  return {
    type,
    ...signed,
    ...(isBlank(fields.Subject) ? {} : { subject: text('Subject') }),
    ...(senderTraceparent === undefined ? {} : { senderTraceparent }),
  };
}

/** W3C Trace Context, "traceparent Header"; what is not of its form says nothing. */
function traceparentIn(attributes: unknown): string | undefined {
  const { traceparent } = (attributes ?? {}) as { traceparent?: { Value?: unknown } };
  const value = traceparent?.Value;
  const isOne =
    typeof value === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value);
  return isOne ? value : undefined;
}

function parseJsonObject(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // The parser's own message quotes the body, which must not get into a log.
    throw new ListenerError('body_not_json', { reason: 'it does not parse' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidEnvelope([`the document is ${describe(value)}, not an object`]);
  }
  return value as Record<string, unknown>;
}

function fieldProblem(fields: Record<string, unknown>, rule: FieldRule): string | undefined {
  const value = fields[rule.name];
  if (typeof value !== 'string') {
    return `${rule.name} is ${describe(value)}, a string is needed`;
  }
  if (value === '') {
    return `${rule.name} is empty`;
  }
  if (value.length > rule.maxCharacters) {
    return `${rule.name} has ${value.length} characters, at most ${rule.maxCharacters} are allowed`;
  }
  if (rule.pattern !== undefined && !rule.pattern.test(value)) {
    return `${rule.name} is not ${rule.expected}`;
  }
  if (rule.name === 'Timestamp' && Number.isNaN(Date.parse(value))) {
    return 'Timestamp is not a calendar date';
  }
  return undefined;
}

function subjectProblems(subject: unknown): string[] {
  if (isBlank(subject)) {
    return [];
  }
  if (typeof subject !== 'string') {
    return [`Subject is ${describe(subject)}, a string is needed`];
  }
  if (subject.length > MAX_SUBJECT_CHARACTERS) {
    return [
      `Subject has ${subject.length} characters, at most ${MAX_SUBJECT_CHARACTERS} are allowed`,
    ];
  }
  return [];
}

function isMessageType(value: unknown): value is MessageType {
  return MESSAGE_TYPES.some((type) => type === value);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function describe(value: unknown): string {
  if (value === undefined) {
    return 'missing';
  }
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}

function invalidEnvelope(problems: readonly string[]): ListenerError {
  return new ListenerError('envelope_invalid', { problems: problems.join('; ') });
}
