import { createRequire } from 'node:module';

/**
 * Makes cdktf start and run faster, without a change in what it synthesizes. To be imported before
 * cdktf: its archiver takes two fifths of the time that cdktf needs to load, and is for file assets,
 * which we have none of; a stack trace is captured for each token, which only a broken token needs;
 * and every text, key and number is searched for tokens by several expressions, a tenth of a synth.
 */
const requireFromCdktf = createRequire(createRequire(import.meta.url).resolve('cdktf'));
const archiver = requireFromCdktf.resolve('archiver');

const createArchive = (...options: unknown[]): unknown => {
  delete requireFromCdktf.cache[archiver];
  return requireFromCdktf('archiver')(...options);
};
requireFromCdktf.cache[archiver] = {
  id: archiver,
  filename: archiver,
  path: archiver,
  loaded: true,
  exports: createArchive,
  children: [],
  paths: [],
  parent: null,
  require: requireFromCdktf,
  isPreloading: false,
};

const { captureStackTrace } = Error;
Error.captureStackTrace = (subject, below) => {
  // cdktf's has an empty stack; other libraries read what they get (depd, by `callsites`).
  const ofToken = !(subject instanceof Error) && 'stack' in subject && subject.stack === '';
  if (!ofToken) captureStackTrace(subject, below);
};

/** cdktf's `_tokens.js`, by which stacks resolve what their elements are written as. */
interface Tokens {
  resolve(scope: unknown, value: unknown, preparing?: boolean): unknown;
}

const tokens = requireFromCdktf('./_tokens.js') as Tokens;
const { resolve } = tokens;

tokens.resolve = function resolveTokens(scope, value, preparing): unknown {
  if (Array.isArray(value) && !value.some(mayBeToken)) {
    return value
      .map((item) => resolveTokens(scope, item, preparing))
      .filter((item) => item !== undefined);
  }
  if (isPlainObject(value) && !Object.keys(value).some(mayBeToken)) {
    const entries = Object.entries(value)
      .map(([key, item]) => [key, resolveTokens(scope, item, preparing)] as const)
      .filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries);
  }
  const isPlain = typeof value !== 'object' && typeof value !== 'function' && !mayBeToken(value);
  return isPlain ? value : resolve(scope, value, preparing);
};

/** Tokens have a mark in texts; as numbers they are below -1e280, in texts too (cdktf, `tokens/private/encoding.ts`). */
function mayBeToken(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('TfToken[') || value.includes('e+2');
  return typeof value === 'number' && value < -1e280;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    typeof (value as Record<string, unknown>).resolve !== 'function'
  );
}
