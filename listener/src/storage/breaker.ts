import { ObjectUnavailableError, StoreError } from './object-store.ts';

/** What keeps a bucket from being used, by what has to be done about it. */
export const OUTAGES = ['access', 'kms', 'throttling', 'network'] as const;

/** One of {@link OUTAGES}. */
export type Outage = (typeof OUTAGES)[number];

/** Files that fail one after the other, without a success between, before it is the bucket's fault. */
const KEYS_BEFORE_OPEN = 5;

/** Between two tries of a bucket that is out. */
const TRY_AGAIN_MS = 10_000;

/** Those that rights may cause, which a policy grants by prefix and by encryption key. */
const OF_RIGHTS: ReadonlySet<Outage> = new Set(['access', 'kms']);

/** Keys that one breaker remembers, so that an outage does not fill the memory. */
const MOST_KEYS = 10_000;

/** How long the others wait until they are looked at again, and up to as long on top. */
const WAIT_MS = 20_000;

/** An attempt on an object of a bucket. It has to be ended. */
export interface BucketAttempt {
  /** Says that bytes come: while a bucket is out, another one may be tried meanwhile, however long this one takes. */
  reached(): void;
  /**
   * @param error what it failed with; undefined for a success
   * @returns whether the failure is the bucket's: then it counts against no file
   */
  end(error?: unknown): boolean;
}

/** Watches buckets, each by itself, for failures that are not those of one file. */
export interface Breakers {
  /** Begins an attempt, or says for how many milliseconds there is no sense in one. */
  begin(object: {
    readonly bucket: string;
    readonly key: string;
  }): BucketAttempt | { readonly waitMs: number };
  /** Whether any bucket is out. */
  readonly anyOpen: boolean;
  /** The buckets that are out, and why since when. */
  open(): readonly OpenBreaker[];
}

/** A bucket that is out. */
export interface OpenBreaker {
  readonly bucket: string;
  readonly outage: Outage;
  readonly since: Date;
}

/** Settings of {@link createBreakers}. */
export interface BreakersOptions {
  /** Milliseconds. @default performance.now */
  readonly now?: () => number;
  /** From 0 to 1, so that what waits does not come back all at once. @default Math.random */
  readonly random?: () => number;
  /**
   * Whether rights may be lacking for some keys alone, as for the files of one client among others: then one
   * that has not failed yet is tried without a pause. @default false
   */
  readonly rightsDiffer?: boolean;
  /** Called when a bucket is out, and when it is back. */
  readonly onChange?: (bucket: string, outage: Outage, isOpen: boolean) => void;
}

interface Breaker {
  readonly failedKeys: Set<string>;
  isOpen: boolean;
  /** When it was opened last. */
  since: Date;
  nextTryAt: number;
}

/**
 * Makes circuit breakers, one for each bucket and kind of outage. One opens after failures of five
 * different keys without a success between; then one attempt at a time is made every ten seconds, and
 * the first that reaches the bucket closes it. A key that fails alone stays its own fault.
 *
 * Where rights differ by key a key that has not failed yet is tried without that pause: of a thousand files below one
 * denied prefix nearly every try would be one of those, and the others of the bucket would wait for hours.
 */
