import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findJudgement } from '../../../listener/src/database/judgements.ts';
import { migrate } from '../../../listener/src/database/migrate.ts';
import {
  findMessage,
  insertSubscriptionMessage,
} from '../../../listener/src/database/sns-messages.ts';
import { migrateTo } from '../support/older-version.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openRun } from '../support/runs.ts';

let given: TestDatabase;
beforeEach(async () => {
  given = await createTestDatabase('empty');
});
afterEach(() => given.drop());

const MESSAGE = {
  message_id: 'old',
  topic_arn: 'topic',
  type: 'Notification',
  outcome: 'accepted',
  message: '{}',
  signed_at: new Date('2026-01-31T23:59:59Z'),
};

/** A database as the version before left it. @returns the run of a file that it judged */
async function ofVersionBefore(): Promise<string> {
  const { database } = given;
  await migrateTo(database, '0022');
  await database('sns_messages').insert(MESSAGE);
  const runId = await openRun(database, { bucket: 'b', key: 'k' });
  await database('judgements').insert({
    ...{ run_id: runId, number: 1, asked_by: 'message', status: 'finished', verdict: 'passed' },
    ...{ row_count: 1, byte_count: 1, fault_count: 0, attempts: 1, report: { rows: 1 } },
    ...{ withheld: {}, started_at: new Date(), finished_at: new Date() },
  });
  return runId;
}

describe('a database of the version before', () => {
  test('keeps its messages and reports where they are', async () => {
    const runId = await ofVersionBefore();
    await migrate(given.config);
    expect(await findMessage(given.database, 'old')).toMatchObject({ messageId: 'old' });
    expect(await findJudgement(given.database, { runId, number: 1 })).toMatchObject({
      report: { rows: 1 },
      withheld: {},
      detailsDeletedAt: null,
    });
    const { rows } = await given.database.raw(
      "SELECT tableoid::regclass::text AS name FROM messages WHERE message_id = 'old'",
    );
    expect(rows).toEqual([{ name: 'sns_messages' }]);
  });

  test('knows a message that comes again, whichever version took it', async () => {
    await ofVersionBefore();
    await migrate(given.config);
    const again = { ...MESSAGE, message_id: 'of a replica of that version' };
    await given.database('sns_messages').insert(again).onConflict('message_id').ignore();
    for (const messageId of ['old', again.message_id]) {
      const envelope = {
        ...{ messageId, topicArn: 'topic', message: '{}', timestamp: MESSAGE.signed_at },
      };
      expect(await insertSubscriptionMessage(given.database, envelope, 'confirmation')).toBe(false);
    }
  });

  test('is migrated also where a process that prepared it was killed', async () => {
    await ofVersionBefore();
    await given.database.raw(`
      ALTER TABLE judgements ADD COLUMN reported_at timestamptz;
      CREATE INDEX judgements_with_texts ON judgements (finished_at);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'judgements_with_texts'::regclass;
      ALTER TABLE sns_messages ADD CONSTRAINT sns_messages_before_months
        CHECK (signed_at < '2026-02-01') NOT VALID`);
    await migrate(given.config);
    const { rows } = await given.database.raw(
      `SELECT indisvalid AS valid, pg_get_expr(indpred, indrelid) IS NOT NULL AS partial
       FROM pg_index WHERE indexrelid = 'judgements_with_texts'::regclass`,
    );
    expect(rows).toEqual([{ valid: true, partial: true }]);
    const left = await given
      .database('pg_constraint')
      .where({ conname: 'sns_messages_before_months' });
    expect(left).toEqual([]);
  });
});
