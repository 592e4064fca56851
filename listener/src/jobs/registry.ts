import type { Job } from './job.ts';
import { s3DataQualityJob } from './s3-data-quality/s3-data-quality-job.ts';

/** Every job by its name. */
export const JOBS: ReadonlyMap<string, Job> = new Map(
  [s3DataQualityJob].map((job) => [job.name, job]),
);
