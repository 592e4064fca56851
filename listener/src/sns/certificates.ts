import { type KeyObject, X509Certificate } from 'node:crypto';
import { ListenerError } from '../errors.ts';

/** A certificate that was fetched. Validity is not judged here but at each use. */
export interface SigningCertificate {
  readonly url: string;
  readonly publicKey: KeyObject;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Of its DER form, in hexadecimal digits. */
  readonly sha256: string;
}

/**
 * What is remembered of a certificate that has verified a message, for processes that start later. Never
 * the certificate itself: each process fetches it, so that whoever can write this down can sign nothing.
 */
export interface KnownCertificate {
  readonly url: string;
  readonly sha256: string;
  readonly validUntil: Date;
}

/** Where known certificates are remembered. */
export interface KnownCertificates {
  /** Those that are still valid. */
  list(): Promise<readonly KnownCertificate[]>;
  add(certificate: KnownCertificate): Promise<void>;
}

/** Fetches certificates and keeps them. */
export interface CertificateStore {
  /**
   * The certificate at a URL, from memory where it is there.
   * @throws ListenerError `certificate_unavailable`
   */
  get(url: string): Promise<SigningCertificate>;
  /**
   * Fetches a certificate once more because the one in memory did not fit: an emulator renews its key
   * at the same URL.
   *
   * @returns undefined where the URL was fetched a short while ago, so that forged messages can't
   * make us call the host all the time
   * @throws ListenerError `certificate_unavailable`
   */
  refetch(url: string): Promise<SigningCertificate | undefined>;
  /** Whether there is an answer at a URL, be it that no certificate lies there. */
  answers(url: string): Promise<boolean>;
  /** Remembers that a message was verified with a certificate. */
  noteVerified(certificate: SigningCertificate): void;
}

/** Settings of {@link createCertificateStore}; each has a default. */
export interface CertificateStoreOptions {
  /** Certificates in memory; the one not used for longest is dropped first. @default 32 */
  readonly maxEntries?: number;
  /** Milliseconds for the whole of one fetch. @default 3000 */
  readonly timeoutMilliseconds?: number;
  /** Largest answer in bytes. @default 65536 */
  readonly maxBytes?: number;
  /** Milliseconds between two fetches of one URL in memory. @default 1000 */
  readonly refetchMilliseconds?: number;
  /**
   * Milliseconds for which a failed fetch is the answer to the next question; doubled by each further
   * failure of that URL, up to four times. @default 2000
   */
  readonly failureMilliseconds?: number;
  /**
   * Fetches per minute over all URLs that have verified nothing yet: messages can name any number of
   * them. @default 120
   */
  readonly maxFetchesPerMinute?: number;
  /** Fetches per minute that only URLs of known certificates can spend. @default 60 */
  readonly maxKnownFetchesPerMinute?: number;
  /** @default in this process alone */
  readonly known?: KnownCertificates;
  /** Milliseconds between two looks at what is known, for a URL that is not. @default 10000 */
  readonly knownMilliseconds?: number;
  /** Clock in milliseconds. @default Date.now */
  readonly now?: () => number;
}

interface Entry {
  readonly certificate: SigningCertificate;
  readonly fetchedAt: number;
}

interface Failure {
  readonly error: ListenerError;
  readonly at: number;
  /** How many there were without a success between. */
  readonly count: number;
}

const PEM_HEADER = '-----BEGIN CERTIFICATE-----';
const MIN_MODULUS_BITS = 2048;
const MINUTE = 60_000;
const MAX_FAILURE_DOUBLINGS = 2;

/** A fetch that has shown what lies at the URL, and it is not a certificate: another try shows the same. */
class NoCertificateError extends ListenerError {
  constructor(url: string, reason: string) {
    super('certificate_unavailable', { url, reason });
  }
}

/**
 * Makes a store of signing certificates. Whether a URL may be fetched is decided before, by
 * `checkCertificateUrl`. Concurrent questions for one URL share one fetch.
 */
export function createCertificateStore(options: CertificateStoreOptions = {}): CertificateStore {
  const {
    maxEntries = 32,
    timeoutMilliseconds = 3000,
    maxBytes = 65_536,
    refetchMilliseconds = 1000,
    failureMilliseconds = 2000,
    maxFetchesPerMinute = 120,
    maxKnownFetchesPerMinute = 60,
    now = Date.now,
  } = options;
  // Maps keep the order of insertion, so the first key is the one to drop.
  const entries = new Map<string, Entry>();
  const failures = new Map<string, Failure>();
  const pending = new Map<string, Promise<SigningCertificate>>();
  const known = knownUrls(options, now);
  const takeKnown = fetchBudget(maxKnownFetchesPerMinute, 'of known certificates', now);
  const takeUnknown = fetchBudget(maxFetchesPerMinute, 'of unknown certificates', now);

  const fetchAndKeep = async (url: string, expected?: string): Promise<SigningCertificate> => {
    (expected === undefined ? takeUnknown : takeKnown)(url);
    try {
      const pem = await download(url, timeoutMilliseconds, maxBytes);
      const certificate = readCertificate(url, pem);
      // What is remembered was forged, or another one lies there now: it has to verify a message anew.
      if (expected !== undefined && expected !== certificate.sha256) known.forget(url, expected);
      failures.delete(url);
      keep(entries, maxEntries, url, { certificate, fetchedAt: now() });
      return certificate;
    } catch (error) {
      const failure = error instanceof ListenerError ? error : unavailable(url, 'unknown');
      if (expected !== undefined && failure instanceof NoCertificateError) {
        known.forget(url, expected);
      }
      const count = (failures.get(url)?.count ?? 0) + 1;
      keep(failures, maxEntries, url, { error: failure, at: now(), count });
      throw failure;
    }
  };

  const fetchOnce = (
    url: string,
    start: () => Promise<SigningCertificate>,
  ): Promise<SigningCertificate> => {
    const running = pending.get(url);
    if (running !== undefined) {
      return running;
    }
    const started = start().finally(() => pending.delete(url));
    pending.set(url, started);
    return started;
  };

  const throwRecentFailure = (url: string): void => {
    const failure = failures.get(url);
    if (failure === undefined) return;
    const doublings = Math.min(failure.count - 1, MAX_FAILURE_DOUBLINGS);
    if (now() - failure.at < failureMilliseconds * 2 ** doublings) {
      throw failure.error;
    }
  };

  const get = async (url: string): Promise<SigningCertificate> => {
    const entry = entries.get(url);
    if (entry !== undefined) {
      keep(entries, maxEntries, url, entry);
      return entry.certificate;
    }
    throwRecentFailure(url);
    return fetchOnce(url, async () => fetchAndKeep(url, await known.sha256Of(url)));
  };

  return {
    get,

    answers: (url) =>
      get(url).then(
        () => true,
        (error: unknown) => error instanceof NoCertificateError,
      ),

    async refetch(url) {
      const running = pending.get(url);
      if (running !== undefined) {
        return running;
      }
      const entry = entries.get(url);
      if (entry !== undefined && now() - entry.fetchedAt < refetchMilliseconds) {
        return undefined;
      }
      throwRecentFailure(url);
      // Forged messages name known URLs too, and at AWS another certificate has another URL.
      return fetchOnce(url, () => fetchAndKeep(url));
    },

    noteVerified: known.note,
  };
}

