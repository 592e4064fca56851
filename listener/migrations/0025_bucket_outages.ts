import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** Which buckets are out for which process, so that one page can tell of the breakers in the memory of all. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE ${tablesOf(knex).bucketOutages} (
      process uuid NOT NULL,
      bucket text NOT NULL,
      way text NOT NULL CONSTRAINT bucket_outages_way_is_known CHECK (way IN ('read', 'write')),
      outage text NOT NULL,
      since timestamptz NOT NULL,
      -- A process that was killed says nothing any more.
      said_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (process, bucket, way, outage)
    );
  `);
}
