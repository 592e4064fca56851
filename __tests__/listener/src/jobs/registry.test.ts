import { expect, test } from 'vitest';
import { JOBS } from '../../../../listener/src/jobs/registry.ts';

test('a job is found by its name', () => {
  expect(JOBS.get('s3_data_quality_job')?.name).toBe('s3_data_quality_job');
});

test('what is no job is not found', () => {
  expect(JOBS.get('constructor')).toBeUndefined();
});
