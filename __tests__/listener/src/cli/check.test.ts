import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Database } from '../../../../listener/src/database/connection.ts';
import { startAwsAccountServer } from '../../support/aws-account-server.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { judgedRun, openRun } from '../../support/runs.ts';
import { startSmtpServer } from '../../support/smtp-server.ts';

const ROLE = 'arn:aws-us-gov:sts::123456789012:assumed-role/file-processing-sa/session';
const narrow = (bucket: string, prefix: string) =>
  bucket === 'drop-box' && prefix.startsWith('from_client/');

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => vi.unstubAllEnvs());

async function checkAws(
  rights: Partial<Parameters<typeof startAwsAccountServer>[0]> = {},
  parameters: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {
    S3_BUCKET: 'drop-box',
    S3_PREFIXES: 'from_client/',
  },
) {
  const buckets = ['drop-box', 'other-box'];
  const server = await startAwsAccountServer({ arn: ROLE, mayList: narrow, buckets, ...rights });
  onTestFinished(() => server.close());
  return cli(['check', '--only', 'aws', ...parameters], {
    AWS_REGION: 'us-gov-west-1',
    AWS_ENDPOINT_URL: server.origin,
    ...settings,
  });
}

async function checkDatabase(kind: 'migrated' | 'empty', change: (url: string) => string) {
  const given = await createTestDatabase(kind);
  onTestFinished(() => given.drop());
  return cli(['check', '--only', 'database'], { DATABASE_URL: change(given.url) });
}

test('a mapping in use that is refused by now is named with what is wrong in it', async () => {
  const given = await createTestDatabase();
  onTestFinished(() => given.drop());
  const schema = { fields: [{ name: 'id', type: 'string' }], primarykey: 'id' };
  const mapping = { version: 1, table_schema: schema };
  await given.database('mappings').insert([
    { name: 'officers', ...mapping },
    { name: 'unused', ...mapping },
  ]);
  await given.database('monitoring_files').insert({
    ...{ client: 'c', bucket: 'b', key_pattern: '*.csv' },
    ...{ mapping_name: 'officers', mapping_version: 1 },
  });
  const { code, out } = await cli(['check', '--only', 'database'], { DATABASE_URL: given.url });
  expect(code).toBe(1);
  expect(out).toMatch(/RED +mappings in use +officers 1: .*primarykey.*\n +next: .*seed\n/);
  expect(out).not.toContain('unused');
});

test('a contact that no mail can go to is named by its file, without the address', async () => {
  const given = await createTestDatabase();
  onTestFinished(() => given.drop());
  await given.database('mappings').insert({ name: 'officers', version: 1, table_schema: {} });
  const file = { client: 'c', bucket: 'b', mapping_name: 'officers', mapping_version: 1 };
  await given.database('monitoring_files').insert([
    { ...file, key_pattern: 'a/*.csv', contact: { email: 'ana@example.org' } },
    { ...file, key_pattern: 'b/*.csv', contact: { email: 'ana@intranet' } },
    { ...file, key_pattern: 'c/*.csv', contact: { email: 'old@intranet' }, active: false },
  ]);
  const mail = {
    ...{ NOTICE_EMAIL: 'smtp', NOTICE_EMAIL_FROM: 'quality@example.org' },
    ...{ NOTICE_SMTP_HOST: 'smtp.example.org', NOTICE_SMTP_PORT: '587' },
  };
  const database = ['check', '--only', 'database'];
  const { code, out } = await cli(database, { DATABASE_URL: given.url, ...mail });
  expect(code).toBe(1);
  expect(out).toMatch(
    /RED +contacts +of the monitored file 2 the contact is not an e-mail address/,
  );
  expect(out).not.toContain('intranet');
  expect((await cli(database, { DATABASE_URL: given.url })).out).not.toContain('contacts');
});

test('a role that may do what it needs and no more is ok', async () => {
  const { code, out } = await checkAws({}, ['--other-bucket', 'other-box']);
  expect(out.replaceAll(/ {2,}/g, '  ')).toBe(
    [
      `ok  AWS identity  ${ROLE}`,
      'ok  list s3://drop-box/from_client/  allowed',
      'ok  list versions in s3://drop-box/from_client/  allowed',
      'ok  list all of s3://drop-box  denied, as it must be',
      'ok  list versions in all of s3://drop-box  denied, as it must be',
      'ok  list s3://other-box  denied, as it must be',
      '',
    ].join('\n'),
  );
  expect(code).toBe(0);
});

