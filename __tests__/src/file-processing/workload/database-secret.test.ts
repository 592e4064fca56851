import { describe, expect, it } from 'vitest';
import { synthesizeFileProcessing } from '../../../support/synthesized-file-processing.ts';
import { DATABASE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const { resources } = synthesizeWorkload(DATABASE);
const secret = resources['kubernetes_secret_v1.database'];

describe('createDatabaseSecret', () => {
  it('writes the password by the write-only argument alone', () => {
    expect(secret).toHaveProperty('data_wo', { DB_PASSWORD: '${var.db_password}' });
    expect(secret).not.toHaveProperty('data');
  });

  it('has a revision, without which the provider would write nothing', () => {
    expect(secret).toHaveProperty('data_wo_revision', '${var.db_password_revision}');
  });

  it('refuses a plan without a password, and says how to give one', () => {
    expect(secret).toHaveProperty('lifecycle.precondition', [
      {
        condition: '${try(length(var.db_password) > 0, false)}',
        error_message: expect.stringContaining('TF_VAR_db_password'),
      },
    ]);
  });

  it('has the name that the pods mount', () => {
    expect(secret).toHaveProperty('metadata.name', 'file-processing-secrets');
  });

  it.each([
    ['file-processing-secrets', true],
    ['etl-database', false],
    ['', false],
  ])('stays when others take over the one of this name: "%s"', (existing_secret_name, stays) => {
    const { removed = [] } = synthesizeFileProcessing({ ...DATABASE, existing_secret_name });
    expect(removed.map(({ from }) => from).includes('kubernetes_secret_v1.database')).toBe(stays);
  });
});
