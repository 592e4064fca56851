import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../support/run-main.ts';
import { run } from '../../support/run-program.ts';

const STEP = join(ROOT, 'listener/image/database-authorities.ts');
const fixture = (name: string) => readFileSync(join(ROOT, '__tests__/fixtures/tls', name), 'utf8');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Runs the step of the image's build. */
async function writeAuthorities(url: string, checksum = '') {
  const folder = mkdtempSync(join(tmpdir(), 'authorities-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'authorities.pem');
  const result = await run(process.execPath, [STEP, url, checksum, file]);
  return { ...result, written: existsSync(file) ? readFileSync(file, 'utf8') : undefined };
}

/** Serves a text on loopback; ends with the test. */
async function serve(text: string, status = 200): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/bundle.pem`;
}

it('adds the bundle to the authorities of Node', async () => {
  const bundle = fixture('root.pem');
  const { exitCode, written } = await writeAuthorities(await serve(bundle), sha256(bundle));
  expect(written).toContain(bundle.trim());
  expect(written?.match(/BEGIN CERTIFICATE/g)).toHaveLength(rootCertificates.length + 1);
  expect(exitCode).toBe(0);
});

it('writes those of Node alone where there is no bundle', async () => {
  const { written } = await writeAuthorities('');
  expect(written).toBe(`${rootCertificates.join('\n')}\n`);
});

it.each([
  ['another checksum', 'root.pem', 200, '0'.repeat(64), 'RDS_CA_BUNDLE_SHA256 is 0000'],
  ['no checksum over plain HTTP', 'root.pem', 200, '', 'only https is taken without'],
  [
    'a certificate of no authority',
    'server.pem',
    200,
    undefined,
    'CN=localhost is not a certificate authority',
  ],
  ['no certificate', 'server-key.pem', 200, undefined, 'it holds no certificate'],
  ['an error page', 'root.pem', 403, undefined, 'the answer is 403'],
])(
  'fails for %s, writes nothing and says what to do',
  async (_, name, status, checksum, message) => {
    const bundle = fixture(name);
    const url = await serve(bundle, status);
    const { exitCode, stderr, written } = await writeAuthorities(url, checksum ?? sha256(bundle));
    expect(stderr).toContain(message);
    expect(stderr).toContain('next: correct it by --build-arg');
    expect(written).toBeUndefined();
    expect(exitCode).toBe(1);
  },
);
