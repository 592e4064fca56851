// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's templates look like JavaScript's.
import assert from 'node:assert/strict';
import { parse } from '@cdktf/hcl2json';
import fc, { type GeneratorValue } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readHclLiterals } from '../../../../src/settings/tfvars/hcl-literals.ts';
import type { TfvarsValue } from '../../../../src/settings/tfvars/tfvars-value.ts';

function valuesOf(text: string): { [name: string]: TfvarsValue } {
  const { assignments, faults } = readHclLiterals(text);
  assert.deepEqual(faults, [], `faults in ${JSON.stringify(text)}`);
  return Object.fromEntries(assignments.map(({ name, value }) => [name, value]));
}

/** Line and variable of each fault, as `1 a`. */
const placesOf = (text: string) =>
  readHclLiterals(text).faults.map(({ line, variable }) => `${line} ${variable ?? '-'}`);

const namesOf = (text: string) => readHclLiterals(text).assignments.map(({ name }) => name);

describe('a valid value', () => {
  test.each<[string, string, TfvarsValue]>([
    ['a string', '"x y"', 'x y'],
    ['an empty string', '""', ''],
    ['a string with escapes', '"a\\n\\"b\\" $${c}"', 'a\n"b" ${c}'],
    ['a string with comment signs', '"# // /* x"', '# // /* x'],
    ['a heredoc', '<<EOT\n  a\n b\nEOT', '  a\n b\n'],
    ['a heredoc without its indent', '<<-EOT\n  a\n   b\n  EOT', 'a\n b\n'],
    ['a whole number', '42', 42],
    ['a decimal', '1.50', 1.5],
    ['an exponent', '15e-1', 1.5],
    ['a negative number', '-3', -3],
    ['a negative number with a space', '- 3', -3],
    ['two minus signs', '--3', 3],
    ['zero without a sign', '-0', 0],
    ['true', 'true', true],
    ['false', 'false', false],
    ['null', 'null', null],
    ['an empty list', '[]', []],
    ['an empty list over lines', '[\n# none\n]', []],
    ['a list', '[1, "b", true, null]', [1, 'b', true, null]],
    ['a list over lines with a trailing comma', '[\n  1, # one\n  2 // two\n  ,\n]', [1, 2]],
    ['a negative number over lines in a list', '[-\n1]', [-1]],
    ['a heredoc in a list', '[<<E\nx\nE\n, 1]', ['x\n', 1]],
    ['an empty map', '{}', {}],
    ['a map on a line', '{ a = 1, b : 2 }', { a: 1, b: 2 }],
    ['a map over lines', '{\n\n  a = 1 # one\n  b = 2,\n\n  c = 3\n}', { a: 1, b: 2, c: 3 }],
    ['a heredoc in a map', '{\n  a = <<E\nx\nE\n  b = 1\n}', { a: 'x\n', b: 1 }],
    ['string keys', '{ "a b" = 1, "\\u00e9" = 2 }', { 'a b': 1, é: 2 }],
    ['keys with dashes and other letters', '{ a-b = 1, ä_1 = 2 }', { 'a-b': 1, ä_1: 2 }],
    ['keys in parentheses', '{ ("a") = 1, (\n2\n) = 2, (true) = 3 }', { a: 1, 2: 2, true: 3 }],
    ['number keys', '{ 1 = "a", -2 = "b", 1e3 = "c" }', { 1: 'a', '-2': 'b', 1000: 'c' }],
    ['keywords as keys', '{ true = 1, null = 2, if = 3 }', { true: 1, null: 2, if: 3 }],
    ['"for" as a string key', '{ "for" = 1 }', { for: 1 }],
    ['the last value of a repeated key', '{ a = 1, a = 2 }', { a: 2 }],
    ['nested values', '{ a = [{ b = [[1], { c = {} }] }] }', { a: [{ b: [[1], { c: {} }] }] }],
    ['parentheses', '(((1)))', 1],
    ['parentheses over lines', '(\n-(\n1\n)\n)', -1],
    ['a map in parentheses', '({ a = 1\nb = 2 })', { a: 1, b: 2 }],
    ['a comment before it', '/* x\ny */ 1', 1],
  ])('is %s', (_, text, value) => {
    expect(valuesOf(`a = ${text}\n`)).toStrictEqual({ a: value });
  });

  test('may be a map with a __proto__ key, which is data', () => {
    const { a } = valuesOf('a = { __proto__ = { admin = true }, constructor = 1 }');
    assert(typeof a === 'object' && a !== null);
    expect(Object.getPrototypeOf(a)).toBe(Object.prototype);
    expect(Object.entries(a)).toStrictEqual([
      ['__proto__', { admin: true }],
      ['constructor', 1],
    ]);
  });
});

