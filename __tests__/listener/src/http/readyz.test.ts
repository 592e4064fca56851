import { describe, expect, it } from 'vitest';
import { errorAnswers } from '../../../../listener/src/http/error-answers.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { readyz } from '../../../../listener/src/http/readyz.ts';
import { ask } from '../../support/sns-koa.ts';
import { collectingLogger } from '../../support/sns-listener.ts';

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
