import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { errorAnswers, type ListenerMiddleware } from '../../../../listener/src/http/middleware.ts';
import { health, readyz, routes } from '../../../../listener/src/http/routes.ts';
import { ask } from '../../support/sns-koa.ts';
import { collectingLogger } from '../../support/sns-listener.ts';

const answerWith =
  (text: string): ListenerMiddleware =>
  (ctx) => {
    ctx.body = text;
  };

const stack = [
  errorAnswers(collectingLogger().logger, createMetrics()),
  routes({ '/a': { GET: answerWith('get a'), POST: answerWith('post a') } }),
];

describe('routes', () => {
  it.each([
    ['GET', '/a', 200, 'get a'],
    ['GET', '/a?query', 200, 'get a'],
    ['POST', '/a', 200, 'post a'],
    ['DELETE', '/a', 405, 'method_not_allowed'],
    ['OPTIONS', '/a', 405, 'method_not_allowed'],
    ['GET', '/a/', 404, 'not_found'],
    ['GET', '/A', 404, 'not_found'],
    ['GET', '/toString', 404, 'not_found'],
  ])('sends %s %s to an answer of %i', async (method, path, status, text) => {
    const answer = await ask(stack, path, { method });

    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  it('names the allowed methods', async () => {
    const answer = await ask(stack, '/a', { method: 'DELETE' });

    expect(answer.headers.get('allow')).toBe('GET, POST');
  });
});

it('says that the process runs', async () => {
  expect(await ask([health])).toMatchObject({ status: 200, text: '{"status":"ok"}' });
});

async function statusWith(readiness: () => Promise<boolean>): Promise<number> {
  const errors = errorAnswers(collectingLogger().logger, createMetrics());
  return (await ask([errors, readyz(readiness)])).status;
}

describe('readyz', () => {
  it('answers 200 when ready', async () => {
    expect(await statusWith(async () => true)).toBe(200);
  });

  it('answers 503 when not', async () => {
    expect(await statusWith(async () => false)).toBe(503);
  });

  it('answers 503 when the question fails', async () => {
    expect(await statusWith(() => Promise.reject(new Error('no connection')))).toBe(503);
  });
});
