import { templateParts } from '../../../src/synthesized/model/expression.ts';

/** A value that nobody knows here, such as that of a function which is not evaluated. */
const UNKNOWN = Symbol('unknown');
/** What Terraform ends with an error: no verdict of a condition. */
class Failure extends Error {}

/** An expression, as a function of the values of what it refers to. */
type Expression = (lookUp: (reference: string) => unknown) => unknown;

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?)|"((?:[^"\\]|\\.)*)"|([A-Za-z_][\w-]*)|(\|\||&&|[=!<>]=|=>|\.\.\.|[-+*/%!<>?:()[\]{}.,=]))/y;

/** How binary operators bind, loosest first (Terraform, "Arithmetic and Logical Operators"). */
const LEVELS = [['||'], ['&&'], ['==', '!='], ['<', '>', '<=', '>='], ['+', '-'], ['*', '/', '%']];

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign';
  readonly text: string;
}

function tokensOf(expression: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = expression.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const [, number, text, name, sign] = TOKEN.exec(expression) ?? [];
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (text !== undefined) tokens.push({ kind: 'text', text });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else throw new Failure(`not an expression: ${expression}`);
  }
  return tokens;
}

function unescaped(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  return text.replaceAll(/\\(.)/g, (_, letter: string) => letters[letter] ?? letter);
}

/** What functions do; those that are not here give a value that nobody knows. */
const FUNCTIONS: Readonly<Record<string, (values: readonly unknown[]) => unknown>> = {
  length: ([value]) => {
    if (typeof value === 'string') return [...value].length;
    if (Array.isArray(value)) return value.length;
    throw new Failure('length of no list');
  },
  contains: ([list, value]) => {
    if (!Array.isArray(list)) throw new Failure('contains of no list');
    return list.some((item) => item === value);
  },
  startswith: ([text, prefix]) => textOf(text).startsWith(textOf(prefix)),
  endswith: ([text, suffix]) => textOf(text).endsWith(textOf(suffix)),
  strcontains: ([text, part]) => textOf(text).includes(textOf(part)),
  lower: ([text]) => textOf(text).toLowerCase(),
  upper: ([text]) => textOf(text).toUpperCase(),
  trimspace: ([text]) => textOf(text).trim(),
  tostring: ([value]) => textOf(value),
  tonumber: ([value]) => numberOf(value),
  abs: ([value]) => Math.abs(numberOf(value)),
  max: (values) => Math.max(...values.map(numberOf)),
  min: (values) => Math.min(...values.map(numberOf)),
  floor: ([value]) => Math.floor(numberOf(value)),
  alltrue: ([list]) => listOf(list).every((item) => item === true),
  anytrue: ([list]) => listOf(list).some((item) => item === true),
  one: ([list]) => {
    if (listOf(list).length > 1) throw new Failure('one of several');
    return listOf(list)[0] ?? null;
  },
  coalesce: (values) => values.find((value) => value !== null && value !== '') ?? null,
  split: ([separator, text]) => textOf(text).split(textOf(separator)),
  join: ([separator, list]) => listOf(list).map(textOf).join(textOf(separator)),
  replace: ([text, from, to]) => textOf(text).replaceAll(textOf(from), () => textOf(to)),
  trimprefix: ([text, prefix]) =>
    textOf(text).startsWith(textOf(prefix)) ? textOf(text).slice(textOf(prefix).length) : text,
  trimsuffix: ([text, suffix]) =>
    textOf(text).endsWith(textOf(suffix))
      ? textOf(text).slice(0, textOf(text).length - textOf(suffix).length)
      : text,
  concat: (lists) => lists.flatMap(listOf),
  distinct: ([list]) => [...new Set(listOf(list))],
  compact: ([list]) => listOf(list).filter((item) => item !== null && item !== ''),
  tolist: ([list]) => listOf(list),
  toset: ([list]) => [...new Set(listOf(list))],
  jsonencode: ([value]) => JSON.stringify(value),
  base64encode: ([text]) => Buffer.from(textOf(text)).toString('base64'),
  // Of a digest, its length alone is the same for all.
  md5: ([text]) => textOf(text).padEnd(32, '0').slice(0, 32),
  sha256: ([text]) => textOf(text).padEnd(64, '0').slice(0, 64),
  regexall: ([pattern, text]) => [...textOf(text).matchAll(regexOf(pattern, 'g'))],
  regex: ([pattern, text]) => {
    const found = regexOf(pattern).exec(textOf(text));
    if (found === null) throw new Failure('no match');
    return found[0];
  },
};

function regexOf(pattern: unknown, flags = ''): RegExp {
  try {
    const [, insensitive, rest = ''] = /^(\(\?i\))?(.*)$/s.exec(textOf(pattern)) ?? [];
    return new RegExp(rest, `${flags}${insensitive ? 'i' : ''}`);
  } catch {
    throw new Unevaluated();
  }
}

