import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { onTestFinished } from 'vitest';

const FIXTURES = join(import.meta.dirname, '../fixtures/tls');
const read = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');

/** The authority that signed the chain of {@link startTlsServer}. */
export const ROOT_FILE = join(FIXTURES, 'root.pem');

/** SHA-1 of the intermediate certificate, by `openssl x509 -fingerprint -sha1`. */
export const INTERMEDIATE_SHA1 = '5ce2ae44933a7b6453c3be428816278ebc786df3';

/** A TLS server on loopback that presents a certificate for localhost and an intermediate one; ends with the test. */
export async function startTlsServer(): Promise<{ readonly port: number }> {
  const server = createServer(
    { key: read('server-key.pem'), cert: read('server.pem') + read('intermediate.pem') },
    (socket) => socket.end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return server.address() as AddressInfo;
}
