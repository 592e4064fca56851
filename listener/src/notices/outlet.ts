import type { HeldMessage, MessageContent } from './messages.ts';
import type { Way } from './policy.ts';

/** A message with what it says. */
export interface OutgoingMessage
  extends HeldMessage,
    Omit<MessageContent, 'traceparents' | 'isPast'> {}

/** A way out. */
export interface Outlet {
  readonly way: Way;
  /** The only target that it delivers to. @default any */
  readonly target?: string;
  /**
   * Delivers one message.
   *
   * @param signal ends the attempt
   * @throws {RefusedError} where no other attempt can deliver it; anything else is worth one. No message of an error quotes
   * what was sent
   */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<void>;
  close(): void;
}
