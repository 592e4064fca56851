import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

/** As a browser that keeps cookies, up to the page. */
async function opened(address: string): Promise<Response> {
  const first = await fetch(address, { redirect: 'manual' });
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return fetch(new URL('/', address), { headers: { Cookie: cookie } });
}

const environment = () => ({ DATABASE_URL: given.url, AWS_REGION: 'us-gov-west-1' });

test('on this machine it prints an address that opens it, with the rights that it allows', async () => {
  const child = startListenerChild(['console', '--allow', 'look,act'], environment());
  const address = await eventually(async () => {
    const { msg } = child.lines[0] ?? {};
    expect(msg).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
    return `${msg}`;
  });
  expect((await opened(address)).status).toBe(200);
  expect(child.lines).toHaveLength(1);
  child.kill('SIGTERM');
  expect(await child.ended).toBe(0);
});

describe('for others', () => {
  test('it prints no token, and a link opens it once', async () => {
    const child = startListenerChild(['console'], { ...environment(), CONSOLE_HOST: '0.0.0.0' });
    const { address } = await child.line('console: served');
    const { port } = new URL(`${address}`);
    const { code, out } = await cli(['console', '--link', '--by', 'ana'], environment());
    expect([code, out]).toEqual([0, expect.stringMatching(/^\/\?link=[\w-]{43}\n$/)]);
    const link = new URL(out.trim(), `http://127.0.0.1:${port}`).href;
    expect((await opened(link)).status).toBe(200);
    expect((await opened(link)).status).toBe(401);
    expect(await child.line('console: signed in')).toMatchObject({ name: 'ana' });
    const told = JSON.stringify(child.lines) + child.errors();
    expect([told.includes('token'), told.includes(out.trim())]).toEqual([false, false]);
    child.kill('SIGTERM');
    expect(await child.ended).toBe(0);
  });
});

test.each([
  [['console', '--allow', 'own'], /look, act, reveal/],
  [['console', '--port', '70000'], /0 to 65535/],
])('%j is refused', async (parameters, reason) => {
  expect(await cli(parameters, environment())).toMatchObject({
    code: 2,
    err: expect.stringMatching(reason),
  });
});

test('every fault of its settings is named at once', async () => {
  const { code, err } = await cli(['console'], {
    ...environment(),
    CONSOLE_OIDC_ISSUER: 'http://login.example.org',
    CONSOLE_IDLE_MINUTES: 'long',
  });
  expect(code).toBe(2);
  expect(err).toMatch(/CONSOLE_OIDC_ISSUER[\s\S]*CONSOLE_ORIGIN[\s\S]*CONSOLE_IDLE_MINUTES/);
});
