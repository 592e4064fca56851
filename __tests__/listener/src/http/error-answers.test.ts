import { describe, expect, it } from 'vitest';
import { ListenerError } from '../../../../listener/src/errors.ts';
import { errorAnswers } from '../../../../listener/src/http/error-answers.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { ask } from '../../support/sns-koa.ts';
import { collectingLogger, requestsWith } from '../../support/sns-listener.ts';

async function answerTo(error: unknown, init: RequestInit = {}) {
  const { logger, lines } = collectingLogger();
  const metrics = createMetrics();
  const throwing = () => {
    throw error;
  };
  const answer = await ask([errorAnswers(logger, metrics), throwing], '/', init);
  return { answer, lines, metrics };
}

describe('errorAnswers', () => {
  it('answers a final error with code and reason and no Retry-After', async () => {
    const { answer } = await answerTo(new ListenerError('topic_not_allowed', { topicArn: 'a' }));

    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toEqual({
      error: 'topic_not_allowed',
      message: 'TopicArn a is not among SNS_TOPIC_ARNS.',
    });
    expect(answer.headers.has('retry-after')).toBe(false);
  });

  it('answers an error that passes with Retry-After and the code alone', async () => {
    const { answer } = await answerTo(new ListenerError('database_unavailable', { reason: 'x' }));

    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(JSON.parse(answer.text)).toEqual({ error: 'database_unavailable' });
  });

  it.each([new Error('a bug'), 'a text', undefined])(
    'answers 500 to whatever else is thrown: %s',
    async (thrown) => {
      const { answer, metrics } = await answerTo(thrown);

      expect(answer.status).toBe(500);
      expect(await requestsWith(metrics, 'internal_error')).toBe(1);
    },
  );

  it('logs the cause of an unexpected error', async () => {
    const { lines } = await answerTo(new Error('a bug'));

    expect(lines).toEqual([
      expect.objectContaining({
        level: 50,
        code: 'internal_error',
        err: expect.objectContaining({ message: 'a bug' }),
      }),
    ]);
  });

  it('closes the connection of a request whose body is not read', async () => {
    // Node's fetch wants `duplex` with a stream; the DOM's types, which cdktf brings in, don't know it.
    const request: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from('part'));
        },
      }),
      duplex: 'half',
    };
    const { answer } = await answerTo(new ListenerError('not_found', { path: '/' }), request);

    expect(answer.headers.get('connection')).toBe('close');
  });
});
