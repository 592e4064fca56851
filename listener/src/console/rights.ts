import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Database } from '../database/connection.ts';
import { type Html, html } from './html.ts';

/**
 * What somebody may do in the console, each by itself: `look` at pages, `act` (retry, judge again, discard), `reveal` values
 * that reports withhold.
 */
export const RIGHTS = ['look', 'act', 'reveal'] as const;

/** One of {@link RIGHTS}. */
export type Right = (typeof RIGHTS)[number];

/** Who a request comes from, and what they may do and see. */
export interface Viewer {
  /** Shown on pages, and recorded with what they do. */
  readonly name: string;
  readonly rights: ReadonlySet<Right>;
  /** Nothing of other clients exists for them; undefined for those who see all. */
  readonly clients: readonly string[] | undefined;
}

/** A request that may be answered: its viewer has the right that its route asks for, and a POST passed the guard. */
export interface Visit {
  readonly database: Database;
  readonly viewer: Viewer;
  /** Of the address; one value for each name: the first. */
  readonly query: Readonly<Record<string, string>>;
  /** What the groups of the route's path took, in their order; '' for one that took nothing. */
  readonly parameters: readonly string[];
  /** Fields of a POST, without the guard; one value for each name: the first. */
  readonly form: Readonly<Record<string, string>>;
  /** To stand in every form that is posted: a field by which the console knows that its own page sent it. */
  readonly guard: Html;
}

/** One thing that the console serves. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Whole path; what its groups take are the {@link Visit.parameters}. */
  readonly path: RegExp;
  /** What the viewer must have the right to. A POST that changes something asks for `act`. */
  readonly right: Right;
  /** @returns undefined where what is asked for is not there, or is of a client whom the viewer must not see */
  answer(visit: Visit): Promise<Answer | undefined>;
}

/** What a route answers. */
export type Answer =
  | {
      readonly title: string;
      readonly body: Html;
      /** Until a browser asks again. @default never */
      readonly refreshSeconds?: number;
      /** @default 200 */
      readonly status?: number;
      /** Whether the page may run the console's own script. @default false */
      readonly isLive?: boolean;
    }
  /** Server-sent events. */
  | { readonly stream: Readable }
  /** The script of the console. */
  | { readonly script: string }
  | { readonly json: object }
  /** A file that a browser saves. */
  | { readonly file: { readonly name: string; readonly type: string; readonly text: string } }
  /** A path of the console that a browser goes on to, after a POST. */
  | { readonly seeOther: string };

/** Name of the field of {@link Visit.guard}. */
export const GUARD_FIELD = 'guard';

/** The guard of one session. @param session what nobody but its browser and this console know */
export function guardOf(session: string): string {
  return createHmac('sha256', session).update('form of the console').digest('base64url');
}

/** {@link Visit.guard}. @param value undefined for a script, which needs none */
export function guardField(value: string | undefined): Html {
  return value === undefined
    ? html``
    : html`<input type="hidden" name="${GUARD_FIELD}" value="${value}">`;
}

/** What browsers add to a request, and pages can't change. */
export interface Provenance {
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  readonly site: string | undefined;
}

/** Whether a browser sends a request for a page of ours. A header that is missing proves nothing: the guard does then. */
export function isFromOwnPage({ origin, site }: Provenance, ownOrigin: string): boolean {
  return (site === undefined || site === 'same-origin') && (origin ?? ownOrigin) === ownOrigin;
}

/** Who may open the console: whoever has its token, on this machine. */
export interface ConsoleRights {
  /** To be part of an address once, or of the header `Authorization: Bearer` of a script. */
  readonly token: string;
  /** What a browser keeps in its cookie in the token's place, so that a token in an address is not needed again. */
  readonly session: string;
}

/** A token that nobody can guess, and the session that it gives. */
export function newRights(token = randomBytes(24).toString('base64url')): ConsoleRights {
  const session = createHmac('sha256', token).update('session of the console').digest('base64url');
  return { token, session };
}

/** Name of the cookie. Cookies know no ports: that of another console on this machine has another name. */
export function cookieName(port: number): string {
  return `console-${port}`;
}

/** What a request shows of who sends it. */
export interface Credentials {
  /** Of the address. */
  readonly token: string | undefined;
  /** The header. */
  readonly authorization: string | undefined;
  /** Of the cookie. */
  readonly session: string | undefined;
}

/** Whether it may look, by which of them, and whether a browser shall get a session for it. */
export function access(
  { token, authorization, session }: Credentials,
  rights: ConsoleRights,
): 'none' | 'session' | 'script' | 'begins session' {
  if (token !== undefined) return isSame(token, rights.token) ? 'begins session' : 'none';
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (bearer !== undefined) return isSame(bearer, rights.token) ? 'script' : 'none';
  return session !== undefined && isSame(session, rights.session) ? 'session' : 'none';
}

/**
 * Whether a request was meant for this machine: a page of another site can have its name lead here, but not its Host header
 * (DNS rebinding).
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host ?? '');
}

/** Compares secrets in a time that tells nothing of where they differ. */
export function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
