import { describe, expect, it } from 'vitest';
import type { ListenerMiddleware } from '../../../../listener/src/http/context.ts';
import { errorAnswers } from '../../../../listener/src/http/error-answers.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { routes } from '../../../../listener/src/http/routes.ts';
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
