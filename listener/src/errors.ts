/**
 * One row of the error table.
 */
export interface ErrorDefinition {
  /** HTTP status of the answer. Amazon SNS retries 5xx and 429 alone; any other 4xx is final. */
  readonly status: number;
  /** Whether the same input can succeed later. */
  readonly retryable: boolean;
  /** Sentence with `{name}` where a detail goes. */
  readonly template: string;
}

/**
 * Every error the listener answers with: code, HTTP status, whether a retry can help, and the
 * message. Codes are part of the interface: they appear in answers, logs and metric labels.
 */
export const errorTable = {
  not_found: {
    status: 404,
    retryable: false,
    template: 'There is no endpoint at {path}. SNS deliveries go to POST /.',
  },
  method_not_allowed: {
    status: 405,
    retryable: false,
    template: '{path} does not support {method}. Allowed: {allowed}.',
  },
  body_too_large: {
    status: 413,
    retryable: false,
    template: 'The body is larger than the {limitBytes} bytes that are allowed.',
  },
  body_incomplete: {
    status: 400,
    retryable: false,
    template: 'The connection ended after {receivedBytes} bytes, before the body was complete.',
  },
  body_not_json: {
    status: 400,
    retryable: false,
    template: 'The body is not a JSON document in UTF-8: {reason}.',
  },
  raw_delivery: {
    status: 400,
    retryable: false,
    template:
      'Raw message delivery carries no signature. ' +
      'Turn RawMessageDelivery off for subscription {subscriptionArn}.',
  },
  message_type_missing: {
    status: 400,
    retryable: false,
    template: 'The x-amz-sns-message-type header is missing. Allowed: {allowed}.',
  },
  message_type_mismatch: {
    status: 400,
    retryable: false,
    template: 'The x-amz-sns-message-type header is {header}, but Type in the body is {type}.',
  },
  envelope_invalid: {
    status: 400,
    retryable: false,
    template: 'The body is not an SNS message: {problems}.',
  },
  source_not_trusted: {
    status: 403,
    retryable: false,
    template:
      'The event is not signed, and its bucket {bucket} of account {account} is not among SQS_TRUSTED_SOURCES.',
  },
  topic_not_allowed: {
    status: 403,
    retryable: false,
    template: 'TopicArn {topicArn} is not among SNS_TOPIC_ARNS.',
  },
  message_too_old: {
    status: 403,
    retryable: false,
    template: 'Timestamp {timestamp} is more than {maxAgeSeconds} seconds ago.',
  },
  // This clock is behind: what it refused for good would be lost, as genuine as it may be.
  message_from_future: {
    status: 503,
    retryable: true,
    template: 'Timestamp {timestamp} is more than {maxSkewSeconds} seconds ahead of this clock.',
  },
  signature_version_not_allowed: {
    status: 403,
    retryable: false,
    template: 'SignatureVersion {signatureVersion} is not allowed. Allowed: {allowed}.',
  },
  certificate_url_not_allowed: {
    status: 403,
    retryable: false,
    template: 'SigningCertURL {url} is not allowed: {reason}.',
  },
  certificate_not_valid: {
    status: 403,
    retryable: false,
    template:
      'The certificate at {url} is valid from {validFrom} to {validTo}, which does not include now.',
  },
  signature_invalid: {
    status: 403,
    retryable: false,
    template: 'The signature of message {messageId} does not match its content.',
  },
  certificate_unavailable: {
    status: 503,
    retryable: true,
    template: 'The certificate at {url} could not be fetched: {reason}.',
  },
  confirmation_failed: {
    status: 503,
    retryable: true,
    template: 'ConfirmSubscription for {topicArn} failed: {reason}.',
  },
  database_unavailable: {
    status: 503,
    retryable: true,
    template: 'The database is not available: {reason}.',
  },
  intake_failed: {
    status: 503,
    retryable: true,
    template: 'The message could not be recorded: {reason}.',
  },
  not_ready: {
    status: 503,
    retryable: true,
    template:
      'The listener accepts no messages: the database is unavailable or lacks a migration, or the process is shutting down.',
  },
  deadline_exceeded: {
    status: 503,
    retryable: true,
    template: 'There was no answer within {milliseconds} ms.',
  },
  internal_error: {
    status: 500,
    retryable: true,
    template: 'An unexpected error occurred. The log has the details.',
  },
} as const satisfies Record<string, ErrorDefinition>;

/** A code of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** Values for the placeholders of a message template. Never put a secret or a token here. */
export type ErrorDetails = Readonly<Record<string, string | number>>;

/** Longest part of a detail that a message shows; details often come from unverified input. */
const MAX_DETAIL_CHARACTERS = 300;

/**
 * An error with a stable code. Its status, its message and whether a retry helps come from
 * {@link errorTable}.
 */
export class ListenerError extends Error {
  override readonly name = 'ListenerError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly status: number;
  readonly retryable: boolean;

  /**
   * @param code - row of the table
   * @param details - values for the template's placeholders
   * @param options - `cause`: the error that led here
   */
  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const definition: ErrorDefinition = errorTable[code];
    super(fillTemplate(definition.template, details), options);
    this.code = code;
    this.details = details;
    this.status = definition.status;
    this.retryable = definition.retryable;
  }
}

function fillTemplate(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    Object.hasOwn(details, name) ? shorten(String(details[name])) : placeholder,
  );
}

function shorten(text: string): string {
  if (text.length <= MAX_DETAIL_CHARACTERS) {
    return text;
  }
  return `${text.slice(0, MAX_DETAIL_CHARACTERS)}… (${text.length} characters)`;
}