describe('rights for files by their verdict', () => {
  const ROUTING = {
    ...{ S3_BUCKET: 'drop-box', S3_PREFIXES: 'from_client/', ROUTING_TAGS: 'true' },
    ROUTING_TARGETS: '[{"bucket":"other-box","prefix":"checked/"}]',
  };
  const routed = async (mayRoute: (act: string, bucket: string, key: string) => boolean) => {
    const { code, out } = await checkAws({ mayRoute }, [], ROUTING);
    const lines = out.replaceAll(/ {2,}/g, '  ').split('\n');
    return { code, lines: lines.filter((line) => /copy to|tag/.test(line)) };
  };
  const place = (bucket: string, key: string) =>
    bucket === 'drop-box' ? key.startsWith('from_client/') : key.startsWith('checked/');

  test('are tried where nothing is, and are ok', async () => {
    expect(await routed((_, bucket, key) => place(bucket, key))).toEqual({
      code: 0,
      lines: [
        'ok  read tags in s3://drop-box/from_client/  allowed',
        'ok  tag in s3://drop-box/from_client/  allowed',
        'ok  copy to s3://other-box/checked/  allowed',
      ],
    });
  });

  test.each([
    ['read tags', 'read tags in s3://drop-box/from_client/'],
    ['tag', 'tag in s3://drop-box/from_client/'],
    ['part', 'copy to s3://other-box/checked/'],
    ['abort', 'copy to s3://other-box/checked/'],
  ])('are red without the one for %s', async (missing, what) => {
    const { code, lines } = await routed((act) => act !== missing);
    expect(code).toBe(1);
    expect(lines.filter((line) => line.startsWith('RED'))).toEqual([`RED  ${what}  AccessDenied`]);
  });
});

describe('check --only notices', () => {
  const checkMail = (port: number, more: Readonly<Record<string, string>> = {}) =>
    cli(['check', '--only', 'notices'], {
      ...{ NOTICE_EMAIL: 'smtp', NOTICE_EMAIL_FROM: 'quality@example.org' },
      ...{ NOTICE_SMTP_HOST: '127.0.0.1', NOTICE_SMTP_PORT: `${port}` },
      ...more,
    });

  test('connects to the SMTP server, and sends nothing', async () => {
    const server = await startSmtpServer();
    onTestFinished(() => server.close());
    const { code, out } = await checkMail(server.port);
    expect([code, out]).toEqual([0, `ok   SMTP server 127.0.0.1:${server.port}  takes mail\n`]);
    expect(server.mails).toEqual([]);
  });

  test('is red where the server refuses the password, which is not shown', async () => {
    const server = await startSmtpServer({
      onAuth: (_auth, _session, callback) => callback(new Error('no')),
    });
    onTestFinished(() => server.close());
    const { code, out } = await checkMail(server.port, {
      ...{ NOTICE_SMTP_USER: 'listener', NOTICE_SMTP_PASSWORD: 'marker-secret' },
    });
    expect(code).toBe(1);
    expect(out).toMatch(/RED +SMTP server .* SMTP 535/);
    expect(out).not.toContain('marker-secret');
  });

  test('has nothing to try without an SMTP server', async () => {
    const { code, out } = await cli(['check', '--only', 'notices'], {});
    expect([code, out]).toEqual([0, 'there is nothing to check\n']);
  });
});

test('each of several buckets is looked at', async () => {
  const S3_BUCKETS =
    '[{"name":"drop-box","prefixes":["from_client/"]},{"name":"letters","prefixes":["in/"]}]';
  const mayList = (_: string, prefix: string) => prefix === 'from_client/';
  const { code, out } = await checkAws({ mayList, buckets: ['drop-box', 'letters'] }, [], {
    S3_BUCKETS,
  });
  expect(out).toMatch(/ok +list s3:\/\/drop-box\/from_client\/ +allowed/);
  expect(out).toMatch(/RED +list s3:\/\/letters\/in\/ +AccessDenied/);
  expect(out).toMatch(/ok +list all of s3:\/\/letters +denied, as it must be/);
  expect(code).not.toBe(0);
});

