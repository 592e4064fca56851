import { isObject } from './json-object.ts';
import { isLoopbackHost } from './notices.ts';

/**
 * What somebody may do in the console, each by itself: `look` at pages, `act` (retry, judge again, discard), `reveal` values
 * that reports withhold.
 */
export const CONSOLE_RIGHTS = ['look', 'act', 'reveal'] as const;

/** One of {@link CONSOLE_RIGHTS}. */
export type ConsoleRight = (typeof CONSOLE_RIGHTS)[number];

/** What somebody may do, and whose files they may see. */
interface Granted {
  /** At least one. */
  readonly rights: readonly ConsoleRight[];
  /** Nothing of other clients exists for them. @default all clients */
  readonly clients?: readonly string[];
}

/** What people may do who sign in: the members of a group, or one by name. */
export type ConsoleGrant = Granted &
  (
    | { readonly group: string; readonly user?: never }
    | { readonly user: string; readonly group?: never }
  );

/** What a script may do that shows a token. */
export interface ConsoleToken extends Granted {
  /** Recorded with what it does. */
  readonly name: string;
  /** SHA-256 of the token, in hexadecimal. */
  readonly sha256: string;
}

const GRANTED = `rights (some of ${CONSOLE_RIGHTS.join(', ')}) and as needed clients (a list of names)`;

/** What {@link readConsoleGrants} accepts, in words. */
export const CONSOLE_GRANTS = `a JSON list of objects, each with either group or user, and with ${GRANTED}`;

/** What {@link readConsoleTokens} accepts, in words. */
export const CONSOLE_TOKENS = `a JSON list of objects, each with a name of its own, sha256 (64 hexadecimal digits in small letters) and ${GRANTED}`;

/** Reads grants as CONSOLE_GRANTS has them, in their order; undefined for what is not allowed. */
export function readConsoleGrants(text: string): readonly ConsoleGrant[] | undefined {
  return readList<ConsoleGrant>(text, (value) => {
    const { group, user, ...rest } = value;
    return (
      (isName(group) ? user === undefined : group === undefined && isName(user)) && isGranted(rest)
    );
  });
}

/** Reads tokens as CONSOLE_TOKENS has them; undefined for what is not allowed. */
export function readConsoleTokens(text: string): readonly ConsoleToken[] | undefined {
  const tokens = readList<ConsoleToken>(text, (value) => {
    const { name, sha256, ...rest } = value;
    return (
      isName(name) && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) && isGranted(rest)
    );
  });
  const names = new Set(tokens?.map(({ name }) => name));
  return names.size === tokens?.length ? tokens : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function readList<T>(text: string, fits: (value: Fields) => boolean): readonly T[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return list.every((value) => isObject(value) && fits(value)) ? Object.freeze(list) : undefined;
}

function isGranted({ rights, clients = ['any'], ...others }: Fields): boolean {
  const isListOf = (list: unknown, fits: (item: unknown) => boolean) =>
    Array.isArray(list) &&
    list.length > 0 &&
    new Set(list).size === list.length &&
    list.every(fits);
  return (
    isListOf(rights, (right) => CONSOLE_RIGHTS.some((one) => one === right)) &&
    isListOf(clients, isName) &&
    Object.keys(others).length === 0
  );
}

/** Names are shown, recorded and compared as they are. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{C}]{1,200}$/u.test(value) && value.trim() === value;
}

/** What {@link readOrigin} accepts, in words. */
export const ORIGIN =
  'an https address without path, user name or query; http only on this machine';

/** The origin of an address that browsers open; undefined for another text. */
export function readOrigin(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (text !== url.origin && text !== `${url.origin}/`)) return undefined;
  if (url.protocol === 'https:') return url.origin;
  return url.protocol === 'http:' && isLoopbackHost(url.hostname) ? url.origin : undefined;
}
