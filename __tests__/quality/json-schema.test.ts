import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileJsonSchema } from '../../quality/json-schema.ts';

function compile(schema: unknown) {
  const problems = new ProblemList();
  const test = compileJsonSchema(schema, 'jsonSchema', problems);
  return { test, problems: problems.problems };
}

/** Schemas of the keywords that tables need, over few names and numbers, so that values often come near them. */
const { schema: SCHEMA } = fc.letrec((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.record(
      {
        type: fc.constantFrom('object', 'array', 'string', 'integer', 'number', 'boolean'),
        enum: fc.uniqueArray(fc.constantFrom(1, 'a', 'b', true), { minLength: 1 }),
        required: fc.uniqueArray(fc.constantFrom('a', 'b')),
        minItems: fc.nat(2),
        maxItems: fc.nat(2),
        minProperties: fc.nat(2),
        maxLength: fc.nat(2),
        minimum: fc.integer({ min: -1, max: 2 }),
        exclusiveMaximum: fc.integer({ min: 0, max: 3 }),
        multipleOf: fc.constantFrom(1, 2, 0.5),
        pattern: fc.constantFrom('^a', 'b$', 'a|b', '[a-c]{2}'),
      },
      { requiredKeys: [] },
    ),
    fc.record({ contains: tie('schema') }),
    fc.record(
      {
        properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema')),
        additionalProperties: fc.boolean(),
        items: tie('schema'),
        prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        not: tie('schema'),
        anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        if: tie('schema'),
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: tie('schema'),
      },
      { requiredKeys: [], maxKeys: 3 } as object,
    ),
  ),
}));

const VALUE = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(0, 1, 1.5, 2, 'a', 'b', 'ab', 'cab', true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value')),
  ),
})).value;

