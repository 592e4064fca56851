import { isMailAddress } from '@file-processing/contract/notices.ts';
import type { OutgoingMessage } from './outlet.ts';
import { RefusedError } from './policy.ts';
import type { Wording } from './wording.ts';

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
  if (!isMailAddress(target)) throw new RefusedError('the contact is not an e-mail address');
  return {
    ...{ from, to: target },
    ...wording.mail(id, notices, untold),
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}
