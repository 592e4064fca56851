import type { Knex } from 'knex';
import { schemaOf, tablesOf } from '../src/database/tables.ts';

/**
 * A revision of mappings and monitored files, another one after each transaction that changes either, by whatever way: what a
 * process has read of them holds as long as the revision stands.
 */
export async function up(knex: Knex): Promise<void> {
  const { mappings, monitoringFiles, ruleRevision } = tablesOf(knex);
  const newRevision = `${schemaOf(knex)}.new_rule_revision`;
  await knex.raw(`
    CREATE TABLE ${ruleRevision} (
      only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
      -- Random, so that a restored database can't count up to one that a process has seen.
      revision uuid NOT NULL DEFAULT gen_random_uuid(),
      changed_by xid8 NOT NULL DEFAULT pg_current_xact_id()
    );
    INSERT INTO ${ruleRevision} DEFAULT VALUES;

    -- With its owner's rights: who may write rules by hand need not know of it.
    CREATE FUNCTION ${newRevision}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        INSERT INTO ${ruleRevision} AS present DEFAULT VALUES
        ON CONFLICT (only_one) DO UPDATE SET revision = excluded.revision, changed_by = excluded.changed_by
          -- Once a transaction: a rule set of 2,000 files is as many statements.
          WHERE present.changed_by <> excluded.changed_by;
        RETURN NULL;
      END $$;

    CREATE TRIGGER new_rule_revision AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
      ON ${mappings} FOR EACH STATEMENT EXECUTE FUNCTION ${newRevision}();
    CREATE TRIGGER new_rule_revision AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
      ON ${monitoringFiles} FOR EACH STATEMENT EXECUTE FUNCTION ${newRevision}();
    -- Also under session_replication_role = replica, with which replication and some restores write.
    ALTER TABLE ${mappings} ENABLE ALWAYS TRIGGER new_rule_revision;
    ALTER TABLE ${monitoringFiles} ENABLE ALWAYS TRIGGER new_rule_revision;
  `);
}