test('a role that may list everything is red', async () => {
  const { code, out } = await checkAws({ mayList: () => true }, ['--other-bucket', 'other-box']);
  expect(out).toMatch(/RED {2}list all of s3:\/\/drop-box +allowed, but must not be/);
  expect(out).toMatch(/RED {2}list s3:\/\/other-box +allowed, but must not be/);
  expect(code).toBe(1);
});

test('a role that may list objects but not their versions is red', async () => {
  const { code, out } = await checkAws({ mayListVersions: () => false });
  expect(out).toMatch(/ok +list s3:\/\/drop-box\/from_client\/ +allowed/);
  expect(out).toMatch(
    /RED +list versions in s3:\/\/drop-box\/from_client\/ +AccessDenied\n +next: /,
  );
  expect(code).toBe(1);
});

test('a role that may list the versions of everything is red', async () => {
  const { code, out } = await checkAws({ mayListVersions: () => true });
  expect(out).toMatch(/RED +list versions in all of s3:\/\/drop-box +allowed, but must not be/);
  expect(code).toBe(1);
});

test('a role that may not list its own prefix is red', async () => {
  const { code, out } = await checkAws({ mayList: () => false });
  expect(out).toMatch(/RED {2}list s3:\/\/drop-box\/from_client\/ +AccessDenied\n +next: /);
  expect(code).toBe(1);
});

