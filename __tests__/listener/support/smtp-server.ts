import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail that arrived, whole. */
export interface ReceivedMail {
  readonly to: readonly string[];
  /** Headers and body, as they were sent. */
  readonly raw: string;
  /** Headers by their lower-case names, unfolded. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded. */
  readonly body: string;
}

/** A real SMTP server on loopback that keeps what it gets. */
export interface TestSmtpServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  close(): Promise<void>;
}

/** @param onMail what happens between a mail and the answer to it */
export async function startSmtpServer(
  options: SMTPServerOptions = {},
  onMail: () => Promise<void> = async () => undefined,
): Promise<TestSmtpServer> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    ...options,
    onData(stream, session, callback) {
      const keep = async () => {
        const raw = await text(stream);
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push(read(raw, to));
        await onMail();
      };
      keep().then(() => callback(), callback);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function read(raw: string, to: readonly string[]): ReceivedMail {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const encoding = headers['content-transfer-encoding'];
  const encoded = raw.slice(end + 4);
  const body =
    encoding === 'base64'
      ? Buffer.from(encoded, 'base64').toString()
      : encoding === 'quoted-printable'
        ? quotedPrintable(encoded)
        : encoded;
  return { to, raw, headers, body: body.replaceAll('\r\n', '\n') };
}

function quotedPrintable(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
