import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

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

/** Whether it may look, and whether a browser shall get a session for it. */
export function access(
  { token, authorization, session }: Credentials,
  rights: ConsoleRights,
): 'none' | 'session' | 'begins session' {
  if (token !== undefined) return isSame(token, rights.token) ? 'begins session' : 'none';
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (bearer !== undefined) return isSame(bearer, rights.token) ? 'session' : 'none';
  return session !== undefined && isSame(session, rights.session) ? 'session' : 'none';
}

/**
 * Whether a request was meant for this machine: a page of another site can have its name lead here, but not its Host header
 * (DNS rebinding).
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host ?? '');
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
