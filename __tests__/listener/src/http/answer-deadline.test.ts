import { describe, expect, it } from 'vitest';
import { answerDeadline } from '../../../../listener/src/http/answer-deadline.ts';
import type { ListenerMiddleware } from '../../../../listener/src/http/context.ts';
import { errorAnswers } from '../../../../listener/src/http/error-answers.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { ask } from '../../support/sns-koa.ts';
import { collectingLogger } from '../../support/sns-listener.ts';

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
