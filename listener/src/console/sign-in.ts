import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { ConsoleRight } from '@file-processing/contract/console.ts';
import { isLoopbackHost } from '@file-processing/contract/notices.ts';
import type * as OpenIdClient from 'openid-client';
import type { OidcConfig } from '../config/console-config.ts';
import { toJsonb } from '../database/column-values.ts';
import type { Database } from '../database/connection.ts';
import { tablesOf } from '../database/tables.ts';
import { type Person, sha256 } from './rights.ts';

/** Whom a session is of: somebody who signed in, or whoever was given an address that opens the console. */
export type SessionOwner =
  | Person
  | { readonly name: string; readonly rights: readonly ConsoleRight[] };

/** Which console a session or a link is for, and how long. */
export interface SessionTerms {
  readonly kind: 'session' | 'link';
  /** What opens one console does not open another one of the same database. */
  readonly place: string;
  /** Until it ends at the latest. */
  readonly seconds: number;
}

/**
 * Begins a session, or makes what begins one: in the database, so that every replica knows it and its end is an end.
 *
 * @returns what its browser is to keep, which nobody can guess and nothing else holds
 */
export async function begin(
  database: Database,
  owner: SessionOwner,
  { kind, place, seconds }: SessionTerms,
): Promise<string> {
  const sessions = tablesOf(database).consoleSessions;
  const secret = randomBytes(32).toString('base64url');
  await database(sessions).where('ends_at', '<', database.fn.now()).delete();
  await database(sessions).insert({
    ...{ hash: sha256(secret), kind, place },
    person: toJsonb(owner),
    ends_at: inSeconds(database, seconds),
  });
  return secret;
}

/** Takes a link, which opens the console once. @returns undefined where there is none, or it was taken or has ended */
export async function takeLink(
  database: Database,
  secret: string,
  place: string,
): Promise<SessionOwner | undefined> {
  const [link] = await database(tablesOf(database).consoleSessions)
    .where({ hash: sha256(secret), kind: 'link', place })
    .where('ends_at', '>', database.fn.now())
    .delete()
    .returning<{ person: SessionOwner }[]>('person');
  return link?.person;
}

/** How exactly the last request of a session is known, in seconds. */
const SEEN_SECONDS = 30;

/**
 * Whose session it is.
 *
 * @param terms.isSeen whether the request puts off the end by idleness
 * @returns undefined where there is none, or it has ended
 */
export async function ownerOf(
  database: Database,
  secret: string,
  { isSeen, ...terms }: Lasting & { readonly isSeen: boolean },
): Promise<SessionOwner | undefined> {
  const own = lasting(database, terms).where({ hash: sha256(secret) });
  const session = await own.clone().first<{ person: SessionOwner } | undefined>('person');
  if (session === undefined) return undefined;
  if (!isSeen) return session.person;
  await own
    .where('seen_at', '<', inSeconds(database, -Math.min(SEEN_SECONDS, terms.idleSeconds / 2)))
    .update({ seen_at: database.fn.now() });
  return session.person;
}

/** Which console's sessions are meant, and when one of them ends by idleness. */
interface Lasting {
  readonly place: string;
  readonly idleSeconds: number;
}

function lasting(database: Database, { place, idleSeconds }: Lasting) {
  return database(tablesOf(database).consoleSessions)
    .where({ kind: 'session', place })
    .where('ends_at', '>', database.fn.now())
    .where('seen_at', '>', inSeconds(database, -idleSeconds));
}

/** What names a session without opening it. @param secret what its browser keeps */
export function nameOfSession(secret: string): string {
  return sha256(secret).toString('hex');
}

/** Which of some sessions have not ended, by their names. */
export async function sessionsThatLast(
  database: Database,
  names: readonly string[],
  terms: Lasting,
): Promise<ReadonlySet<string>> {
  const found = await lasting(database, terms)
    .whereIn(
      'hash',
      names.map((name) => Buffer.from(name, 'hex')),
    )
    .select<{ hash: Buffer }[]>('hash');
  return new Set(found.map(({ hash }) => hash.toString('hex')));
}

/** Ends a session, if there is one. */
export async function end(database: Database, secret: string): Promise<void> {
  await database(tablesOf(database).consoleSessions)
    .where({ hash: sha256(secret) })
    .delete();
}

function inSeconds(database: Database, seconds: number) {
  return database.raw('now() + make_interval(secs => ?)', [seconds]);
}

/** What the browser keeps while somebody signs in at the provider. */
interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where they were going. */
  readonly to: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** How long signing in may take, in seconds. */
export const SIGN_IN_SECONDS = 600;

