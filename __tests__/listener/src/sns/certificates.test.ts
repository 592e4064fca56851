import { generateKeyPairSync } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKey, type SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import { createCertificateStore } from '../../../../listener/src/sns/certificates.ts';
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

  it('fetches no more than its budget for a minute, over all URLs', async () => {
    let now = 0;
    const server = await serveText(key.certificate);
    const store = createCertificateStore({ maxFetchesPerMinute: 2, now: () => now });
    await store.get(`${server.origin}/a`);
    await store.get(`${server.origin}/b`);

    await expect(store.get(`${server.origin}/c`)).rejects.toThrow(
      unavailable('more than 2 fetches in a minute'),
    );
    await expect(store.get(`${server.origin}/a`)).resolves.toBeDefined();

    now = 60_000;
    await expect(store.get(`${server.origin}/c`)).resolves.toBeDefined();
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