describe('compileJsonSchema', () => {
  it('judges as ajv does', () => {
    // Its code runs five times at most: making it shorter takes longer than running it.
    const ajv = new Ajv2020({ strict: false, code: { optimize: false } });
    fc.assert(
      fc.property(SCHEMA, fc.array(VALUE, { minLength: 1, maxLength: 5 }), (schema, values) => {
        // Together, at any depth, ajv takes an empty array that has to contain something.
        const text = JSON.stringify(schema);
        fc.pre(!text.includes('"contains"') || !text.includes('"prefixItems"'));
        const { test, problems } = compile(schema);
        expect(problems).toStrictEqual([]);
        const validate = ajv.compile(schema as object);
        for (const value of values) {
          expect(test?.(value) === undefined, JSON.stringify({ schema, value })).toBe(
            validate(value),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says which keyword does not allow the value, and where', () => {
    const { test } = compile({ properties: { value: { type: 'integer' } } });
    expect(test?.({ value: 100 })).toBeUndefined();
    expect(test?.({ value: 'bad' })).toStrictEqual({ keyword: 'type', pointer: '/value' });
  });

  it('follows references, also into itself', () => {
    const { test, problems } = compile({
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
      $ref: '#/$defs/node',
    });
    expect(problems).toStrictEqual([]);
    expect([test?.({ next: { next: {} } }), test?.({ next: { next: 1 } })?.pointer]).toStrictEqual([
      undefined,
      '/next/next',
    ]);
  });

  it('reads a schema as the draft has it that it names', () => {
    const items = { items: [{ type: 'string' }] };
    const { test } = compile({ $schema: 'http://json-schema.org/draft-07/schema#', ...items });
    expect([test?.(['a']), test?.([1])?.keyword]).toStrictEqual([undefined, 'type']);
    expect(compile(items).problems).toHaveLength(1);
  });

  it.each<[object, unknown, unknown]>([
    [{ uniqueItems: true, maxItems: 2 }, [{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 1 }]],
    [{ uniqueItems: true, maxItems: 1 }, [1], [1, 2]],
    [{ uniqueItems: false }, [1, 1], undefined],
    [
      { patternProperties: { '^n_[a-z]+$': { type: 'integer' } } },
      { n_a: 1, n: 'x' },
      { n_a: 'x' },
    ],
    [{ patternProperties: { '\\d{2}': false }, additionalProperties: true }, { a1: 1 }, { a12: 1 }],
    [
      { allOf: [{ properties: { a: {} } }], properties: { b: {} }, unevaluatedProperties: false },
      { a: 1, b: 1 },
      { a: 1, c: 1 },
    ],
    [{ prefixItems: [{}], unevaluatedItems: { type: 'integer' } }, ['a', 1], ['a', 'b']],
  ])('judges by %j as ajv does', (schema, good, bad) => {
    const { test, problems } = compile(schema);
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(problems).toStrictEqual([]);
    expect([test?.(good), validate(good)]).toStrictEqual([undefined, true]);
    if (bad !== undefined)
      expect([test?.(bad) !== undefined, validate(bad)]).toEqual([true, false]);
  });

  it('compares no more items than it is to allow', () => {
    const { test } = compile({ uniqueItems: true, maxItems: 1_000 });
    expect(test?.(Array.from({ length: 1_000_000 }, () => 1))?.keyword).toBe('maxItems');
  });

  it('matches names of properties in linear time', () => {
    const { test } = compile({ patternProperties: { '^a+$': false } });
    expect(test?.({ [`${'a'.repeat(1_000_000)}b`]: 1 })).toBeUndefined();
  });

  it('matches patterns in linear time', () => {
    const { test } = compile({ items: { pattern: '^(a+)+$' } });
    expect(test?.([`${'a'.repeat(100_000)}b`])?.pointer).toBe('/0');
  });

  it.each([
    [1, '', 'an object, is needed'],
    [{ propertys: {} }, '.propertys', 'did you mean properties?'],
    [{ properties: { a: { typ: 'string' } } }, '.properties.a.typ', 'did you mean type?'],
    [{ properties: { a: 1 } }, '.properties.a', 'an object is needed'],
    [{ type: 'text' }, '.type', 'one of null, boolean'],
    [{ required: 'a' }, '.required', 'a list of texts is needed'],
    [{ minItems: -1 }, '.minItems', 'a whole number from 0'],
    [{ multipleOf: 0 }, '.multipleOf', 'a number above 0'],
    [{ anyOf: [] }, '.anyOf', 'a list of at least one schema'],
    [{ pattern: '(' }, '.pattern', '('],
    [{ pattern: '(a)\\1' }, '.pattern', ''],
    [{ format: 'phone' }, '.format', 'one of date'],
    [{ uniqueItems: true }, '.uniqueItems', 'maxItems of at most 1000 is needed'],
    [{ uniqueItems: true, maxItems: 1001 }, '.uniqueItems', 'maxItems of at most 1000'],
    [{ uniqueItems: 1 }, '.uniqueItems', 'true or false is needed'],
    [{ patternProperties: 1 }, '.patternProperties', 'an object is needed'],
    [{ patternProperties: { '^(a+)+$': {} } }, '.patternProperties.^(a+)+$', 'is not supported'],
    [{ patternProperties: { 'a*b': {} } }, '.patternProperties.a*b', 'after ^ one * or +'],
    [{ patternProperties: { '^a+b+': {} } }, '.patternProperties.^a+b+', 'is not supported'],
    [{ patternProperties: { '^a?a?a': {} } }, '.patternProperties.^a?a?a', 'is not supported'],
    [{ patternProperties: { '[z-a]': {} } }, '.patternProperties.[z-a]', 'is not supported'],
    [{ patternProperties: { '[': {} } }, '.patternProperties.[', 'is not supported'],
    [{ patternProperties: { a: { typ: 1 } } }, '.patternProperties.a.typ', 'did you mean type?'],
    [
      { allOf: [{ unevaluatedProperties: false }] },
      '.allOf[0].unevaluatedProperties',
      'in a part of a schema for the same value',
    ],
    [
      { $defs: { a: { unevaluatedItems: false } }, $ref: '#/$defs/a' },
      '.$ref',
      'nor in what is referred to',
    ],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#', unevaluatedItems: false },
      '.unevaluatedItems',
      'is not known to this draft',
    ],
    [{ $ref: 'https://example.org/schema' }, '.$ref', 'a schema in this one'],
    [{ $ref: '#/$defs/absent' }, '.$ref', 'a schema in this one'],
    [{ properties: {}, items: { $ref: '#/properties' } }, '.items.$ref', 'a schema in this one'],
    [{ $ref: '#' }, '', 'leads back to itself'],
    [{ $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } } }, '', 'leads back to itself'],
    [{ $schema: 'http://json-schema.org/draft-03/schema#' }, '.$schema', 'allowed: https'],
    [{ items: { $id: 'x' } }, '.items.$id', 'is not supported'],
    [{ items: { const: 2 ** 53 } }, '.items.const', 'beyond 2^53'],
    [{ enum: [1, { a: [-(2 ** 53)] }] }, '.enum', 'beyond 2^53'],
  ])('refuses %j', (schema, path, message) => {
    const { test, problems } = compile(schema);
    expect(test).toBeUndefined();
    expect(problems[0]).toStrictEqual({
      path: `jsonSchema${path}`,
      message: expect.stringContaining(message),
    });
  });

  it('refuses or takes whatever it is given, and never throws', () => {
    const name = fc.constantFrom('properties', 'items', 'anyOf', 'not', '$ref', '$defs', '$schema');
    const other = fc.constantFrom(
      'type',
      'uniqueItems',
      'patternProperties',
      'unevaluatedItems',
      'pattern',
      'enum',
      'required',
      'format',
      'toString',
    );
    const scalar = fc.constantFrom(null, true, 0, -1, 2 ** 60, '', 'a', '(', '#', '#/$defs/a');
    const { node } = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5, depthSize: 'large' },
        scalar,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(name, other), tie('node'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(node, VALUE, (schema, value) => {
        compile(schema).test?.(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('makes no code, which a page with a Content Security Policy would refuse', () => {
    const { Function: original } = globalThis;
    globalThis.Function = (() => {
      throw new Error('code');
    }) as unknown as FunctionConstructor;
    try {
      expect(compile({ type: 'object' }).test?.([])?.keyword).toBe('type');
    } finally {
      globalThis.Function = original;
    }
  });
});
