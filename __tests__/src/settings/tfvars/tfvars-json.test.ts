// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's templates look like JavaScript's.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTfvarsJson } from '../../../../src/settings/tfvars/tfvars-json.ts';

const namesOf = (text: string) => readTfvarsJson(text).assignments.map(({ name }) => name);

/** Line and variable of each fault, as `1 a`. */
const placesOf = (text: string) =>
  readTfvarsJson(text).faults.map(({ line, variable }) => `${line} ${variable ?? '-'}`);

describe('a valid file', () => {
  test('gives each variable with its value and line', () => {
    const text = '{\n  "a": "x",\n\n  "b": [1, -2.5, true, null],\n  "c": {\n    "d": {}\n  }\n}\n';
    expect(readTfvarsJson(text)).toStrictEqual({
      assignments: [
        { name: 'a', value: 'x', line: 2 },
        { name: 'b', value: [1, -2.5, true, null], line: 4 },
        { name: 'c', value: { d: {} }, line: 5 },
      ],
      faults: [],
    });
  });

  test.each([
    ['template signs as text', '"${a} $${b} %{c}"', '${a} $${b} %{c}'],
    ['escapes', '"\\u00e9\\n\\/\\ud83d\\ude00"', 'é\n/😀'],
    ['half a surrogate pair as U+FFFD', '"\\ud83d"', '\ufffd'],
    ['decomposed characters, composed', '"e\\u0301"', 'é'],
    ['zero without a sign', '-0', 0],
  ])('holds %s', (_, json, value) => {
    expect(readTfvarsJson(`{"a": ${json}}`)).toStrictEqual({
      assignments: [{ name: 'a', value, line: 1 }],
      faults: [],
    });
  });

  test('may comment by a member that is named "//", as often as it likes', () => {
    const { assignments, faults } = readTfvarsJson('{"//": "x", "a": {"//": 1}, "//": "y"}');
    expect(assignments).toStrictEqual([{ name: 'a', value: { '//': 1 }, line: 1 }]);
    expect(faults).toEqual([]);
  });

  test('may have __proto__ keys, which are data', () => {
    const [first, second] = readTfvarsJson(
      '{"__proto__": 1, "a": {"__proto__": {"x": 1}}}',
    ).assignments;
    expect(first).toStrictEqual({ name: '__proto__', value: 1, line: 1 });
    expect(Object.getPrototypeOf(second?.value)).toBe(Object.prototype);
    expect(Object.entries(second?.value ?? {})).toStrictEqual([['__proto__', { x: 1 }]]);
  });

  test('means the same to JSON.parse', () => {
    // jsonValue has numbers that would be rounded; these are refused on purpose.
    const leaves = fc.oneof(
      fc.string({ unit: 'grapheme-ascii' }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const keys = fc.string({ unit: 'grapheme-ascii' }).filter((key) => key !== '//');
    const members = fc.object({ key: keys, values: [leaves], maxDepth: 3 });
    fc.assert(
      fc.property(members, fc.nat({ max: 3 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { assignments, faults } = readTfvarsJson(text);
        assert.deepEqual(faults, []);
        const read = Object.fromEntries(assignments.map(({ name, value }) => [name, value]));
        assert.deepEqual(read, JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a fault', () => {
  test.each([
    ['an empty file', '', 'expected a JSON object'],
    ['a list', '[]', 'expected a JSON object'],
    ['a byte order mark', '\ufeff{"a": 1}', 'without a byte order mark'],
    ['a name without quotes', '{a: 1}', 'expected a JSON value'],
    ['text after the object', '{"b": 1} {}', 'nothing may follow'],
    ['an object that is not closed', '{"b": 1', 'a "{" is not closed'],
  ])('of the file is %s', (_, text, message) => {
    expect(readTfvarsJson(text).faults).toStrictEqual([
      { line: 1, message: expect.stringContaining(message) },
    ]);
  });

  test.each([
    ['a bare word', 'True', 'expected a JSON value'],
    ['a missing value', '', 'expected a JSON value'],
    ['a trailing comma in a list', '[1,]', 'no trailing commas'],
    ['a trailing comma', '1,', 'no trailing commas'],
    ['a missing comma in a list', '[1 2]', 'expected ","'],
    ['a block comment', '/* x */ 1', 'JSON has no comments'],
    ['a line comment', '1 // x\n', 'JSON has no comments'],
    ['an unknown escape', '"\\q"', 'unknown escape'],
    ['half a Unicode escape', '"\\u12"', 'four hexadecimal digits'],
    ['a tab in a string', '"\t"', 'a control character'],
    ['a sign', '+1', 'expected a JSON value'],
    ['half a number', '1.', 'not a JSON number'],
    ['a number that would be rounded', '9007199254740993', 'cannot be held exactly'],
    ['a number beyond the doubles', '[1e400]', 'cannot be held exactly'],
    ['a map key that is given twice', '{"x": 1, "x": 2}', "a map's key is given twice"],
  ])('of a variable is %s', (_, json, message) => {
    expect(readTfvarsJson(`{"a": ${json}}`)).toStrictEqual({
      assignments: [],
      faults: [{ line: 1, variable: 'a', message: expect.stringContaining(message) }],
    });
  });

  test('is a variable that is set twice: the first value stays', () => {
    expect(readTfvarsJson('{\n"a": 1,\n"a": 2\n}')).toStrictEqual({
      assignments: [{ name: 'a', value: 1, line: 2 }],
      faults: [
        { line: 3, variable: 'a', message: expect.stringContaining('set twice, first on line 2') },
      ],
    });
  });

  test('is reported with every other fault, on its own line, in the order of the file', () => {
    const text = '{\n"a": [\n1e400\n],\n"b": True,\n"c": 1,\n"c": 2,\n"d": "x\n,\n"e": 3,\n}';
    expect(placesOf(text)).toEqual(['3 a', '5 b', '7 c', '8 d', '11 e']);
    expect(namesOf(text)).toEqual(['c']);
  });

  test.each([
    ['a bare word', 'hunter2'],
    ['a bare word after a string', '"x"hunter2"'],
    ['quotes in a string', '"x"y"hunter2"z"'],
    ['a string after a comma', '"x","hunter2"'],
    ['a string and a colon in a string', '"x" "hunter2": 1'],
    ['a string over lines', '"x\nhunter2"'],
    ['single quotes', "'hunter2'"],
  ])('never quotes the value, nor takes a part of it for a name: %s', (_, value) => {
    const { faults } = readTfvarsJson(`{"db_password": ${value}, "b": 1}`);
    expect(faults[0]?.variable).toBe('db_password');
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  test.each([
    ['[', '{"a": ', '"a"'],
    ['{"x":', '{"a": ', '"a"'],
    ['[', '', 'nothing'],
  ])('is nesting %s so deep that the stack would be exhausted', (opener, before) => {
    expect(readTfvarsJson(before + opener.repeat(10_000)).faults).toStrictEqual([
      { line: 1, message: 'values may nest at most 32 levels deep' },
    ]);
  });
});

test('a value may nest 32 levels deep', () => {
  expect(namesOf(`{"a": ${'['.repeat(32)}${']'.repeat(32)}}`)).toEqual(['a']);
});
