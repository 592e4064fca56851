import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKey, type SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import {
  createCertificateStore,
  type KnownCertificate,
  type KnownCertificates,
} from '../../../../listener/src/sns/certificates.ts';
import { eventually } from '../../../support/eventually.ts';
import { startTestServer, type TestServer } from '../../support/sns-sockets.ts';

let key: SigningKey;
let otherKey: SigningKey;
const servers: TestServer[] = [];

beforeAll(async () => {
  [key, otherKey] = await Promise.all([makeSigningKey(), makeSigningKey()]);
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(handler: RequestListener): Promise<TestServer> {
  const server = await startTestServer(handler);
  servers.push(server);
  return server;
}

function serveText(text: string): Promise<TestServer> {
  return serve((_, response) => response.end(text));
}

function unavailable(reason: string) {
  return expect.objectContaining({
    code: 'certificate_unavailable',
    status: 503,
    details: expect.objectContaining({ reason: expect.stringContaining(reason) }),
  });
}

describe('answers', () => {
  it.each([
    ['a certificate', 200, true],
    ['that there is none', 404, true],
    ['that the server is broken', 503, false],
  ])('looks whether there is an answer: %s', async (_, status, expected) => {
    const { origin } = await serve((_request, response) => {
      response.writeHead(status).end(key.certificate);
    });
    expect(await createCertificateStore().answers(`${origin}/a.pem`)).toBe(expected);
  });

  it('says that there is none where nobody listens', async () => {
    const server = await serveText(key.certificate);
    await server.close();
    expect(await createCertificateStore().answers(`${server.origin}/a.pem`)).toBe(false);
  });
});

describe('get', () => {
  it('reads key and validity of the certificate', async () => {
    const { origin } = await serveText(key.certificate);

    const certificate = await createCertificateStore().get(`${origin}/a.pem`);

    expect(certificate.publicKey.asymmetricKeyType).toBe('rsa');
    expect(certificate.validFrom.getTime()).toBeLessThan(Date.now());
    expect(certificate.validTo.getTime()).toBeGreaterThan(Date.now());
  });

  it('fetches a certificate once', async () => {
    const server = await serveText(key.certificate);
    const store = createCertificateStore();

    await store.get(`${server.origin}/a.pem`);
    await store.get(`${server.origin}/a.pem`);

    expect(server.requests).toEqual(['/a.pem']);
  });

  it('lets concurrent questions share a fetch', async () => {
    const server = await serveText(key.certificate);
    const store = createCertificateStore();

    await Promise.all(Array.from({ length: 50 }, () => store.get(`${server.origin}/a.pem`)));

    expect(server.requests).toEqual(['/a.pem']);
  });

  it('keeps a bounded number and drops the one not used for longest', async () => {
    const server = await serveText(key.certificate);
    const store = createCertificateStore({ maxEntries: 2 });
    for (const path of ['/a', '/b', '/a', '/c', '/a', '/b']) {
      await store.get(server.origin + path);
    }

    expect(server.requests).toEqual(['/a', '/b', '/c', '/b']);
  });

  it('follows no redirect', async () => {
    const target = await serveText(key.certificate);
    const { origin } = await serve((_, response) =>
      response.writeHead(302, { location: `${target.origin}/a.pem` }).end(),
    );

    await expect(createCertificateStore().get(`${origin}/a.pem`)).rejects.toThrow(
      unavailable('redirect'),
    );
    expect(target.requests).toEqual([]);
  });

  it.each([204, 404, 500])('refuses an answer of HTTP %i', async (status) => {
    const { origin } = await serve((_, response) => response.writeHead(status).end());

    await expect(createCertificateStore().get(origin)).rejects.toThrow(
      unavailable(`HTTP ${status}`),
    );
  });

  it('gives up on a host that does not answer', async () => {
    const { origin } = await serve(() => undefined);
    const store = createCertificateStore({ timeoutMilliseconds: 50 });

    await expect(store.get(origin)).rejects.toThrow(unavailable('no answer within 50 ms'));
  });

  it('gives up on a host that dribbles its answer', async () => {
    const { origin } = await serve((_, response) => {
      response.write('-----BEGIN CERTIFICATE-----\n');
    });
    const store = createCertificateStore({ timeoutMilliseconds: 50 });

    await expect(store.get(origin)).rejects.toThrow(unavailable('no answer within 50 ms'));
  });

  it('gives up on an answer that never ends', async () => {
    const { origin } = await serve((_, response) => {
      const write = (): void => {
        while (response.write('x'.repeat(16_384))) {
          // until the socket's buffer is full
        }
      };
      response.on('drain', write);
      write();
    });

    await expect(createCertificateStore().get(origin)).rejects.toThrow(
      unavailable('larger than 65536 bytes'),
    );
  });

  it('says when nobody listens there', async () => {
    const server = await startTestServer(() => undefined);
    await server.close();

    await expect(createCertificateStore().get(server.origin)).rejects.toThrow(
      unavailable('ECONNREFUSED'),
    );
  });

  it('needs the PEM header at the very beginning', async () => {
    const { origin } = await serveText(`\n${key.certificate}`);

    await expect(createCertificateStore().get(origin)).rejects.toThrow(
      unavailable('does not begin with'),
    );
  });

  it('refuses what only looks like a certificate', async () => {
    const { origin } = await serveText(
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    );

    await expect(createCertificateStore().get(origin)).rejects.toThrow(
      unavailable('not a certificate'),
    );
  });

  it('refuses a bare public key', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { origin } = await serveText(String(publicKey.export({ type: 'spki', format: 'pem' })));

    await expect(createCertificateStore().get(origin)).rejects.toThrow(
      unavailable('does not begin with'),
    );
  });

  it('refuses a weak key', async () => {
    const weak = await makeSigningKey({ bits: 1024 });
    const { origin } = await serveText(weak.certificate);

    await expect(createCertificateStore().get(origin)).rejects.toThrow(
      unavailable('at least 2048 bits'),
    );
  });

  it('answers a failure from memory for a short while alone', async () => {
    let now = 0;
    let text = 'busy';
    const server = await serve((_, response) => response.end(text));
    const store = createCertificateStore({ failureMilliseconds: 2000, now: () => now });

    await expect(store.get(server.origin)).rejects.toThrow();
    await expect(store.get(server.origin)).rejects.toThrow();
    expect(server.requests).toHaveLength(1);

    text = key.certificate;
    now = 2000;
    await expect(store.get(server.origin)).resolves.toMatchObject({ url: server.origin });
  });

  it('waits twice as long after each further failure of a URL, up to four times', async () => {
    let now = 0;
    const server = await serve((_, response) => response.writeHead(500).end());
    const store = createCertificateStore({ failureMilliseconds: 1000, now: () => now });
    const fetchedAt: number[] = [];
    for (; now < 16_000; now += 500) {
      const before = server.requests.length;
      await expect(store.get(server.origin)).rejects.toThrow(unavailable('HTTP 500'));
      if (server.requests.length > before) fetchedAt.push(now);
    }

    expect(fetchedAt).toEqual([0, 1000, 3000, 7000, 11_000, 15_000]);
  });

  it('says why in one line, without a stack of the client', async () => {
    const server = await startTestServer(() => undefined);
    await server.close();
    const error = await createCertificateStore()
      .get(server.origin)
      .catch((thrown: Error) => thrown);

    expect(error).not.toHaveProperty('cause');
  });

  it('fetches no more than its budget for a minute, over all URLs', async () => {
    let now = 0;
    const server = await serveText(key.certificate);
    const store = createCertificateStore({ maxFetchesPerMinute: 2, now: () => now });
    await store.get(`${server.origin}/a`);
    await store.get(`${server.origin}/b`);

    await expect(store.get(`${server.origin}/c`)).rejects.toThrow(
      unavailable('more than 2 fetches of unknown certificates in a minute'),
    );
    await expect(store.get(`${server.origin}/a`)).resolves.toBeDefined();

    now = 60_000;
    await expect(store.get(`${server.origin}/c`)).resolves.toBeDefined();
  });
});

/** What several processes remember together. */
function memoryOf(...remembered: KnownCertificate[]) {
  const asked: string[] = [];
  const memory: KnownCertificates & { asked: string[]; remembered: KnownCertificate[] } = {
    asked,
    remembered,
    async list() {
      asked.push('list');
      return [...remembered];
    },
    async add(certificate) {
      asked.push(`add ${certificate.url}`);
      remembered.push(certificate);
    },
  };
  return memory;
}

function knownAt(url: string, { certificate }: SigningKey): KnownCertificate {
  const { fingerprint256, validToDate } = new X509Certificate(certificate);
  const sha256 = fingerprint256.replaceAll(':', '').toLowerCase();
  return { url, sha256, validUntil: validToDate };
}

describe('known certificates', () => {
  it('are fetched though forged messages have used up the budget of all others', async () => {
    const server = await serveText(key.certificate);
    const known = memoryOf(knownAt(`${server.origin}/known`, key));
    const store = createCertificateStore({ maxFetchesPerMinute: 2, known });
    for (const path of ['/a', '/b']) await store.get(server.origin + path);
    await expect(store.get(`${server.origin}/c`)).rejects.toThrow(unavailable('unknown'));

    await expect(store.get(`${server.origin}/known`)).resolves.toMatchObject({
      url: `${server.origin}/known`,
    });
    expect(server.requests).toEqual(['/a', '/b', '/known']);
  });

  it('have a budget of their own, which nothing else spends', async () => {
    const server = await serveText(key.certificate);
    const known = memoryOf(...['/k', '/l'].map((path) => knownAt(server.origin + path, key)));
    const store = createCertificateStore({ maxKnownFetchesPerMinute: 1, known });
    for (const path of ['/a', '/k', '/b']) await store.get(server.origin + path);

    await expect(store.get(`${server.origin}/l`)).rejects.toThrow(
      unavailable('more than 1 fetches of known certificates in a minute'),
    );
  });

  it('are remembered once they have verified a message, each once', async () => {
    const { origin } = await serveText(key.certificate);
    const known = memoryOf();
    const store = createCertificateStore({ known });
    const certificate = await store.get(origin);
    expect(known.remembered).toEqual([]);

    store.noteVerified(certificate);
    store.noteVerified(certificate);

    expect(known.remembered).toEqual([knownAt(origin, key)]);
  });

  it('are remembered by a later message where the database was away', async () => {
    const { origin } = await serveText(key.certificate);
    const known = memoryOf();
    let away = true;
    const { add } = known;
    const store = createCertificateStore({
      known: { ...known, add: (one) => (away ? Promise.reject(new Error('away')) : add(one)) },
    });
    const certificate = await store.get(origin);
    store.noteVerified(certificate);
    away = false;

    await eventually(() => {
      store.noteVerified(certificate);
      expect(known.remembered).toHaveLength(1);
    });
  });

  it('are looked for from time to time alone, whatever messages name', async () => {
    let now = 0;
    const server = await serveText(key.certificate);
    const known = memoryOf();
    const store = createCertificateStore({ known, knownMilliseconds: 10_000, now: () => now });
    await Promise.all(['/a', '/b', '/c'].map((path) => store.get(server.origin + path)));
    now = 9_999;
    await store.get(`${server.origin}/d`);
    expect(known.asked).toEqual(['list']);

    now = 10_000;
    await store.get(`${server.origin}/e`);
    expect(known.asked).toEqual(['list', 'list']);
  });

  it('are fetched like any other while the database is away', async () => {
    const { origin } = await serveText(key.certificate);
    const known = { ...memoryOf(), list: () => Promise.reject(new Error('away')) };

    await expect(createCertificateStore({ known }).get(origin)).resolves.toBeDefined();
  });

  it.each([
    ['another certificate', () => otherKey.certificate, 200],
    ['no certificate', () => 'no', 200],
    ['nothing', () => '', 404],
  ])('that are forged waste one fetch where there is %s', async (_, text, status) => {
    let now = 0;
    const server = await serve((_, response) => response.writeHead(status).end(text()));
    const known = memoryOf(knownAt(`${server.origin}/forged`, key));
    const store = createCertificateStore({
      ...{ known, maxEntries: 1, maxFetchesPerMinute: 1, maxKnownFetchesPerMinute: 10 },
      ...{ knownMilliseconds: 0, now: () => now },
    });
    await store.get(`${server.origin}/forged`).catch(() => undefined);
    // It is out of memory, and the budget of all others used up.
    await store.get(`${server.origin}/a`).catch(() => undefined);
    now = 30_000;

    await expect(store.get(`${server.origin}/forged`)).rejects.toThrow(unavailable('unknown'));
    expect(server.requests).toEqual(['/forged', '/a']);
  });

  it('that were forgotten are believed again once a message is verified', async () => {
    const server = await serveText(otherKey.certificate);
    const known = memoryOf(knownAt(`${server.origin}/renewed`, key));
    const store = createCertificateStore({ known, maxEntries: 1, maxFetchesPerMinute: 1 });
    store.noteVerified(await store.get(`${server.origin}/renewed`));
    await store.get(`${server.origin}/a`);

    await expect(store.get(`${server.origin}/renewed`)).resolves.toBeDefined();
    expect(known.remembered.at(-1)).toEqual(knownAt(`${server.origin}/renewed`, otherKey));
  });

  it('keep their budget though a host does not answer for a while', async () => {
    let now = 0;
    let status = 503;
    const server = await serve((_, response) => response.writeHead(status).end(key.certificate));
    const known = memoryOf(knownAt(`${server.origin}/known`, key));
    const store = createCertificateStore({ known, maxFetchesPerMinute: 0, now: () => now });
    await expect(store.get(`${server.origin}/known`)).rejects.toThrow(unavailable('HTTP 503'));
    status = 200;
    now = 2000;

    await expect(store.get(`${server.origin}/known`)).resolves.toBeDefined();
  });

  it('spend nothing where a forged message has them fetched once more', async () => {
    let now = 0;
    const { origin } = await serveText(key.certificate);
    const known = memoryOf(knownAt(origin, key));
    const store = createCertificateStore({
      ...{ known, maxFetchesPerMinute: 1, maxKnownFetchesPerMinute: 10, now: () => now },
    });
    await store.get(origin);
    now = 5000;
    await store.refetch(origin);
    now = 10_000;

    await expect(store.refetch(origin)).rejects.toThrow(unavailable('unknown'));
  });
});

describe('refetch', () => {
  it('brings the renewed certificate of the same URL, for later questions too', async () => {
    let now = 0;
    let text = key.certificate;
    const { origin } = await serve((_, response) => response.end(text));
    const store = createCertificateStore({ now: () => now });
    const old = await store.get(origin);
    text = otherKey.certificate;
    now = 5000;

    const renewed = await store.refetch(origin);

    expect(renewed?.publicKey.equals(old.publicKey)).toBe(false);
    expect(await store.get(origin)).toBe(renewed);
  });

  it('does not ask again shortly after a fetch', async () => {
    let now = 0;
    const server = await serveText(key.certificate);
    const store = createCertificateStore({ refetchMilliseconds: 5000, now: () => now });
    await store.get(server.origin);
    now = 4999;

    expect(await store.refetch(server.origin)).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });

  it('asks once for a crowd of forged messages', async () => {
    let now = 0;
    const server = await serveText(key.certificate);
    const store = createCertificateStore({ now: () => now });
    await store.get(server.origin);
    now = 10_000;

    await Promise.all(Array.from({ length: 50 }, () => store.refetch(server.origin)));

    expect(server.requests).toHaveLength(2);
  });
});
