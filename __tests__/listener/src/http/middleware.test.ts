import { describe, expect, it } from 'vitest';
import { ListenerError } from '../../../../listener/src/errors.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import {
  answerDeadline,
  errorAnswers,
  type ListenerMiddleware,
} from '../../../../listener/src/http/middleware.ts';
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
    expect(JSON.parse(answer.text)).toStrictEqual({
      error: 'topic_not_allowed',
      message: 'TopicArn a is not among SNS_TOPIC_ARNS.',
    });
    expect(answer.headers.has('retry-after')).toBe(false);
  });

  it('answers an error that passes with Retry-After and the code alone', async () => {
    const { answer } = await answerTo(new ListenerError('database_unavailable', { reason: 'x' }));

    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(JSON.parse(answer.text)).toStrictEqual({ error: 'database_unavailable' });
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

  it.each([
    ['not_found', 20],
    ['method_not_allowed', 20],
    ['body_incomplete', 20],
    ['deadline_exceeded', 20],
    ['topic_not_allowed', 40],
    ['certificate_unavailable', 40],
    ['database_unavailable', 50],
  ] as const)('logs %s of a request without a message at level %i', async (code, level) => {
    const { lines } = await answerTo(new ListenerError(code));

    expect(lines).toEqual([expect.objectContaining({ code, level })]);
  });

  it('logs as an error that there was no answer to a message in time', async () => {
    const { logger, lines } = collectingLogger();
    const late: ListenerMiddleware = (ctx) => {
      ctx.state.message = { messageId: 'm', topicArn: 't', type: 'Notification' };
      throw new ListenerError('deadline_exceeded', { milliseconds: 1 });
    };
    await ask([errorAnswers(logger, createMetrics()), late]);

    expect(lines).toEqual([expect.objectContaining({ code: 'deadline_exceeded', level: 50 })]);
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

function stack(milliseconds: number, work: ListenerMiddleware) {
  const { logger, lines } = collectingLogger();
  const middlewares = [
    errorAnswers(logger, createMetrics()),
    answerDeadline(milliseconds, logger),
    work,
  ];
  return { middlewares, lines };
}

describe('answerDeadline', () => {
  it('leaves an answer in time alone', async () => {
    const { middlewares } = stack(60_000, (ctx) => {
      ctx.body = 'done';
    });

    expect(await ask(middlewares)).toMatchObject({ status: 200, text: 'done' });
  });

  it('leaves an error in time alone', async () => {
    const { middlewares } = stack(60_000, () => {
      throw new Error('a bug');
    });

    expect(await ask(middlewares)).toMatchObject({ status: 500 });
  });

  it('answers 503 and tells the work to end', async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { middlewares } = stack(1, (ctx) => {
      ctx.state.signal?.addEventListener('abort', () => aborted.resolve(ctx.state.signal?.reason));
      return new Promise(() => undefined);
    });

    expect(await ask(middlewares)).toMatchObject({ status: 503 });
    expect(await aborted.promise).toMatchObject({ code: 'deadline_exceeded' });
  });

  it('logs what fails after the answer', async () => {
    const late = Promise.withResolvers<void>();
    const { middlewares, lines } = stack(1, () => late.promise);
    await ask(middlewares);

    late.reject(new Error('too late'));
    await late.promise.catch(() => undefined);

    expect(lines.at(-1)).toMatchObject({
      msg: 'request failed after its deadline',
      err: expect.objectContaining({ message: 'too late' }),
    });
  });
});