/** Path that the provider sends browsers back to. */
export const RETURN_PATH = '/signed-in';

/** Somebody did not sign in: what the browser shows, or the provider says, is not what was asked for. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

/** A provider at which people sign in. */
export interface Provider {
  /** @param to path of the console to go on to. @returns the provider's address, and what the browser has to keep meanwhile */
  start(to: string): Promise<{ readonly address: string; readonly pending: string }>;
  /**
   * Reads what the provider sent a browser back with.
   *
   * @param query of the address, with its question mark
   * @param pending as {@link start} gave it
   * @throws {SignInError} without a word of what was sent
   */
  finish(
    query: string,
    pending: string | undefined,
  ): Promise<{ readonly person: Person; readonly to: string }>;
}

/**
 * The provider of some settings, which is asked for its addresses and keys when somebody signs in, and again where that failed.
 *
 * @param origin of the console
 */
export function openProvider(config: OidcConfig, origin: string, now = Date.now): Provider {
  let discovered: Promise<OpenIdClient.Configuration> | undefined;
  const library = () => import('openid-client');
  const provider = () => {
    discovered ??= discover(config).catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  };
  const key = Buffer.from(
    hkdfSync('sha256', config.clientSecret.reveal(), '', 'sign-in of the console', 32),
  );
  return {
    async start(to) {
      const { calculatePKCECodeChallenge, buildAuthorizationUrl, ...client } = await library();
      const verifier = client.randomPKCECodeVerifier();
      const [state, nonce] = [client.randomState(), client.randomNonce()];
      const address = buildAuthorizationUrl(await provider(), {
        redirect_uri: `${origin}${RETURN_PATH}`,
        scope: config.scopes,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...{ state, nonce },
      });
      const until = now() + SIGN_IN_SECONDS * 1000;
      return { address: address.href, pending: seal({ state, nonce, verifier, to, until }, key) };
    },
    async finish(query, sealed) {
      const pending = sealed === undefined ? undefined : unseal(sealed, key);
      if (pending === undefined || pending.until < now()) {
        throw new SignInError('it was begun too long ago, or in another browser');
      }
      const { authorizationCodeGrant } = await library();
      const configuration = await provider();
      try {
        const tokens = await authorizationCodeGrant(
          configuration,
          // The address that the provider knows, whatever a proxy made of it.
          new URL(`${origin}${RETURN_PATH}${query}`),
          {
            pkceCodeVerifier: pending.verifier,
            expectedState: pending.state,
            expectedNonce: pending.nonce,
            idTokenExpected: true,
          },
        );
        return { person: personOf(tokens.claims() ?? {}, config), to: pending.to };
      } catch (error) {
        if (error instanceof SignInError) throw error;
        throw new SignInError(reasonOf(error));
      }
    },
  };
}

async function discover(config: OidcConfig): Promise<OpenIdClient.Configuration> {
  const { allowInsecureRequests, discovery, enableNonRepudiationChecks } = await import(
    'openid-client'
  );
  const issuer = new URL(config.issuer);
  try {
    return await discovery(issuer, config.clientId, config.clientSecret.reveal(), undefined, {
      // Also the signature of an ID token that came straight from the provider is checked.
      execute: [
        enableNonRepudiationChecks,
        ...(isLoopbackHost(issuer.hostname) ? [allowInsecureRequests] : []),
      ],
    });
  } catch (error) {
    throw new Error(`the provider at ${config.issuer} can't be asked: ${reasonOf(error)}`);
  }
}

/** The library's errors hold what was sent, tokens included: only what kind they are goes on. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  const { error: said } = error as { error?: unknown };
  return [error.name, code, said].filter((part) => typeof part === 'string').join(' ');
}

function personOf(
  claims: Readonly<Record<string, unknown>>,
  { nameClaim, groupsClaim }: OidcConfig,
): Person {
  const name = claims[nameClaim];
  const isUnverified = nameClaim === 'email' && claims.email_verified === false;
  if (typeof name !== 'string' || name.trim() === '' || isUnverified) {
    throw new SignInError(`the provider gave no ${nameClaim} that is verified`);
  }
  const groups = [claims[groupsClaim]].flat();
  return { name, groups: groups.filter((group) => typeof group === 'string') };
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM: a browser can neither read nor change what it keeps. */
function seal(pending: Pending, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = [cipher.update(JSON.stringify(pending), 'utf8'), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64url');
}

/** @returns undefined for what was not sealed by this key */
function unseal(text: string, key: Buffer): Pending | undefined {
  const bytes = Buffer.from(text, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const opened = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
    return JSON.parse(Buffer.concat(opened).toString('utf8'));
  } catch {
    return undefined;
  }
}
