import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { claimMessages } from '../../../../listener/src/notices/messages.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import { eventually } from '../../../support/eventually.ts';
import { eventOf } from '../../support/cli.ts';
import { type ListenerChild, startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startSmtpServer, type TestSmtpServer } from '../../support/smtp-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SAMPLE = new URL('../../../../listener/local/samples/Officer_Detail.csv', import.meta.url);
const BUCKET = 'etl-ba-research-client-etl';
const KEY = 'from_client/nm_albuquerque/Officer_Detail.csv';

let given: TestDatabase;
let server: TestSmtpServer;
let settings: Record<string, string>;
/** What the server does with a mail before it answers. */
let onMail: () => Promise<void>;

beforeEach(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
  onMail = async () => undefined;
  server = await startSmtpServer({}, () => onMail());
  const root = await temporaryFolder();
  await mkdir(dirname(join(root, BUCKET, KEY)), { recursive: true });
  await copyFile(SAMPLE, join(root, BUCKET, KEY));
  settings = {
    ...{ DATABASE_URL: given.url, LOCAL_S3_ROOT: root, S3_BUCKET: BUCKET, METRICS_PORT: '0' },
    ...{ NOTICE_EMAIL: 'smtp', NOTICE_EMAIL_FROM: 'data-quality@example.org' },
    ...{ NOTICE_OPERATORS: 'data@example.org', NOTICE_SMTP_HOST: '127.0.0.1' },
    NOTICE_SMTP_PORT: `${server.port}`,
  };
});
afterEach(async () => {
  await server.close();
  await given.drop();
});

const worker = (): ListenerChild => startListenerChild(['serve', '--role', 'worker'], settings);

/** What a minute would do. */
async function endLeases(): Promise<void> {
  await given.database('notice_messages').update({ next_at: new Date() });
}

test('a process that is killed after the verdict leaves the notice to another one', async () => {
  const run = startListenerChild(
    ['run', 's3_data_quality_job', '--event-json', eventOf(BUCKET, KEY)],
    settings,
  );
  await eventually(async () =>
    expect(await given.database('notices').pluck('number')).toEqual([1]),
  );
  run.kill('SIGKILL');
  await run.ended;
  expect(server.mails).toEqual([]);
  await worker().line('notice delivered');
  expect(server.mails.map(({ headers }) => headers.subject)).toEqual([
    'Rejected: Officer_Detail.csv',
  ]);
});

test('a worker that is killed while it sends has the same mail sent again, and no third one', async () => {
  await startListenerChild(
    ['run', 's3_data_quality_job', '--event-json', eventOf(BUCKET, KEY)],
    settings,
  ).ended;
  const first = worker();
  onMail = async () => {
    first.kill('SIGKILL');
    await first.ended;
  };
  await first.ended;
  onMail = async () => undefined;
  await endLeases();
  const second = worker();
  await second.line('notice delivered');
  await endLeases();
  expect(await claimMessages(given.database, { way: 'email' }, new Date(), 5)).toEqual([]);
  const ids = server.mails.map(({ headers }) => headers['message-id']);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});
