import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../../../listener/src/config/database-config.ts';
import { mailOf } from '../../../../listener/src/notices/mail.ts';
import type { Outlet } from '../../../../listener/src/notices/outlet.ts';
import { smtpOptions, smtpOutlet } from '../../../../listener/src/notices/smtp.ts';
import { Wording } from '../../../../listener/src/notices/wording.ts';
import {
  CONTACT,
  describeFiles,
  forgetNotices,
  noticedVerdict,
  tellerOf,
} from '../../support/noticed-runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startSmtpServer, type TestSmtpServer } from '../../support/smtp-server.ts';

const FROM = 'data-quality@example.org';
const SERVER = { host: '127.0.0.1', port: 587, user: undefined, password: undefined };

let given: TestDatabase;
const opened: { close(): unknown }[] = [];
beforeAll(async () => {
  given = await createTestDatabase();
  await describeFiles(given.database);
});
afterAll(async () => {
  for (const one of opened) await one.close();
  await given?.drop();
});
beforeEach(() => forgetNotices(given.database));

function outletTo(server: TestSmtpServer, more: object = {}): Outlet {
  const outlet = smtpOutlet({ from: FROM, smtp: { ...SERVER, port: server.port, ...more } });
  opened.push(outlet);
  return outlet;
}

async function serve(options: Parameters<typeof startSmtpServer>[0] = {}): Promise<TestSmtpServer> {
  const server = await startSmtpServer(options);
  opened.push(server);
  return server;
}

test('a rejected file arrives as a mail of plain text that no responder answers', async () => {
  const server = await serve();
  await noticedVerdict(given.database, 'failed', { key: 'from/ü.csv' });
  await tellerOf(given.database, [outletTo(server)]).tell();
  const [id] = await given.database('notice_messages').pluck('id');
  expect(server.mails).toHaveLength(1);
  expect(server.mails[0]).toMatchObject({
    to: [CONTACT],
    headers: {
      ...{ from: FROM, to: CONTACT, 'auto-submitted': 'auto-generated' },
      'message-id': `<${id}@example.org>`,
      'content-type': expect.stringMatching(/^text\/plain; charset=utf-8/),
    },
    body: expect.stringContaining('1 row has no officer id (row 3)'),
  });
});

test('the user signs in', async () => {
  const seen: unknown[] = [];
  const server = await serve({
    authOptional: false,
    onAuth: ({ username, password }, _session, callback) => {
      seen.push([username, password]);
      callback(null, { user: username });
    },
  });
  await noticedVerdict(given.database, 'failed');
  const signedIn = { user: 'fp', password: new Secret('pass word') };
  await tellerOf(given.database, [outletTo(server, signedIn)]).tell();
  expect(seen).toEqual([['fp', 'pass word']]);
  expect(server.mails).toHaveLength(1);
});

test('a recipient who is refused for good is a dead letter, whose reason quotes no answer', async () => {
  const server = await serve({
    onRcptTo: (_address, _session, callback) =>
      callback(Object.assign(new Error('no such user SECRETWORD'), { responseCode: 550 })),
  });
  await noticedVerdict(given.database, 'failed');
  const teller = tellerOf(given.database, [outletTo(server)]);
  await teller.tell();
  expect(await given.database('notice_messages')).toMatchObject([
    { status: 'dead', error: 'SMTP 550 to RCPT TO' },
  ]);
  expect(teller.log).not.toContain('SECRETWORD');
  expect(teller.log).not.toContain(CONTACT);
});

test('a server that is away is tried again', async () => {
  const server = await serve();
  await server.close();
  await noticedVerdict(given.database, 'failed');
  await tellerOf(given.database, [outletTo(server)]).tell();
  expect(await given.database('notice_messages')).toMatchObject([
    { status: 'waiting', attempts: 1, error: expect.stringMatching(/^ESOCKET|^ECONN/) },
  ]);
});

describe('encryption', () => {
  test('is required but on this machine', () => {
    expect(smtpOptions({ ...SERVER, host: 'smtp.example.org' })).toMatchObject({
      ...{ secure: false, requireTLS: true, ignoreTLS: false },
    });
    expect(smtpOptions({ ...SERVER, host: 'smtp.example.org', port: 465 }).secure).toBe(true);
    expect(smtpOptions(SERVER)).toMatchObject({ requireTLS: false, ignoreTLS: true });
  });
});

describe('header injection', () => {
  const message = { id: 'i', notices: [], untold: 1 };

  test.each([
    'ana@city.gov\r\nBcc: eve@evil.example',
    'ana@city.gov\nBcc: eve@evil.example',
    'ana@city.gov>\r\nRCPT TO:<eve@evil.example',
    'ana@city.gov,eve@evil.example',
  ])('by the address %j is refused', (target) => {
    expect(() => mailOf({ ...message, target }, FROM, new Wording())).toThrow(
      'not an e-mail address',
    );
  });

  test('by a key reaches no header', async () => {
    const server = await serve();
    await noticedVerdict(given.database, 'failed', {
      key: 'x\r\nBcc: eve@evil.example\r\n\r\nHello.csv',
    });
    await tellerOf(given.database, [outletTo(server)]).tell();
    expect(server.mails[0]?.to).toEqual([CONTACT]);
    expect(server.mails[0]?.headers).not.toHaveProperty('bcc');
    expect(server.mails[0]?.headers.subject).toContain('\\u{d}\\u{a}Bcc');
  });
});
