import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { proxyAgents } from '../config/proxy-agents.ts';
import { mailOf } from './mail.ts';
import type { Outlet } from './outlet.ts';
import { Wording } from './wording.ts';

/** What the refusals of SES mean; their own messages quote addresses. */
const ADVICE: Readonly<Record<string, string>> = {
  MessageRejected:
    'the sender is not a verified identity of this region, or the account is in the sandbox and the recipient is none',
  MailFromDomainNotVerifiedException: 'the MAIL FROM domain of the identity is not verified',
  AccountSuspendedException: 'the account may not send any more',
  SendingPausedException: 'sending is paused for this account',
  AccessDeniedException: 'the role lacks ses:SendEmail for this identity and sender',
  NotFoundException: 'the identity is not in this region',
};

/**
 * E-mail through Amazon SES. SES makes the headers of its parts, so that nothing of a text is one; it gives the mail a
 * Message-ID of its own, so the idempotency key is in a header beside it.
 */
export function sesOutlet(
  { from, region }: { readonly from: string; readonly region: string | undefined },
  wording = new Wording(),
  client: Pick<SESv2Client, 'send' | 'destroy'> = new SESv2Client({
    ...(region === undefined ? {} : { region }),
    // The outbox tries again.
    maxAttempts: 2,
    requestHandler: proxyAgents(),
  }),
): Outlet {
  return {
    way: 'email',
    async send(message, signal) {
      const { to, subject, text, headers } = mailOf(message, from, wording);
      const command = new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: {
            Subject: { Data: subject, Charset: 'UTF-8' },
            Body: { Text: { Data: text, Charset: 'UTF-8' } },
            Headers: [
              ...Object.entries(headers).map(([Name, Value]) => ({ Name, Value })),
              { Name: 'X-Notice-Id', Value: message.id },
            ],
          },
        },
      });
      await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        const name = error instanceof Error ? error.name : 'unknown';
        const advice = ADVICE[name];
        throw new Error(`SES: ${name}${advice === undefined ? '' : `: ${advice}`}`);
      });
    },
    close: () => client.destroy(),
  };
}