describe('a file', () => {
  test.each<[string, string, { [name: string]: TfvarsValue }]>([
    ['nothing', '', {}],
    ['only blanks and comments', ' \n# a = 1\n// b = 1\n/* c = 1\n*/\t', {}],
    ['no final newline', 'a = 1', { a: 1 }],
    ['a comment without a final newline', 'a = 1 # x', { a: 1 }],
    ['CRLF', 'a = [\r\n1\r\n]\r\nb = { c = 1\r\n}\r\n', { a: [1], b: { c: 1 } }],
    ['a byte order mark', '\ufeffa = 1\n', { a: 1 }],
    ['indented assignments', '  a = 1\n\tb = 2\n', { a: 1, b: 2 }],
    ['no blanks', 'a=1\nb="x"#c\n', { a: 1, b: 'x' }],
    ['comments everywhere', '/**/a/*\n*/=/**/1/**//**/ // x\n', { a: 1 }],
    ['unusual names', 'ä-b_1 = 1\n_x = 2\nnull = 3\n', { 'ä-b_1': 1, _x: 2, null: 3 }],
  ])('may have %s', (_, text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  test('says on which line each variable is set', () => {
    expect(
      readHclLiterals('a = 1\n\n# x\nb = [\n1\n]\nc = <<E\nx\nE\n\n  d = 2').assignments,
    ).toStrictEqual([
      { name: 'a', value: 1, line: 1 },
      { name: 'b', value: [1], line: 4 },
      { name: 'c', value: 'x\n', line: 7 },
      { name: 'd', value: 2, line: 11 },
    ]);
  });

  test('may set a variable that is named __proto__', () => {
    expect(readHclLiterals('__proto__ = 1').assignments).toStrictEqual([
      { name: '__proto__', value: 1, line: 1 },
    ]);
  });
});

describe('a fault', () => {
  const literals = 'a tfvars file holds literal values only';

  test.each([
    ['an interpolation', 'a = "x${y}"', literals],
    ['a directive', 'a = "%{ if true }x%{ endif }"', literals],
    ['a function', 'a = file("x")', 'functions cannot be called'],
    ['a reference', 'a = var.x', 'put text in double quotes'],
    ['a bare word', 'a = word', 'put text in double quotes'],
    ['a for expression', 'a = [for x in [1] : x]', literals],
    ['a for expression in a map', 'a = { for x in [1] : x => x }', literals],
    ['a sum', 'a = 1 + 1', literals],
    ['a negation', 'a = !true', literals],
    ['a conditional', 'a = true ? 1 : 2', literals],
    ['an index', 'a = [1][0]', literals],
    ['an operator in a list', 'a = [1 + 1]', literals],
    ['an operator in a map', 'a = { b = 1 + 1 }', literals],
    ['an operator in parentheses', 'a = (1 + 1)', literals],
    ['single quotes', "a = 'x'", 'double quotes'],
    ['a missing value', 'a =', 'expected a value'],
    ['a value on the next line', 'a =\n1', 'expected a value'],
    ['a comma after a value', 'a = 1,', 'expected a new line after the value'],
    ['two values on a line', 'a = 1 "b"', 'expected a new line after the value'],
    ['half a number', 'a = 1.', 'expected a new line after the value'],
    ['a hexadecimal number', 'a = 0x1F', 'expected a new line after the value'],
    ['a number without its first digit', 'a = .5', 'expected a value'],
    ['a number that would be rounded', 'a = 9007199254740993', 'cannot be held exactly'],
    ['a minus before text', 'a = -"5"', 'only a number can follow a minus'],
    ['an unknown escape', 'a = "\\q"', 'unknown escape'],
    ['a string over lines', 'a = "x\ny"', 'the string is not closed on its line'],
    ['a carriage return in a string', 'a = "x\ry"', 'the string is not closed on its line'],
    ['a heredoc with a space before its name', 'a = << E\nx\nE\n', 'a heredoc starts with <<NAME'],
    ['a heredoc that is not closed', 'a = <<E\nx\n', 'the heredoc is not closed'],
    ['a comment that is not closed', 'a = 1 /* x', 'the comment is not closed'],
    ['a list without a comma', 'a = [1 2]', 'expected "," or "]"'],
    ['a list with two commas', 'a = [1,,2]', 'expected a value'],
    ['a list with only a comma', 'a = [,]', 'expected a value'],
    ['a list that is not closed', 'a = [1,', 'the "[" is not closed'],
    ['a map that is not closed', 'a = { b = 1', 'the "{" is not closed'],
    ['parentheses that are not closed', 'a = (1', 'the "(" is not closed'],
    ['the wrong closing bracket', 'a = [1}', 'expected "," or "]"'],
    ['a map without a separator', 'a = { b = 1 c = 2 }', 'expected "," or a new line or "}"'],
    ['a map key without a value', 'a = { b }', 'expected "=" or ":"'],
    ['a map value by an arrow', 'a = { b => 1 }', 'expected "=" or ":"'],
    ['a map value on the next line', 'a = { b =\n1 }', 'expected a value'],
    ['a path as a map key', 'a = { b.c = 1 }', 'unusual key in double quotes'],
    ['a reference as a map key', 'a = { (b) = 1 }', 'put text in double quotes'],
    ['null as a map key', 'a = { (null) = 1 }', "a map's key is"],
    ['a decimal as a map key', 'a = { 1.5 = 1 }', "a map's key is"],
    ['two values in parentheses', 'a = (1, 2)', 'expected ")"'],
    ['a form feed', 'a = \f1', 'expected a value'],
    ['a no-break space', 'a =\u00a01', 'expected a value'],
  ])('is %s', (_, text, message) => {
    const { faults, assignments } = readHclLiterals(text);
    expect(faults).toStrictEqual([
      { line: 1, variable: 'a', message: expect.stringContaining(message) },
    ]);
    expect(assignments).toEqual([]);
  });

  test.each([
    ['a block', 'a {\n}\n', 'no blocks'],
    ['a labelled block', 'variable "a" {\n}\n', 'no blocks'],
    ['a colon after the name', 'a: 1', 'expected "="'],
    ['a comparison', 'a == 1', 'expected "="'],
    ['a name alone', 'a\n= 1', 'expected "="'],
    ['a quoted name', '"a" = 1', 'expected an assignment'],
    ['a name that starts with a digit', '1a = 1', 'expected an assignment'],
    ['junk', '!', 'expected an assignment'],
    ['a second byte order mark', '\ufeff\ufeffa = 1', 'expected an assignment'],
    ['a comment that is not closed', '/* x', 'the comment is not closed'],
  ])('outside of a value is %s', (_, text, message) => {
    const { faults, assignments } = readHclLiterals(text);
    expect(faults).toStrictEqual([{ line: 1, message: expect.stringContaining(message) }]);
    expect(assignments).toEqual([]);
  });

  test.each([
    ['in a list', 'a = [\n  1,\n  x,\n]\n', '3 a'],
    ['in a heredoc', 'a = <<E\nx\n${y}\nE\n', '3 a'],
    ['at the bracket that is not closed', '\na = {\n  b = 1\n', '2 a'],
    ['at the heredoc that is not closed', '\na = [\n<<E\nx\n', '3 a'],
    ['at the comment that is not closed', 'a = 1\n\n/* x\n\n', '3 -'],
    ['after CRLF', '\r\na = x\r\n', '2 a'],
  ])('has its own line %s', (_, text, place) => {
    expect(placesOf(text)).toEqual([place]);
  });

  test('is a variable that is set twice: the first value stays', () => {
    const { assignments, faults } = readHclLiterals('a = 1\nb = 2\na = 3\na = 4\n');
    expect(assignments.map(({ name, value }) => [name, value])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    const message = expect.stringContaining('set twice, first on line 1');
    expect(faults).toStrictEqual([
      { line: 3, variable: 'a', message },
      { line: 4, variable: 'a', message },
    ]);
  });

  test.each(['hunter2', '"hunter2', '"hunter2${x}"', '"hunter2\\q"', "'hunter2'", 'hunter2(1)'])(
    'never quotes the value: %s',
    (value) => {
      const { faults } = readHclLiterals(`db_password = ${value}\n`);
      expect(faults).toHaveLength(1);
      expect(JSON.stringify(faults)).not.toContain('hunter2');
    },
  );

  test('never takes the end of a broken base64 text for a name', () => {
    expect(placesOf('key = "aGVsbG8g\nc2VjcmV0=\nd29ybGQ=="\nb = x\n')).toEqual(['1 key', '4 b']);
  });
});

describe('reading on after a fault', () => {
  test('reports every fault and keeps every valid assignment', () => {
    const text = [
      'a = var.x',
      'b = 1',
      'c = merge({',
      '  x = 1',
      '}, {})',
      'd = "not closed',
      'e = [1, 2',
      'f = <<E',
      '${x}',
      'E',
      'g = { h = y }',
      'i = 2',
      'block {',
      '}',
      'j = 3',
      '',
    ].join('\n');
    expect(placesOf(text)).toEqual(['1 a', '3 c', '6 d', '8 e', '9 f', '11 g', '13 -']);
    expect(namesOf(text)).toEqual(['b', 'i', 'j']);
  });

  test('finds the assignments behind a bracket that is not closed', () => {
    const text = 'a = {\n  x = 1\n\nb = 2\nc = {\n  y = 1\n}\nd = 3\n';
    expect(placesOf(text)).toEqual(['1 a']);
    expect(namesOf(text)).toEqual(['b', 'c', 'd']);
  });

  test('finds each of several brackets that are not closed', () => {
    const text = 'a = {\n  x = 1\nb = {\n  y = 1\nc = 1\n';
    expect(placesOf(text)).toEqual(['1 a', '3 b']);
    expect(namesOf(text)).toEqual(['c']);
  });

  test.each([
    ['heredoc', 'a = 1\nb = <<E\nc = x\n'],
    ['comment', 'a = 1\nb = 1 /*\nc = x\n'],
  ])('ends at a %s that is not closed, as its text is all that follows', (_, text) => {
    expect(placesOf(text)).toEqual(['2 b']);
    expect(namesOf(text)).toEqual(['a']);
  });
});

describe('a hostile file', () => {
  test.each(['[', '{a=', '(', '-('])('cannot exhaust the stack by nesting "%s"', (opener) => {
    const { faults } = readHclLiterals(`a = ${opener.repeat(10_000)}\nb = x\n`);
    expect(faults).toStrictEqual([
      { line: 1, variable: 'a', message: 'values may nest at most 32 levels deep' },
      { line: 2, variable: 'b', message: expect.any(String) },
    ]);
  });

  test('may nest 32 levels deep', () => {
    expect(namesOf(`a = ${'['.repeat(32)}${']'.repeat(32)}`)).toEqual(['a']);
  });

  test('can be read with a hundred thousand signs before a number', () => {
    expect(valuesOf(`a = ${'-'.repeat(100_000)}1`)).toStrictEqual({ a: 1 });
  });
});

// ---- @cdktf/hcl2json, which parses by HCL itself, as the oracle.

/**
 * hcl2json prepares values for Terraform JSON, where `$${` is still an escape, so it leaves `$${`
 * and `%%{` as they were written. The texts below write `$`, `%` and `{` only as themselves, never
 * as `\u0024`, since hcl2json's answer could not tell the two apart. It also answers with the
 * source, as a `${...}` string, for parentheses and repeated minus signs: the texts have none. It
 * keeps the sign of -0.
 */
function unescaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/([$%])\1\{/g, '$1{');
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(unescaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [String(unescaped(key)), unescaped(item)]),
  );
}

const oracle = async (text: string) => unescaped(await parse('generated.tfvars', text));

const character = fc.constantFrom(...'ab Z09_-.,:=#/*<>[]{}$%"\'\\\t\n\ré€😀\u2028\u0001');
const words = fc.string({ unit: character, maxLength: 12 });
const names = fc.oneof(
  fc.stringMatching(/^[a-z_ä][a-z0-9_-]{0,6}$/),
  fc.constantFrom('for', 'null', 'true', '__proto__', 'constructor', 'toString'),
);
const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -99999, max: 99999 }).map((thousandths) => thousandths / 1000),
);
const { value: values } = fc.letrec<{ value: TfvarsValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    words,
    words.map((text) => `${text.replaceAll('\r', '')}\n`),
    numbers.map((number) => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(names, words), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const files = fc.uniqueArray(fc.tuple(names, values), { selector: ([name]) => name, maxLength: 5 });

const blanks = fc.constantFrom('', '', ' ', '  ', '\t', '/**/', ' /* [ " \n } */ ');
const lineEnds = fc.constantFrom('\n', '\n', '\r\n', ' # ] "\n', '// {\n', '\n\n  ', '/* \n */\n');
const anyBlanks = fc.oneof(blanks, lineEnds);

/** Writes values as HCL, each time in another of the ways that mean the same. */
class HclWriter {
  readonly #pick: GeneratorValue;

  constructor(pick: GeneratorValue) {
    this.#pick = pick;
  }

  file(assignments: readonly (readonly [string, TfvarsValue])[]): string {
    const lines = assignments.map(([name, value]) => {
      const text = `${name}${this.#blank()}=${this.#blank()}${this.#value(value)}`;
      return `${this.#anyBlank()}${text}${endsInHeredoc(text) ? '\n' : this.#lineEnd()}`;
    });
    return `${this.#pick(fc.constantFrom, '', '\ufeff')}${lines.join('')}`;
  }

  #blank = () => this.#pick(() => blanks);
  #anyBlank = () => this.#pick(() => anyBlanks);
  #lineEnd = () => this.#pick(() => lineEnds);

  #value(value: TfvarsValue): string {
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'number') return this.#number(value);
    if (value === null || typeof value === 'boolean') return String(value);
    return Array.isArray(value)
      ? this.#list(value)
      : this.#map(value as { readonly [key: string]: TfvarsValue });
  }

  #number(value: number): string {
    const plain = String(Math.abs(value));
    const digits = this.#pick(fc.constantFrom, plain, `${plain}e0`, `0${plain}`, `${plain}E+0`);
    // An exponent on a whole number of 16 digits is refused: it is no longer plainly exact.
    const written = plain.length > 15 ? plain : digits;
    return value < 0 ? `-${this.#blank()}${written}` : written;
  }

  #string(value: string): string {
    const fitsHeredoc = value.endsWith('\n') && !value.includes('\r');
    if (!fitsHeredoc || this.#pick(fc.boolean)) return this.#quoted(value);
    return `<<END\n${value.replace(/([$%])(?=\{)/g, '$1$1')}END`;
  }

  #quoted(value: string): string {
    const characters = [...value].map((char, index, all) => {
      if (char === '{') return char;
      if (char === '$' || char === '%') return all[index + 1] === '{' ? char + char : char;
      const hex = (char.codePointAt(0) ?? 0).toString(16);
      const long = `\\U${hex.padStart(8, '0')}`;
      const escapes = [hex.length > 4 ? long : `\\u${hex.padStart(4, '0')}`, long];
      const simple = { '\n': '\\n', '\r': '\\r', '"': '\\"', '\\': '\\\\' }[char];
      return this.#pick(fc.constantFrom, simple ?? char, simple ?? char, ...escapes);
    });
    return `"${characters.join('')}"`;
  }

  #list(items: readonly TfvarsValue[]): string {
    const texts = items.map((item) => {
      const text = this.#value(item);
      return `${this.#anyBlank()}${text}${endsInHeredoc(text) ? '\n' : this.#anyBlank()}`;
    });
    const lastComma = items.length === 0 ? '' : this.#pick(fc.constantFrom, '', ',');
    return `[${texts.join(',')}${lastComma}${this.#anyBlank()}]`;
  }

  #map(map: { readonly [key: string]: TfvarsValue }): string {
    const entries = Object.entries(map).map(([key, value]) => {
      const isName = /^[a-z_ä][a-z0-9_-]*$/.test(key) && key !== 'for';
      const name = isName && this.#pick(fc.boolean) ? key : this.#quoted(key);
      const sign = this.#pick(fc.constantFrom, '=', ':');
      const text = `${name}${this.#blank()}${sign}${this.#blank()}${this.#value(value)}`;
      const separator = endsInHeredoc(text)
        ? '\n'
        : this.#pick(() => fc.oneof(fc.constant(','), lineEnds));
      return `${this.#anyBlank()}${text}${separator}`;
    });
    return `{${entries.join('')}${this.#anyBlank()}}`;
  }
}

