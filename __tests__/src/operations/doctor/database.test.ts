import { expect, test } from 'vitest';
import { onDemandDiagnoses } from '../../../../src/operations/doctor/database.ts';
import { targetOf } from '../../../../src/operations/target.ts';
import { operationContext } from '../../../support/manage.ts';
import { PlayedRds } from '../../../support/played-rds.ts';

/** What doctor says of the database on demand of `complete`. */
async function diagnosed(environment: string, status?: string) {
  const rds = new PlayedRds();
  if (status !== undefined) rds.databases.set('etl-production', { status });
  const context = operationContext({ aws: rds.clients });
  return await onDemandDiagnoses(targetOf(context, { environment, json: false }));
}

test.each([
  ['available', 'ok', undefined],
  ['stopped', 'red', 'npm run manage -- db-start'],
  ['modifying', 'warn', expect.stringContaining('check again')],
  [undefined, 'red', 'npm run manage -- apply postgres-on-demand'],
])('a database that is %s is %s', async (status, state, next) => {
  const [diagnosis, ...others] = await diagnosed('complete', status);
  expect(diagnosis).toMatchObject({ name: 'database on demand', state });
  expect(diagnosis?.next).toEqual(next);
  expect(others).toEqual([]);
});

test('an environment with a database of others has no such line', async () => {
  expect(await diagnosed('etl-playground')).toEqual([]);
});
