import { isLoopbackHost } from '@file-processing/contract/notices.ts';
import { createTransport, type Transporter } from 'nodemailer';
import type { SmtpConfig } from '../config/notice-config.ts';
import { mailOf } from './mail.ts';
import type { Outlet } from './outlet.ts';
import { RefusedError } from './policy.ts';
import { Wording } from './wording.ts';

/** Settings of the connection: what could be read on the way is encrypted, and the certificate is checked. */
export function smtpOptions({ host, port, user, password }: SmtpConfig) {
  const isLocal = isLoopbackHost(host);
  const secure = port === 465;
  return {
    ...{ host, port, secure },
    // A server on this machine rarely has a certificate, and nobody can listen in.
    ...{ requireTLS: !secure && !isLocal, ignoreTLS: isLocal },
    ...(user === undefined || password === undefined
      ? {}
      : { auth: { user, pass: password.reveal() } }),
    ...{ connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 },
    // No text of ours may name a file or an address to take in.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  };
}

/** E-mail through an SMTP server. */
export function smtpOutlet(
  { from, smtp }: { readonly from: string; readonly smtp: SmtpConfig },
  wording = new Wording(),
): Outlet & {
  /** Connects and signs in, and sends nothing. */
  verify(): Promise<void>;
} {
  const transport: Transporter = createTransport(smtpOptions(smtp));
  return {
    way: 'email',
    async send(message) {
      const mail = mailOf(message, from, wording);
      try {
        await transport.sendMail(mail);
      } catch (error) {
        throw smtpError(error);
      }
    },
    async verify() {
      await transport.verify().catch((error: unknown) => {
        throw smtpError(error);
      });
    },
    close: () => transport.close(),
  };
}

/** A server that refuses the recipient for good says so by 5xx (RFC 5321, section 4.2.1); all else may pass. */
function smtpError(error: unknown): Error {
  const { responseCode, command, code } = error as {
    readonly responseCode?: number;
    readonly command?: string;
    readonly code?: string;
  };
  const answer = responseCode === undefined ? (code ?? 'no answer') : `SMTP ${responseCode}`;
  const text = `${answer}${command === undefined ? '' : ` to ${command}`}`;
  const refused = command === 'RCPT TO' && responseCode !== undefined && responseCode >= 550;
  return refused ? new RefusedError(text) : new Error(text);
}
