import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  ConsoleGrant,
  ConsoleRight,
  ConsoleToken,
} from '@file-processing/contract/console.ts';
import type { Database } from '../database/connection.ts';
import { type Html, html } from './html.ts';

/** Who a request comes from, and what they may do and see. */
export interface Viewer {
  /** Shown on pages, and recorded with what they do. */
  readonly name: string;
  readonly rights: ReadonlySet<ConsoleRight>;
  /** Nothing of other clients exists for them; undefined for those who see all. */
  readonly clients: readonly string[] | undefined;
}

/** A request that may be answered: its viewer has the right that its route asks for, and a POST passed the guard. */
export interface Visit {
  readonly database: Database;
  readonly viewer: Viewer;
  /** Names the session, and opens none; undefined for who has none here, as whoever comes by a token or a proxy. */
  readonly session?: string;
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
  readonly right: ConsoleRight;
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

/** Who signed in, as a provider or a proxy tells. */
export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What somebody may do: the first grant that names them or a group of theirs counts. @returns undefined where none does */
export function grantedTo(
  { name, groups }: Person,
  grants: readonly ConsoleGrant[],
): Viewer | undefined {
  const grant = grants.find(({ user, group }) =>
    user === undefined ? groups.includes(group) : user === name,
  );
  return grant && { name, rights: new Set(grant.rights), clients: grant.clients };
}

/** Whose token it is. */
export function tokenHolder(token: string, tokens: readonly ConsoleToken[]): Viewer | undefined {
  const hash = sha256(token);
  // Each is compared, so that the time does not tell which one it is.
  const [found] = tokens.filter((one) => timingSafeEqual(hash, Buffer.from(one.sha256, 'hex')));
  return found && { name: found.name, rights: new Set(found.rights), clients: found.clients };
}

/** What is kept of a secret that was given away. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares secrets in a time that tells nothing of them. */
export function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected));
}
