import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * What a judgement's report withholds from who may not see it, apart from the report, so that it can be revealed, and be
 * deleted alone. Null beside a report of an older version, which withholds nothing by itself.
 */
export async function up(knex: Knex): Promise<void> {
  const { judgements } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${judgements} ADD COLUMN withheld jsonb;
    ALTER TABLE ${judgements}
      ADD CONSTRAINT judgements_withheld_is_of_a_report CHECK (
        withheld IS NULL OR report IS NOT NULL
      ) NOT VALID;
  `);
}
