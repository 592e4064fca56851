import { type AnyNode, parseExpressionAt, type Token, tokenizer, tokTypes } from 'acorn';
import { templateParts } from '../../../src/synthesized/model/expression.ts';

/** A value that nobody knows here, such as that of a function which is not evaluated. */
const UNKNOWN = Symbol('unknown');
/** What Terraform ends with an error: no verdict of a condition. */
class Failure extends Error {}

/** Of JavaScript, whose expressions are read in place of Terraform's. */
const SYNTAX = { ecmaVersion: 'latest' } as const;

type LookUp = (reference: string) => unknown;

/** An expression of Terraform in the syntax of JavaScript, whose names have no hyphens and are not `var` or `try`. */
function asJavaScript(expression: string): string {
  return expression.replaceAll(/"(?:[^"\\]|\\.)*"|[A-Za-z_][\w-]*/g, (part) =>
    part.startsWith('"') ? part : part.replaceAll('-', '$').replace(/^(var|try)$/, '$$$&'),
  );
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
function attempt(value: () => unknown): unknown {
  try {
    return value();
  } catch (error) {
    if (error instanceof Unevaluated) return UNKNOWN;
    throw error;
  }
}

/** What either side of `||` and `&&` decides by itself, whatever the other one is. */
function logical(sign: string, sides: readonly (() => unknown)[]): boolean {
  const decides = sign === '||';
  const known = sides
    .map(attempt)
    .filter((side) => side !== UNKNOWN)
    .map(booleanOf);
  if (known.includes(decides)) return decides;
  if (known.length < 2) throw new Unevaluated();
  return !decides;
}

/** The value of an expression; what can't be evaluated here is thrown. */
function evaluate(node: AnyNode, source: string, lookUp: LookUp): unknown {
  const of = (one: AnyNode | null) => (one === null ? null : evaluate(one, source, lookUp));
  switch (node.type) {
    case 'Literal':
      if (node.regex || /[$%]\{/.test(String(node.value))) break;
      return node.value;
    case 'ArrayExpression':
      return node.elements.map(of);
    case 'UnaryExpression':
      if (node.operator === '!') return !booleanOf(of(node.argument));
      if (node.operator === '-') return -numberOf(of(node.argument));
      break;
    case 'LogicalExpression':
      return logical(node.operator, [() => of(node.left), () => of(node.right)]);
    case 'BinaryExpression': {
      const operation = OPERATIONS[node.operator];
      if (operation === undefined) break;
      return operation(of(node.left), of(node.right));
    }
    case 'ConditionalExpression':
      return of(booleanOf(of(node.test)) ? node.consequent : node.alternate);
    case 'CallExpression': {
      const values = node.arguments.map((one) => () => of(one));
      return call(source.slice(node.callee.start, node.callee.end).replace(/^\$/, ''), values);
    }
    case 'Identifier':
    case 'MemberExpression': {
      const path = source.slice(node.start, node.end);
      if (/^[\w$.]+(\[[^\]]*\]|\.[\w$]+)*$/.test(path)) return lookUp(path.replace(/^\$/, ''));
      if (node.type === 'Identifier' || !node.computed) break;
      const item = listOf(of(node.object))[numberOf(of(node.property))];
      if (item === undefined) throw new Failure('no such item');
      return item;
    }
  }
  throw new Unevaluated();
}

function call(name: string, values: readonly (() => unknown)[]): unknown {
  if (name === 'can') return values.every(succeeds);
  if (name === 'try') return values.find(succeeds)?.();
  const apply = FUNCTIONS[name];
  if (apply === undefined) throw new Unevaluated();
  return apply(values.map((value) => value()));
}

function succeeds(value: () => unknown): boolean {
  try {
    value();
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
function namedIn(source: string): readonly unknown[] {
  // Their declaration lacks what they stand for.
  const tokens = [...tokenizer(source, SYNTAX)] as (Token & { readonly value?: unknown })[];
  return tokens.flatMap(({ type, value }): readonly unknown[] => {
    if (type === tokTypes.num) return [Number(value) - 1, Number(value), Number(value) + 1];
    if (type !== tokTypes.string) return [];
    const plain = String(value);
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
    const source = asJavaScript(part.text);
    const node = parseExpressionAt(source, 0, SYNTAX);
    if (source.slice(node.end).trim() !== '') return false;
    const expression = (lookUp: LookUp) => evaluate(node, source, lookUp);
    const named = namedIn(source);
    const tried = [
      ...(nullable ? [null] : []),
      ...(BY_TYPE[type] === undefined
        ? ['', ...TEXTS, ...NUMBERS, ...LISTS, true, false, ...named]
        : [
            ...BY_TYPE[type],
            ...named.filter((value) => typeof value === typeof BY_TYPE[type]?.[0]),
          ]),
    ];
    let holds = false;
    for (const index of tried.keys()) {
      // Several references get the same value, and others.
      for (const step of [0, 1, 5]) {
        const verdict = verdictOf(expression, tried, index, step);
        // Most conditions are false for one of the first: the rest need not be tried.
        if (verdict === false || verdict === UNKNOWN) return false;
        holds ||= verdict === true;
      }
    }
    return holds;
  } catch (error) {
    if ([Unevaluated, Failure, SyntaxError].some((kind) => error instanceof kind)) return false;
    throw error;
  }
}

/** A truth value, that nobody knows it, or undefined where Terraform ends with an error. */
function verdictOf(
  expression: (lookUp: LookUp) => unknown,
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
    const value = attempt(() => expression(lookUp));
    return typeof value === 'boolean' || value === UNKNOWN ? value : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