/** Something that is not evaluated here turned up. */
class Unevaluated extends Error {}

function textOf(value: unknown): string {
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  throw new Failure('no text');
}

function numberOf(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && !Number.isNaN(number)) return number;
  throw new Failure('no number');
}

function booleanOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new Failure('no truth value');
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Failure('no list');
}

const OPERATIONS: Readonly<Record<string, (one: unknown, other: unknown) => unknown>> = {
  '==': (one, other) => JSON.stringify(one) === JSON.stringify(other),
  '!=': (one, other) => JSON.stringify(one) !== JSON.stringify(other),
  '<': (one, other) => numberOf(one) < numberOf(other),
  '>': (one, other) => numberOf(one) > numberOf(other),
  '<=': (one, other) => numberOf(one) <= numberOf(other),
  '>=': (one, other) => numberOf(one) >= numberOf(other),
  '+': (one, other) => numberOf(one) + numberOf(other),
  '-': (one, other) => numberOf(one) - numberOf(other),
  '*': (one, other) => numberOf(one) * numberOf(other),
  '/': (one, other) => numberOf(one) / numberOf(other),
  '%': (one, other) => numberOf(one) % numberOf(other),
};

/** A value, or that nobody knows it; errors of Terraform go on. */
function attempt(expression: Expression, lookUp: (reference: string) => unknown): unknown {
  try {
    return expression(lookUp);
  } catch (error) {
    if (error instanceof Unevaluated) return UNKNOWN;
    throw error;
  }
}

/** What either side of `||` and `&&` decides by itself, whatever the other one is. */
function logical(sign: string, one: Expression, other: Expression): Expression {
  const decides = sign === '||';
  return (lookUp) => {
    const sides = [one, other].map((side) => attempt(side, lookUp));
    const known = sides.filter((side) => side !== UNKNOWN).map(booleanOf);
    if (known.includes(decides)) return decides;
    if (known.length < 2) throw new Unevaluated();
    return !decides;
  };
}

