import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** An SMTP server of this machine that keeps what it gets. */
export interface Mailbox {
  /** What has the listener send its notices here. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Who a mail is for, and the file that has it. */
export interface KeptMail {
  readonly to: readonly string[];
  readonly path: string;
}

/**
 * Takes mail on loopback, from any port, and keeps each as a file that mail programs open (RFC 5322, `.eml`), the
 * oldest first by name.
 *
 * @param folder made where it is not there; nobody else may read it
 */
export async function openMailbox(
  folder: string,
  onMail: (mail: KeptMail) => void,
): Promise<Mailbox> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, { envelope }, callback) {
      const keep = async () => {
        const mail = await buffer(stream);
        const name = `${new Date().toISOString().replaceAll(':', '')}-${randomUUID().slice(0, 8)}.eml`;
        const path = join(folder, name);
        // Under another name first, so that a reader finds all of it.
        await writeFile(join(folder, `.${name}`), mail, { mode: 0o600 });
        await rename(join(folder, `.${name}`), path);
        onMail({ to: envelope.rcptTo.map(({ address }) => address), path });
      };
      keep().then(() => callback(), callback);
    },
  });
  // Of a connection that breaks off; the listener sends the mail again.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    environment: {
      NOTICE_EMAIL: 'smtp',
      NOTICE_EMAIL_FROM: 'file-processing@localhost.localdomain',
      NOTICE_OPERATORS: 'operators@localhost.localdomain',
      NOTICE_SMTP_HOST: '127.0.0.1',
      NOTICE_SMTP_PORT: `${(server.server.address() as AddressInfo).port}`,
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