/** @returns takes one fetch, or throws where the minute's are used up */
function fetchBudget(perMinute: number, what: string, now: () => number): (url: string) => void {
  let minuteStart = now();
  let fetches = 0;
  return (url) => {
    if (now() - minuteStart >= MINUTE) {
      minuteStart = now();
      fetches = 0;
    }
    if (fetches >= perMinute) {
      throw unavailable(url, `more than ${perMinute} fetches ${what} in a minute`);
    }
    fetches += 1;
  };
}

/** URLs of certificates that have verified a message, in this process or in another one. */
interface KnownUrls {
  /** Looks at what is remembered where the URL is unknown, from time to time. */
  sha256Of(url: string): Promise<string | undefined>;
  /** Believes a certificate no longer until it has verified a message in this process. */
  forget(url: string, sha256: string): void;
  note(certificate: SigningCertificate): void;
}

function knownUrls(
  { known: memory, knownMilliseconds = 10_000 }: CertificateStoreOptions,
  now: () => number,
): KnownUrls {
  const sums = new Map<string, string>();
  const forgotten = new Map<string, string>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    lookedAt = now();
    // Without the database no message is taken either.
    for (const { url, sha256 } of (await memory?.list().catch(() => [])) ?? []) {
      if (forgotten.get(url) !== sha256) sums.set(url, sha256);
    }
  };

  return {
    async sha256Of(url) {
      if (!sums.has(url) && now() - lookedAt >= knownMilliseconds) {
        looking = look();
      }
      await looking;
      return sums.get(url);
    },

    forget(url, sha256) {
      sums.delete(url);
      forgotten.set(url, sha256);
    },

    note({ url, sha256, validTo }) {
      if (sums.get(url) === sha256) return;
      sums.set(url, sha256);
      forgotten.delete(url);
      memory?.add({ url, sha256, validUntil: validTo }).catch(() => {
        // The next message that it verifies tries again.
        sums.delete(url);
      });
    },
  };
}

function keep<Value>(map: Map<string, Value>, limit: number, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= limit) {
      return;
    }
    map.delete(oldest);
  }
}

async function download(url: string, milliseconds: number, maxBytes: number): Promise<string> {
  try {
    const response = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/x-pem-file, */*', 'accept-encoding': 'identity' },
      signal: AbortSignal.timeout(milliseconds),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      const reason = `the answer was HTTP ${response.status}`;
      throw response.status < 500 ? new NoCertificateError(url, reason) : unavailable(url, reason);
    }
    return await readText(url, response, maxBytes);
  } catch (error) {
    if (error instanceof ListenerError) {
      throw error;
    }
    throw unavailable(url, describeFetchError(error, milliseconds));
  }
}

async function readText(url: string, response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      throw new NoCertificateError(url, `the answer was larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}

function describeFetchError(error: unknown, milliseconds: number): string {
  if (!(error instanceof Error)) {
    return 'unknown';
  }
  if (error.name === 'TimeoutError') {
    return `no answer within ${milliseconds} ms`;
  }
  // fetch says "fetch failed" and has the reason (refused, redirect, host not found) in its cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function readCertificate(url: string, pem: string): SigningCertificate {
  if (!pem.startsWith(PEM_HEADER)) {
    throw new NoCertificateError(url, `the answer does not begin with ${PEM_HEADER}`);
  }
  let certificate: X509Certificate;
  let publicKey: KeyObject;
  try {
    certificate = new X509Certificate(pem);
    publicKey = certificate.publicKey;
  } catch {
    throw new NoCertificateError(url, 'the answer is not a certificate');
  }
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < MIN_MODULUS_BITS) {
    throw new NoCertificateError(url, `its key is not RSA with at least ${MIN_MODULUS_BITS} bits`);
  }
  return {
    url,
    publicKey,
    validFrom: certificate.validFromDate,
    validTo: certificate.validToDate,
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** Without a cause, whose stack would be logged: anybody can make this happen, and the reason says it. */
function unavailable(url: string, reason: string): ListenerError {
  return new ListenerError('certificate_unavailable', { url, reason });
}