/** Parses an expression; what it can't read becomes a value that nobody knows. */
function parse(tokens: readonly Token[]): Expression {
  let at = 0;
  const is = (text: string) => tokens[at]?.kind === 'sign' && tokens[at]?.text === text;
  const take = (text: string) => {
    if (!is(text)) throw new Unevaluated();
    at += 1;
  };
  const list = (end: string): readonly Expression[] => {
    const items: Expression[] = [];
    while (!is(end)) {
      items.push(conditional());
      if (!is(end)) take(',');
    }
    take(end);
    return items;
  };
  const conditional = (): Expression => {
    const condition = binary(0);
    if (!is('?')) return condition;
    take('?');
    const yes = conditional();
    take(':');
    const no = conditional();
    return (lookUp) => (booleanOf(condition(lookUp)) ? yes(lookUp) : no(lookUp));
  };
  const binary = (level: number): Expression => {
    const signs = LEVELS[level];
    if (signs === undefined) return unary();
    let left = binary(level + 1);
    for (let sign = signs.find(is); sign !== undefined; sign = signs.find(is)) {
      take(sign);
      const [one, other, used] = [left, binary(level + 1), sign];
      const operation = OPERATIONS[used];
      left =
        operation === undefined
          ? logical(used, one, other)
          : (lookUp) => operation(one(lookUp), other(lookUp));
    }
    return left;
  };
  const unary = (): Expression => {
    if (is('!')) {
      take('!');
      const value = unary();
      return (lookUp) => !booleanOf(value(lookUp));
    }
    if (is('-')) {
      take('-');
      const value = unary();
      return (lookUp) => -numberOf(value(lookUp));
    }
    return primary();
  };
  const primary = (): Expression => {
    const token = tokens[at];
    if (token === undefined) throw new Unevaluated();
    if (is('(')) {
      take('(');
      const inner = conditional();
      take(')');
      return inner;
    }
    if (is('[')) {
      take('[');
      if (tokens[at]?.text === 'for') throw new Unevaluated();
      const items = list(']');
      return (lookUp) => items.map((item) => item(lookUp));
    }
    at += 1;
    if (token.kind === 'number') return () => Number(token.text);
    if (token.kind === 'text') {
      if (/[$%]\{/.test(token.text)) throw new Unevaluated();
      return () => unescaped(token.text);
    }
    if (token.kind === 'sign') throw new Unevaluated();
    if (['true', 'false'].includes(token.text)) return () => token.text === 'true';
    if (token.text === 'null') return () => null;
    return is('(') ? indexed(call(token.text)) : reference(token.text);
  };
  const indexed = (value: Expression): Expression => {
    if (!is('[')) return value;
    take('[');
    const index = conditional();
    take(']');
    return indexed((lookUp) => {
      const item = listOf(value(lookUp))[numberOf(index(lookUp))];
      if (item === undefined) throw new Failure('no such item');
      return item;
    });
  };
  const call = (name: string): Expression => {
    take('(');
    const values = list(')');
    if (name === 'can') {
      return (lookUp) => succeeds(values[0], lookUp);
    }
    if (name === 'try') {
      return (lookUp) => values.find((value) => succeeds(value, lookUp))?.(lookUp);
    }
    const apply = FUNCTIONS[name];
    return (lookUp) => {
      if (apply === undefined) throw new Unevaluated();
      return apply(values.map((value) => value(lookUp)));
    };
  };
  const reference = (name: string): Expression => {
    let path = name;
    while (is('.') || is('[')) {
      if (is('.')) {
        take('.');
        path += `.${tokens[at]?.text ?? ''}`;
        at += 1;
      } else {
        take('[');
        path += `[${tokens[at]?.text ?? ''}]`;
        at += 1;
        take(']');
      }
    }
    return (lookUp) => lookUp(path);
  };
  const whole = conditional();
  if (at < tokens.length) throw new Unevaluated();
  return whole;
}

function succeeds(value: Expression | undefined, lookUp: (path: string) => unknown): boolean {
  try {
    value?.(lookUp);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Values that conditions are tried with, beside those that they name themselves. */
const TEXTS = ['x', 'ä §!', 'a\nb', ' ', '0', '-1', 'x'.repeat(5000)];
const NUMBERS = [-1e15, -1, 0, 1, 2, 0.5, 1e15];
const LISTS = [[], ['x'], ['x', 'y'], ['x', 'y', 'z', 'x', 'y', 'z']];

/** Types of a variable that have values of their own to be tried with. */
const BY_TYPE: Readonly<Record<string, readonly unknown[]>> = {
  string: ['', ...TEXTS],
  number: NUMBERS,
  bool: [true, false],
};

/** Values near those that a condition names: it may be false for these alone. */
function namedIn(tokens: readonly Token[]): readonly unknown[] {
  return tokens.flatMap(({ kind, text }): readonly unknown[] => {
    if (kind === 'number') return [Number(text) - 1, Number(text), Number(text) + 1];
    if (kind !== 'text') return [];
    const plain = unescaped(text);
    return [plain, plain.replaceAll(/[\^$]|\\(?=.)/g, ''), plain.replaceAll(/\W+/g, '')];
  });
}

/**
 * Whether a condition of Terraform holds whatever it is about: it is tried with many values of what it refers to.
 *
 * @param condition - as it is in the JSON: `${length(self.ids) == 1}`, or a literal
 * @param type - of the variable that it validates, such as `string`; @default any
 * @param nullable - whether variables may be null; what a resource has is neither null nor empty
 * @returns false for what is false for some value, and for what can't be evaluated here
 */
export function holdsAlways(condition: unknown, type = '', nullable = true): boolean {
  if (typeof condition === 'boolean') return condition;
  const [part, ...others] = templateParts(String(condition));
  if (part === undefined || others.length > 0) return false;
  if (!part.expression) return part.text.trim() === 'true';
  try {
    const tokens = tokensOf(part.text);
    const expression = parse(tokens);
    const named = namedIn(tokens);
    const tried = [
      ...(nullable ? [null] : []),
      ...(BY_TYPE[type] === undefined
        ? ['', ...TEXTS, ...NUMBERS, ...LISTS, true, false, ...named]
        : [
            ...BY_TYPE[type],
            ...named.filter((value) => typeof value === typeof BY_TYPE[type]?.[0]),
          ]),
    ];
    const verdicts = tried.flatMap((_, index) =>
      // Several references get the same value, and others.
      [0, 1, 5].map((step) => verdictOf(expression, tried, index, step)),
    );
    return verdicts.includes(true) && !verdicts.includes(false) && !verdicts.includes(UNKNOWN);
  } catch (error) {
    if (error instanceof Unevaluated || error instanceof Failure) return false;
    throw error;
  }
}

/** A truth value, that nobody knows it, or undefined where Terraform ends with an error. */
function verdictOf(
  expression: Expression,
  tried: readonly unknown[],
  index: number,
  step: number,
): unknown {
  const given = new Map<string, unknown>();
  const lookUp = (path: string) => {
    if (!given.has(path)) {
      const value = tried[(index + given.size * step) % tried.length];
      const isMade = !/^(var|local|self|data|each)\./.test(path);
      given.set(
        path,
        (isMade && value === '') || (value === null && !path.startsWith('var.')) ? 'x' : value,
      );
    }
    return given.get(path);
  };
  try {
    const value = attempt(expression, lookUp);
    return typeof value === 'boolean' || value === UNKNOWN ? value : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
