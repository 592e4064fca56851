import { createRequire } from 'node:module';

/**
 * Makes cdktf start and run faster, without a change in what it synthesizes. To be imported before
 * cdktf: its archiver takes two fifths of the time that cdktf needs to load, and is for file assets,
 * which we have none of; semver, for moves of resources by cdktf's own means, which we make none of, and
 * its writer of JSON are 89 small modules, a twentieth of a synth; a stack trace is captured for each
 * token, which only a broken token needs; and every text, key and number is searched for tokens by
 * several expressions, a tenth of a synth.
 */
const requireFromCdktf = createRequire(createRequire(import.meta.url).resolve('cdktf'));

replaceModule('archiver', loadedAtFirstUse);
replaceModule('semver', loadedAtFirstUse);
replaceModule('json-stable-stringify', () => (value: unknown) => stableJson(value, '\n'));

/** Gives cdktf something else for a module that it requires; cdktn requires other ones. */
function replaceModule(name: string, make: (load: () => object) => unknown): void {
  let filename: string;
  try {
    filename = requireFromCdktf.resolve(name);
  } catch {
    return;
  }
  let own: object | undefined;
  const load = () => {
    if (own === undefined) delete requireFromCdktf.cache[filename];
    own ??= requireFromCdktf(name) as object;
    return own;
  };
  requireFromCdktf.cache[filename] = {
    id: filename,
    filename,
    path: filename,
    loaded: true,
    exports: make(load),
    children: [],
    paths: [],
    parent: null,
    require: requireFromCdktf,
    isPreloading: false,
  };
}

function loadedAtFirstUse(load: () => object): unknown {
  return new Proxy(() => {}, {
    get: (_, name) => Reflect.get(load(), name),
    apply: (_, self, options) => Reflect.apply(load() as () => unknown, self, options),
  });
}

/**
 * JSON with sorted keys and two blanks a level, as cdktf has it written by json-stable-stringify, which puts the
 * brackets of what is empty on two lines.
 *
 * @param indent - a line break and the blanks of this level
 */
function stableJson(value: unknown, indent: string): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close, items] = Array.isArray(value)
    ? ['[', ']', value.map((item) => stableJson(item, inner) ?? 'null')]
    : ['{', '}', entriesOf(value as Record<string, unknown>, inner)];
  return `${open}${items.map((item) => inner + item).join(',')}${indent}${close}`;
}

function entriesOf(object: Readonly<Record<string, unknown>>, indent: string): readonly string[] {
  return Object.keys(object)
    .sort()
    .flatMap((key) => {
      const text = stableJson(object[key], indent);
      return text === undefined ? [] : [`${JSON.stringify(key)}: ${text}`];
    });
}

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
