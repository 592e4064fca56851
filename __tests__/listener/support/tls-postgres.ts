import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { serverUser } from '../../../listener/local/postgres/binaries.ts';
import { startLocalPostgres } from '../../../listener/local/postgres/local-postgres.ts';
import { makeSigningKey } from '../../../listener/local/sns/signing-key.ts';
import { copyCluster } from './copy-cluster.ts';

/** A PostgreSQL that takes TLS, with a certificate that it has signed itself. */
export interface TlsPostgres {
  readonly url: string;
  /** In PEM. */
  readonly certificate: string;
  /** Path of a file that holds it. */
  readonly certificateFile: string;
  stop(): Promise<void>;
}

/** Starts it in a folder of its own, which ends with it. */
export async function startTlsPostgres(): Promise<TlsPostgres> {
  const folder = await mkdtemp(join(inject('postgresCluster'), '../tls-postgres-'));
  await chmod(folder, 0o711);
  const { certificate, privateKey } = await makeSigningKey();
  const certificateFile = join(folder, 'server.crt');
  const keyFile = join(folder, 'server.key');
  await writeFile(certificateFile, certificate, { mode: 0o644 });
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const user = await serverUser();
  if (user) await chown(keyFile, user.uid, user.gid);
  const settings = {
    ssl: 'on',
    ssl_cert_file: certificateFile,
    ssl_key_file: keyFile,
    authentication_timeout: '6s',
  };
  await copyCluster(inject('postgresCluster'), join(folder, 'postgres'));
  const postgres = await startLocalPostgres({ folder: join(folder, 'postgres'), settings });
  return {
    url: postgres.url,
    certificate,
    certificateFile,
    async stop() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
