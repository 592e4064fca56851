import { type KeyObject, X509Certificate } from 'node:crypto';
import { ListenerError } from '../errors.ts';

/** A certificate that was fetched. Validity is not judged here but at each use. */
export interface SigningCertificate {
  readonly url: string;
  readonly publicKey: KeyObject;
  readonly validFrom: Date;
  readonly validTo: Date;
}

/** Fetches certificates and keeps them. */
export interface CertificateStore {
  /**
   * The certificate at a URL, from memory where it is known.
   * @throws ListenerError `certificate_unavailable`
   */
  get(url: string): Promise<SigningCertificate>;
  /**
   * Fetches a certificate once more because the known one did not fit: an emulator renews its key
   * at the same URL.
   *
   * @returns undefined where the URL was fetched a short while ago, so that forged messages can't
   * make us call the host all the time
   * @throws ListenerError `certificate_unavailable`
   */
  refetch(url: string): Promise<SigningCertificate | undefined>;
}

/** Settings of {@link createCertificateStore}; each has a default. */
export interface CertificateStoreOptions {
  /** Certificates in memory; the one not used for longest is dropped first. @default 32 */
  readonly maxEntries?: number;
  /** Milliseconds for the whole of one fetch. @default 3000 */
  readonly timeoutMilliseconds?: number;
  /** Largest answer in bytes. @default 65536 */
  readonly maxBytes?: number;
  /** Milliseconds between two fetches of one known URL. @default 1000 */
  readonly refetchMilliseconds?: number;
  /** Milliseconds for which a failed fetch is the answer to the next question. @default 2000 */
  readonly failureMilliseconds?: number;
  /** Fetches per minute over all URLs; messages can name any number of them. @default 120 */
  readonly maxFetchesPerMinute?: number;
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
}

const PEM_HEADER = '-----BEGIN CERTIFICATE-----';
const MIN_MODULUS_BITS = 2048;
const MINUTE = 60_000;

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
    now = Date.now,
  } = options;
  // Maps keep the order of insertion, so the first key is the one to drop.
  const entries = new Map<string, Entry>();
  const failures = new Map<string, Failure>();
  const pending = new Map<string, Promise<SigningCertificate>>();
  let minuteStart = now();
  let fetchesThisMinute = 0;

  const takeFetchFromBudget = (url: string): void => {
    if (now() - minuteStart >= MINUTE) {
      minuteStart = now();
      fetchesThisMinute = 0;
    }
    if (fetchesThisMinute >= maxFetchesPerMinute) {
      throw unavailable(url, `more than ${maxFetchesPerMinute} fetches in a minute`);
    }
    fetchesThisMinute += 1;
  };

  const fetchAndKeep = async (url: string): Promise<SigningCertificate> => {
    try {
      takeFetchFromBudget(url);
      const pem = await download(url, timeoutMilliseconds, maxBytes);
      const certificate = readCertificate(url, pem);
      failures.delete(url);
      keep(entries, maxEntries, url, { certificate, fetchedAt: now() });
      return certificate;
    } catch (error) {
      const failure = error instanceof ListenerError ? error : unavailable(url, 'unknown', error);
      keep(failures, maxEntries, url, { error: failure, at: now() });
      throw failure;
    }
  };

  const fetchOnce = (url: string): Promise<SigningCertificate> => {
    const running = pending.get(url);
    if (running !== undefined) {
      return running;
    }
    const started = fetchAndKeep(url).finally(() => pending.delete(url));
    pending.set(url, started);
    return started;
  };

  const throwRecentFailure = (url: string): void => {
    const failure = failures.get(url);
    if (failure !== undefined && now() - failure.at < failureMilliseconds) {
      throw failure.error;
    }
  };

  return {
    async get(url) {
      const entry = entries.get(url);
      if (entry !== undefined) {
        keep(entries, maxEntries, url, entry);
        return entry.certificate;
      }
      throwRecentFailure(url);
      return fetchOnce(url);
    },

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
      return fetchOnce(url);
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
      throw unavailable(url, `the answer was HTTP ${response.status}`);
    }
    return await readText(url, response, maxBytes);
  } catch (error) {
    if (error instanceof ListenerError) {
      throw error;
    }
    throw unavailable(url, describeFetchError(error, milliseconds), error);
  }
}

async function readText(url: string, response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      throw unavailable(url, `the answer was larger than ${maxBytes} bytes`);
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
    throw unavailable(url, `the answer does not begin with ${PEM_HEADER}`);
  }
  let certificate: X509Certificate;
  let publicKey: KeyObject;
  try {
    certificate = new X509Certificate(pem);
    publicKey = certificate.publicKey;
  } catch (error) {
    throw unavailable(url, 'the answer is not a certificate', error);
  }
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < MIN_MODULUS_BITS) {
    throw unavailable(url, `its key is not RSA with at least ${MIN_MODULUS_BITS} bits`);
  }
  return {
    url,
    publicKey,
    validFrom: certificate.validFromDate,
    validTo: certificate.validToDate,
  };
}

function unavailable(url: string, reason: string, cause?: unknown): ListenerError {
  return new ListenerError('certificate_unavailable', { url, reason }, { cause });
}
