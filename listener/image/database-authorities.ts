import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { rootCertificates } from 'node:tls';

/**
 * A step of the image's build: writes the authorities that may sign a database's certificate, for
 * DB_SSL_CA_FILE. They are Node's own, which RDS Proxy's certificates come from too, and those of
 * Amazon RDS, which no other list holds (Amazon RDS User Guide, "Using SSL/TLS to encrypt a
 * connection to a DB instance or cluster").
 *
 * Parameters: URL of the RDS bundle, or nothing; its SHA-256, or nothing; the file to write.
 */
const [url = '', checksum = '', file = ''] = process.argv.slice(2);

try {
  const ofRds = url === '' ? [] : certificatesIn(await download(url, checksum));
  writeFileSync(file, `${[...rootCertificates, ...ofRds].join('\n')}\n`);
  process.stdout.write(`${rootCertificates.length} authorities of Node, ${ofRds.length} of RDS\n`);
} catch (error) {
  process.stderr.write(
    `RDS_CA_BUNDLE_URL ${url}: ${(error as Error).message}\n` +
      'next: correct it by --build-arg; empty, for a database that is not on Amazon RDS\n',
  );
  process.exitCode = 1;
}

async function download(address: string, expected: string): Promise<string> {
  if (!address.startsWith('https:') && expected === '') {
    throw new Error('only https is taken without RDS_CA_BUNDLE_SHA256');
  }
  const response = await fetch(address, { signal: AbortSignal.timeout(60_000) }).catch((cause) => {
    throw new Error(`no answer (${cause.cause?.message ?? cause.message})`);
  });
  if (!response.ok) throw new Error(`the answer is ${response.status}`);
  const bundle = Buffer.from(await response.arrayBuffer());
  const actual = createHash('sha256').update(bundle).digest('hex');
  if (expected !== '' && actual !== expected.toLowerCase()) {
    throw new Error(`its SHA-256 is ${actual}, RDS_CA_BUNDLE_SHA256 is ${expected}`);
  }
  return bundle.toString('utf8');
}

function certificatesIn(bundle: string): readonly string[] {
  const certificates =
    bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw new Error('it holds no certificate');
  for (const pem of certificates) {
    const { ca, subject } = new X509Certificate(pem);
    if (!ca) throw new Error(`${subject.replaceAll('\n', ', ')} is not a certificate authority`);
  }
  return certificates;
}
