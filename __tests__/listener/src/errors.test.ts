import { describe, expect, it } from 'vitest';
import { type ErrorDefinition, errorTable, ListenerError } from '../../../listener/src/errors.ts';

const rows: [string, ErrorDefinition][] = Object.entries(errorTable);

describe('errorTable', () => {
  it('calls exactly those statuses retryable that SNS tries again', () => {
    const retried = rows.filter(([, { status }]) => status >= 500 || status === 429);
    const retryable = rows.filter(([, { retryable }]) => retryable);

    expect(retryable).toEqual(retried);
  });
});

describe('ListenerError', () => {
  it('takes status, retryable and message from its row', () => {
    const error = new ListenerError('topic_not_allowed', { topicArn: 'arn:x' });

    expect(error).toMatchObject({
      code: 'topic_not_allowed',
      status: 403,
      retryable: false,
      message: 'TopicArn arn:x is not among SNS_TOPIC_ARNS.',
    });
  });

  it('keeps its cause', () => {
    const cause = new Error('connection refused');

    expect(new ListenerError('internal_error', {}, { cause }).cause).toBe(cause);
  });

  it('shortens a detail that comes from the outside', () => {
    const error = new ListenerError('topic_not_allowed', { topicArn: 'x'.repeat(100_000) });

    expect(error.message.length).toBeLessThan(500);
  });

  it('does not fill in what a detail itself holds in braces', () => {
    const error = new ListenerError('certificate_unavailable', { url: '{reason}', reason: 'r' });

    expect(error.message).toBe('The certificate at {reason} could not be fetched: r.');
  });
});
