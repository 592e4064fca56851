import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** Judgements that are not for the worker pool: each waits here for its Kubernetes Job, and is here until it has ended. */
export async function up(knex: Knex): Promise<void> {
  const { kubernetesJobs } = tablesOf(knex);
  await knex.raw(`
    CREATE TABLE ${kubernetesJobs} (
      -- No foreign key: what is forgotten meanwhile takes no lock here, and is taken away by the next look.
      run_id uuid NOT NULL,
      number integer NOT NULL,
      size_bytes bigint NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- Jobs of this judgement, the one at hand or to come included; part of its name.
      submission integer NOT NULL DEFAULT 1,
      -- When it got one of the places of JOB_LIMIT.
      submitted_at timestamptz,
      -- When the API server was seen to hold the Job.
      made_at timestamptz,
      not_before timestamptz NOT NULL DEFAULT now(),
      -- Why the Job before has come to nothing, or why the one at hand can't be made.
      problem text,
      PRIMARY KEY (run_id, number),
      CONSTRAINT kubernetes_jobs_made_have_a_place
        CHECK (made_at IS NULL OR submitted_at IS NOT NULL)
    );
    CREATE INDEX kubernetes_jobs_waiting ON ${kubernetesJobs} (created_at)
      WHERE submitted_at IS NULL;
    CREATE INDEX kubernetes_jobs_submitted ON ${kubernetesJobs} (submitted_at)
      WHERE submitted_at IS NOT NULL;
  `);
}
