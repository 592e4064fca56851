import { isMailAddress, type NoticeState } from '@file-processing/contract/notices.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';

/** Ways that a message can go. */
export const WAYS = ['sns', 'webhook', 'email'] as const;

/** One of {@link WAYS}. */
export type Way = (typeof WAYS)[number];

/** What is known of a judgement when it is decided what to tell of it. */
export interface JudgedChange {
  readonly verdict: Verdict;
  /** The verdict that stood until then of the same object version. */
  readonly previous: Verdict | null;
  /** The verdict that stands of the last object version before this one that has the same key. */
  readonly before: Verdict | null;
  /** Whether a later judgement of the same object version had ended before: then this one changed nothing. */
  readonly overtaken: boolean;
}

/** What is to be told of a judgement; undefined where nothing changed. */
export function stateOf({
  verdict,
  previous,
  before,
  overtaken,
}: JudgedChange): NoticeState | undefined {
  if (overtaken || verdict === previous) return undefined;
  if (previous !== null) return 'corrected';
  if (isRejected(verdict)) return 'failed';
  return before !== null && isRejected(before) ? 'recovered' : verdict;
}

/** Whether a verdict keeps a file out. */
export function isRejected(verdict: Verdict): verdict is 'failed' | 'unreadable' {
  return verdict === 'failed' || verdict === 'unreadable';
}

/** Who hears of what. */
export interface Audience {
  /** What people are told of. */
  readonly states: readonly NoticeState[];
  readonly operators: readonly string[];
  /** Whether e-mail goes out. */
  readonly mail: boolean;
  /** Ways to programs, each with its targets. */
  readonly topicArn: string | undefined;
  readonly webhooks: readonly string[];
}

/** A message that a change makes necessary. */
export interface Recipient {
  readonly way: Way;
  readonly target: string;
}

/**
 * Who is told of a change. A topic gets every change, since its subscriptions filter; people and webhooks get the states
 * that are asked for. The sender's contact and an operator with the same address are one.
 *
 * @param contact e-mail address of the monitored file's contact, which a rule file may have as anything
 */
export function recipientsOf(
  state: NoticeState,
  contact: string | undefined,
  { states, operators, mail, topicArn, webhooks }: Audience,
): readonly Recipient[] {
  const topic = topicArn === undefined ? [] : [{ way: 'sns', target: topicArn } as const];
  if (!states.includes(state)) return topic;
  const people = new Map<string, string>();
  for (const address of mail ? [...operators, ...(contact ? [contact] : [])] : []) {
    const known = people.has(address.toLowerCase());
    if (isMailAddress(address) && !known) people.set(address.toLowerCase(), address);
  }
  return [
    ...topic,
    ...webhooks.map((target) => ({ way: 'webhook', target }) as const),
    ...[...people.values()].map((target) => ({ way: 'email', target }) as const),
  ];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Between two e-mails to one address, in milliseconds: what changes meanwhile is one digest. */
export const DIGEST_MS = 10 * MINUTE;

/** For so long, in milliseconds, a message is tried; then it is a dead letter. */
export const GIVE_UP_MS = 48 * HOUR;

/** A message whose process died while it sent it is sent again after this, in milliseconds; no attempt takes as long. */
export const LEASE_MS = MINUTE;

/** When the next e-mail may go to an address. @param last when the last one was made; undefined for none */
export function nextMailAt(now: Date, last: Date | undefined): Date {
  return new Date(Math.max(now.getTime(), (last?.getTime() ?? 0) + DIGEST_MS));
}

/** Between two attempts: half a minute, then twice as long each time, up to an hour. @param attempts made so far, from 1 */
export function waitAfter(attempts: number): number {
  return Math.min(30 * SECOND * 2 ** Math.min(attempts - 1, 10), HOUR);
}

/** No other attempt can deliver the message: the target refuses it for good. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}
