import { setTimeout as delay } from 'node:timers/promises';
import knex from 'knex';
import { fromKnex, PgBoss } from 'pg-boss';

/**
 * A listener of a version up to 0.2, reduced to its statements: tables by their bare names, the queue
 * in `pgboss`, a message with its run and its job in one transaction, a worker beside it. Takes keys
 * from its parent and answers each with whether it was recorded.
 */
const database = knex({
  client: 'pg',
  connection: process.argv[2] ?? '',
  pool: { min: 0, max: 5 },
});
const boss = new PgBoss({ db: fromKnex(database), supervise: false, schedule: false });
boss.on('error', () => undefined);
await boss.start();

async function accept(key: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const { rows } = await transaction.raw(
      `WITH new_messages AS (
         INSERT INTO sns_messages (message_id, topic_arn, type, outcome, message, signed_at)
         VALUES (?, 't', 'Notification', 'accepted', '{}', now())
         ON CONFLICT (message_id) DO NOTHING RETURNING message_id
       )
       INSERT INTO runs (message_id, bucket, key) SELECT message_id, 'b', ? FROM new_messages
       ON CONFLICT (bucket, key, coalesce(version_id, e_tag, ''), coalesce(sequencer, ''))
         DO NOTHING
       RETURNING id`,
      [key, key],
    );
    const jobs = rows.map(({ id }: { id: string }) => ({ data: { runId: id } }));
    if (jobs.length > 0) await boss.insert('runs', jobs, { db: fromKnex(transaction) });
  });
}

async function work(): Promise<void> {
  for (const job of await boss.fetch<{ runId: string }>('runs', { batchSize: 2 })) {
    await database.raw(
      `UPDATE runs SET status = 'finished', started_at = now(), finished_at = now(), attempts = 1,
         verdict = 'passed', report = '{}', row_count = 1, byte_count = 1, fault_count = 0 WHERE id = ?`,
      [job.data.runId],
    );
    await boss.complete('runs', job.id);
  }
}

process.on('message', (key: string) => {
  accept(key).then(
    () => process.send?.({ key, recorded: true }),
    () => process.send?.({ key, recorded: false }),
  );
});
process.send?.('ready');
while (process.connected) {
  await work().catch(() => undefined);
  await delay(20);
}
process.exit();