const endsInHeredoc = (text: string) => text.endsWith('\nEND');

describe('generated files', () => {
  test('mean the same to the reader, to hcl2json and to whoever wrote them', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.gen(), async (assignments, pick) => {
        const text = new HclWriter(pick).file(assignments);
        const expected = Object.fromEntries(assignments);
        assert.deepEqual(valuesOf(text), expected, text);
        assert.deepEqual(await oracle(text), expected, text);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test('lose the same indent of heredocs as by hcl2json', async () => {
    const indents = fc.string({
      unit: fc.constantFrom(' ', '\t', '\u00a0', '\u2003'),
      maxLength: 4,
    });
    const lines = fc.tuple(indents, fc.constantFrom('', 'a', 'b c ', '$', '$${', '%', '# x'));
    const bodies = fc.array(
      lines.map((parts) => parts.join('')),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(bodies, indents, fc.constantFrom('\n', '\r\n'), async (body, end, eol) => {
        const text = ['a = <<-END', ...body, `${end}END`, ''].join(eol);
        assert.deepEqual(valuesOf(text), await oracle(text));
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test('with random edits are never valid to the reader alone and not to hcl2json', async () => {
    const inserted = fc.constantFrom(
      ...['', '', 'a', ' = ', '1', 'e5', '0', '.5', '"x"', '"', '$${', '\\', '[', ']', '{', '}'],
      ...[
        ',',
        ':',
        '=',
        '\n',
        '\r\n',
        ' ',
        '\t',
        '#',
        '/* \n */',
        '<<E\n',
        '\nE\n',
        'null',
        '\ufeff',
      ],
    );
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), inserted), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(files, fc.gen(), edits, async (assignments, pick, changes) => {
        let text = new HclWriter(pick).file(assignments);
        for (const [place, removed, insert] of changes) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + insert + text.slice(at + removed);
        }
        // An edit may split a surrogate pair, which a file in UTF-8 cannot hold.
        text = text.toWellFormed();
        fc.pre(readHclLiterals(text).faults.length === 0);
        const expected = await oracle(text);
        // Of two minus signs, which an edit may make, hcl2json leaves an expression.
        fc.pre(!JSON.stringify(expected).includes('"${-'));
        assert.deepEqual(valuesOf(text), expected, JSON.stringify(text));
      }),
      { numRuns: 300, maxSkipsPerRun: 100 },
    );
  }, 60_000);

  test('never make the reader throw, and every fault is on a line of the file', () => {
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 60 }), (text) => {
        const lines = text.split('\n').length;
        for (const { line } of readHclLiterals(`a = ${text}`).faults) {
          assert(line >= 1 && line <= lines);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