test('credentials that AWS refuses are red, and the rest is tried all the same', async () => {
  const { code, out } = await checkAws({ arn: undefined });
  expect(out).toMatch(/RED {2}AWS identity +ExpiredToken/);
  expect(out).toMatch(/ok {3}list s3:\/\/drop-box\/from_client\//);
  expect(code).toBe(1);
});

test('beside npm start, where files are in a folder, nothing of AWS is needed', async () => {
  const { code, out } = await cli(['check', '--only', 'aws'], {
    LOCAL_S3_ROOT: import.meta.dirname,
    S3_BUCKET: 'drop-box',
  });
  expect([code, out]).toEqual([
    0,
    `ok   AWS  not needed: files are below ${import.meta.dirname}\n`,
  ]);
});

test('a region that is not set is red and says what to set', async () => {
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_REGION', undefined);
  const { code, out } = await cli(['check', '--only', 'aws'], {});
  expect(out).toMatch(
    /RED {2}AWS identity +Region is missing\n +next: set AWS_REGION; or LOCAL_S3_ROOT where files are in a folder, as beside npm start\n/,
  );
  expect(code).toBe(1);
});

test('another bucket that does not exist proves nothing', async () => {
  const { code, out } = await checkAws({}, ['--other-bucket', 'no-box']);
  expect(out).toMatch(/RED {2}list s3:\/\/no-box +NoSuchBucket\n +next: name a bucket that exists/);
  expect(code).toBe(1);
});

const TRUSTING = {
  S3_BUCKET: 'drop-box',
  S3_PREFIXES: 'from_client/',
  SQS_QUEUE_URL: 'https://sqs.us-gov-west-1.amazonaws.com/123456789012/deliveries',
  SQS_TRUSTED_SOURCES: 'drop-box@123456789012',
};

test('a queue that only services for named sources may send to is ok', async () => {
  const queuePolicy = JSON.stringify({
    Statement: {
      ...{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' } },
      Action: 'sqs:SendMessage',
      Condition: {
        ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::drop-box' },
        StringEquals: { 'aws:SourceAccount': '123456789012' },
      },
    },
  });
  const { code, out } = await checkAws({ queuePolicy }, [], TRUSTING);
  expect(out).toMatch(/ok +senders of the queue +services of AWS alone/);
  expect(code).toBe(0);
});

test('a queue that anybody may send to is red where its messages need no signature', async () => {
  const queuePolicy = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*"}]}';
  const { code, out } = await checkAws({ queuePolicy }, [], TRUSTING);
  expect(out).toMatch(/RED +senders of the queue +a statement lets \* send\n +next: narrow/);
  expect(code).toBe(1);
});

test('a role that may not ask who may send is red', async () => {
  const { code, out } = await checkAws({}, [], TRUSTING);
  expect(out).toMatch(
    /RED +senders of the queue +AccessDenied.*\n +next: .*sqs:GetQueueAttributes/,
  );
  expect(code).toBe(1);
});

test('--json prints the results as a list', async () => {
  const { out } = await checkAws({}, ['--json']);
  expect(JSON.parse(out)[0]).toStrictEqual({ name: 'AWS identity', ok: true, found: ROLE });
});

test('a database with the tables of this program is ok', async () => {
  const { code, out } = await checkDatabase('migrated', (url) => url);
  expect(out).toMatch(/^ok {3}database connection +PostgreSQL \d+/);
  expect(out).toMatch(/ok {3}database schema +up to date/);
  expect(code).toBe(0);
});

test('a database without tables is red and says what to run', async () => {
  const { code, out } = await checkDatabase('empty', (url) => url);
  expect(out).toMatch(/RED {2}database schema .*\n +next: run file-processing migrate/);
  expect(code).toBe(1);
});

test('a refused connection is red, without the password', async () => {
  const { code, out, err } = await checkDatabase('empty', (url) =>
    url.replace(/:[^:@]+@/, ':wrong-marker@').replace(/@([^:/]+):\d+/, '@$1:1'),
  );
  expect(out).toMatch(/RED {2}database connection .*ECONNREFUSED/);
  expect(out + err).not.toContain('wrong-marker');
  expect(code).toBe(1);
});

test('an unknown part is refused', async () => {
  expect(await cli(['check', '--only', 'queue'])).toMatchObject({ code: 2 });
});

describe('check --only backlog', () => {
  async function checkBacklog(change: (database: Database) => Promise<unknown>, json = false) {
    const given = await createTestDatabase();
    onTestFinished(() => given.drop());
    await change(given.database);
    return cli(['check', '--only', 'backlog', ...(json ? ['--json'] : [])], {
      DATABASE_URL: given.url,
      REPORT_PREFIX: 'reports/',
      WRITE_REPORTS: 'true',
    });
  }

  test('is ok where nothing waits for somebody', async () => {
    const { code, out } = await checkBacklog(async () => undefined);
    expect(out.replaceAll(/ {2,}/g, '  ').split('\n')).toEqual([
      'ok  dead letters  0',
      'ok  unread messages  0',
      'ok  undelivered notices  0',
      'ok  verdicts of the last 7 days without report  0',
      'ok  missing deliveries  0',
      'ok  late deliveries  0',
      'ok  oldest file that waits  0 seconds',
      'ok  unmonitored files of the last 7 days  0',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('is red for what could not be read, for a missing report and for a file that waits', async () => {
    const { code, out } = await checkBacklog(async (database) => {
      await database('sns_messages').insert({
        ...{ message_id: 'm', outcome: 'dead', topic_arn: 't', type: 'Notification' },
        ...{ reason: 'r', message: '', signed_at: new Date() },
      });
      await judgedRun(database, { bucket: 'b', key: 'judged' });
      await database('judgements').update({
        finished_at: database.raw("now() - interval '1 hour'"),
      });
      await openRun(database, { bucket: 'b', key: 'waits' }, 'm');
      await database('runs')
        .where({ key: 'waits' })
        .update({ created_at: database.raw("now() - interval '2 hours'") });
    });
    expect(out).toMatch(/RED +unread messages +1\n +next: file-processing dead list/);
    expect(out).toMatch(/RED +verdicts of the last 7 days without report +1\n +next: /);
    expect(out).toMatch(/RED +oldest file that waits +7[23]\d\d seconds\n +next: /);
    expect(out).toMatch(/ok +unmonitored files of the last 7 days +1\n/);
    expect(code).toBe(1);
  });

  test('says first that the schema is old', async () => {
    const given = await createTestDatabase('empty');
    onTestFinished(() => given.drop());
    const { code, out } = await cli(['check', '--only', 'backlog'], {
      DATABASE_URL: given.url,
      DB_SCHEMA: 'elsewhere',
    });
    expect(out).toMatch(
      /RED +database schema +.*none of its tables is in the schema elsewhere yet/,
    );
    expect(code).toBe(1);
  });

  test('has its figures in JSON', async () => {
    const { out } = await checkBacklog(async () => undefined, true);
    expect(JSON.parse(out)).toContainEqual({ name: 'dead letters', ok: true, found: '0' });
  });
});
