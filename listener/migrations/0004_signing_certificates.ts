import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Which certificates have verified messages, so that a listener that has just started fetches those
 * first. Not the certificates themselves: who can write a row can have one fetched, and sign nothing.
 */
export async function up(knex: Knex): Promise<void> {
  const { signingCertificates } = tablesOf(knex);
  await knex.raw(`
    CREATE TABLE ${signingCertificates} (
      url text PRIMARY KEY,
      sha256 text NOT NULL,
      valid_until timestamptz NOT NULL,
      verified_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT signing_certificates_url_is_short CHECK (octet_length(url) BETWEEN 1 AND 2048),
      CONSTRAINT signing_certificates_sha256_is_hexadecimal CHECK (sha256 ~ '^[0-9a-f]{64}$')
    );
  `);
}