export function createBreakers(options: BreakersOptions = {}): Breakers {
  const {
    now = () => performance.now(),
    random = Math.random,
    rightsDiffer = false,
    onChange,
  } = options;
  const buckets = new Map<string, Map<Outage, Breaker>>();
  const trying = new Set<string>();

  const openOf = (bucket: string) =>
    [...(buckets.get(bucket) ?? [])].filter(([, { isOpen }]) => isOpen);

  function failed(bucket: string, key: string, outage: Outage): boolean {
    const breakers = buckets.get(bucket) ?? new Map<Outage, Breaker>();
    buckets.set(bucket, breakers);
    const breaker = breakers.get(outage) ?? {
      ...{ failedKeys: new Set(), isOpen: false, since: new Date(), nextTryAt: 0 },
    };
    breakers.set(outage, breaker);
    if (breaker.failedKeys.size < MOST_KEYS) breaker.failedKeys.add(key);
    if (!breaker.isOpen && breaker.failedKeys.size >= KEYS_BEFORE_OPEN) {
      breaker.isOpen = true;
      breaker.since = new Date();
      onChange?.(bucket, outage, true);
    }
    breaker.nextTryAt = now() + TRY_AGAIN_MS;
    return openOf(bucket).length > 0;
  }

  function succeeded(bucket: string): void {
    const closed = openOf(bucket);
    buckets.delete(bucket);
    for (const [outage] of closed) onChange?.(bucket, outage, false);
  }

  return {
    begin({ bucket, key }) {
      const open = openOf(bucket);
      const isTry = open.length > 0;
      if (isTry) {
        const tooEarly = open.some(
          ([outage, { nextTryAt, failedKeys }]) =>
            now() < nextTryAt && !(rightsDiffer && OF_RIGHTS.has(outage) && !failedKeys.has(key)),
        );
        if (tooEarly || trying.has(bucket)) return { waitMs: WAIT_MS * (1 + random()) };
        trying.add(bucket);
      }
      let isOnlyOne = isTry;
      const makeRoom = () => {
        if (isOnlyOne) trying.delete(bucket);
        isOnlyOne = false;
      };
      return {
        reached: makeRoom,
        end(error) {
          makeRoom();
          const outage = outageOf(error);
          if (outage !== undefined) return failed(bucket, key, outage);
          // Whoever finds that an object is not there has reached the bucket.
          if (error === undefined || error instanceof ObjectUnavailableError) succeeded(bucket);
          return false;
        },
      };
    },
    get anyOpen() {
      return [...buckets.keys()].some((bucket) => openOf(bucket).length > 0);
    },
    open: () =>
      [...buckets.keys()].flatMap((bucket) =>
        openOf(bucket).map(([outage, { since }]) => ({ bucket, outage, since })),
      ),
  };
}

/** Codes of Node.js for connections that were not made, or did not last. */
const NETWORK =
  /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SSL_\w+|EPROTO|CERT_\w+)$/;

/** Names of errors of S3 and of the SDK (Amazon S3 API Reference, "Error responses"). */
const NAMES: readonly (readonly [RegExp, Outage])[] = [
  [/^KMS\.|^Kms/, 'kms'],
  [
    /^(AccessDenied|AllAccessDisabled|AccountProblem|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken\w*|InvalidToken|CredentialsProviderError|TokenProviderError|Forbidden|NoSuchBucket|\w*UnauthorizedException)$/,
    'access',
  ],
  [
    /^(SlowDown|ServiceUnavailable|InternalError|Throttling\w*|TooManyRequests\w*|RequestLimitExceeded|RequestTimeout|503|500)$/,
    'throttling',
  ],
  [/^(TimeoutError|NetworkingError|AbortError)$/, 'network'],
];

/** The kind of an outage that an error may be part of; undefined for what is the file's own. */
export function outageOf(error: unknown): Outage | undefined {
  if (!(error instanceof StoreError)) return undefined;
  return causes(error.cause)
    .map(outageOfCause)
    .find((outage) => outage !== undefined);
}

function outageOfCause(cause: unknown): Outage | undefined {
  if (!(cause instanceof Error)) return undefined;
  // S3 says AccessDenied as well where it is the key that may not be used.
  if (cause.name === 'AccessDenied' && /\bkms:/i.test(cause.message)) return 'kms';
  const named = NAMES.find(([names]) => names.test(cause.name))?.[1];
  if (named !== undefined) return named;
  const code = 'code' in cause ? String(cause.code) : '';
  if (NETWORK.test(code)) return 'network';
  const status = statusOf(cause);
  if (status === 403) return 'access';
  return status === 429 || (status !== undefined && status >= 500) ? 'throttling' : undefined;
}

/** An error, what it was caused by, and the errors of both addresses of a host. */
function causes(error: unknown, depth = 0): readonly unknown[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  return [error, ...inner.flatMap((cause) => causes(cause, depth + 1))];
}

function statusOf(error: Error): number | undefined {
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const status = 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
