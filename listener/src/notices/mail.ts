import { isLoopbackHost, isMailAddress } from '@file-processing/contract/notices.ts';
import { createTransport, type Transporter } from 'nodemailer';
import type { MailConfig, SmtpConfig } from '../config/notice-config.ts';
import type { OutgoingMessage, Outlet } from './outlet.ts';
import { RefusedError } from './policy.ts';
import { Wording } from './wording.ts';

/** A mail as it goes out; every text in it is one line, but for the body. */
export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Carries the idempotency key: a client of mail shows the same mail once. */
  readonly messageId: string;
  /** Nobody's holiday responder answers it (RFC 3834, "The Auto-Submitted header field"). */
  readonly headers: Readonly<Record<'Auto-Submitted', 'auto-generated'>>;
}

/**
 * The mail that a message is.
 *
 * @throws {RefusedError} where the address is not one plain address: it would end its header line and begin others
 */
export function mailOf(
  { id, target, notices, untold }: Pick<OutgoingMessage, 'id' | 'target' | 'notices' | 'untold'>,
  from: string,
  wording: Wording,
): Mail {
  if (!isMailAddress(target)) throw new RefusedError('the contact is no e-mail address');
  return {
    ...{ from, to: target },
    ...wording.mail(id, notices, untold),
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

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
): Outlet {
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

/** The outlet of the settings. */
export function mailOutlet({ from, smtp }: MailConfig): Outlet {
  return smtpOutlet({ from, smtp });
}
