import { describe, expect, it } from 'vitest';
import { DescriptorError } from '../../quality/descriptor-error.ts';
import {
  compileExpectation,
  ExpectationCache,
  expectationProblems,
} from '../../quality/expectation.ts';
import { inspectBytes } from './inspect-bytes.ts';

describe('compileExpectation', () => {
  it('takes nothing for the default dialect and no schema', () => {
    expect(compileExpectation(undefined)).toMatchObject({
      schema: undefined,
      dialect: { delimiter: 44 },
    });
  });

  it('throws one error with every problem of schema, dialect and thresholds', () => {
    const expectation = {
      schema: { fields: [{ name: 'a', type: 'decimal' }] },
      dialect: { delimiter: ';;' },
      thresholds: { minRows: -1 },
      schemas: {},
    };
    expect(() => compileExpectation(expectation)).toThrow(DescriptorError);
    expect(expectationProblems(expectation).map(({ path }) => path)).toStrictEqual([
      'schemas',
      'dialect.delimiter',
      'schema.fields[0].type',
      'thresholds.minRows',
    ]);
  });

  it('refuses what is not an object', () => {
    expect(expectationProblems([1])).toStrictEqual([
      { path: 'expectation', message: 'is [1]; an object is needed' },
    ]);
  });
});

describe('ExpectationCache', () => {
  const expecting = (name: string) => ({ schema: { fields: [{ name }] } });

  it('compiles one content once, and another anew', () => {
    const cache = new ExpectationCache();
    const first = cache.compile(expecting('a'));
    expect(cache.compile(expecting('a'))).toBe(first);
    expect(cache.compile(expecting('b'))).not.toBe(first);
  });

  it('forgets what was used longest ago', () => {
    const cache = new ExpectationCache();
    const [first, second] = [cache.compile(expecting('a')), cache.compile(expecting('b'))];
    for (let i = 0; i < 14; i++) cache.compile(expecting(`c${i}`));
    cache.compile(expecting('a'));
    cache.compile(expecting('d'));
    expect(cache.compile(expecting('a'))).toBe(first);
    expect(cache.compile(expecting('b'))).not.toBe(second);
  });

  it('keeps nothing of what it refuses', () => {
    const cache = new ExpectationCache();
    const wrong = { schema: { fields: [] } };
    expect(() => cache.compile(wrong)).toThrow();
    expect(() => cache.compile(wrong)).toThrow();
  });

  it('gives the same reports by one compiled expectation, file after file', () => {
    const schema = { fields: [{ name: 'a', constraints: { pattern: '[ab]{2}', unique: true } }] };
    const compiled = new ExpectationCache().compile({ schema });
    for (const file of ['a\nab\nba\n', 'a\nab\nab\n', 'a\nx\n', 'a\nab\nba\n']) {
      expect(inspectBytes(file, { compiled })).toStrictEqual(
        inspectBytes(file, { expectation: { schema } }),
      );
    }
  });
});
