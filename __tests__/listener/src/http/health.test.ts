import { expect, it } from 'vitest';
import { health } from '../../../../listener/src/http/health.ts';
import { ask } from '../../support/sns-koa.ts';

it('says that the process runs', async () => {
  expect(await ask([health])).toMatchObject({ status: 200, text: '{"status":"ok"}' });
});
