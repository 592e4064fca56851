import { describe, expect, it } from 'vitest';
import {
  allows,
  includesAction,
  matchesPattern,
  parsePolicy,
  requiredValues,
} from '../../../audit/policy/policy-document.ts';

const policy = (statement: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
const statementOf = (statement: object) => {
  const found = parsePolicy(policy(statement))?.statements[0];
  if (found === undefined) throw new Error('The policy cannot be read');
  return found;
};

describe('parsePolicy', () => {
  it.each([
    undefined,
    7,
    '${jsonencode({})}',
    '{',
    '[]',
    '{"Version":"2012-10-17"}',
    '{"Statement":["x"]}',
  ])('does not read %s', (text) => {
    expect(parsePolicy(text)).toBeUndefined();
  });

  it('reads a single statement as a list of one', () => {
    expect(parsePolicy('{"Statement":{"Sid":"One"}}')?.statements).toHaveLength(1);
  });

  it('reads single values as lists of one', () => {
    const { actions, resources } = statementOf({ Action: 's3:GetObject', Resource: 'x' });
    expect({ actions, resources }).toStrictEqual({ actions: ['s3:GetObject'], resources: ['x'] });
  });

  it.each([
    ['*', [{ type: '*', value: '*' }]],
    [{ AWS: '*' }, [{ type: '*', value: '*' }]],
    ['somebody', [{ type: 'unknown', value: 'somebody' }]],
    [
      { Service: ['a', 'b'] },
      [
        { type: 'Service', value: 'a' },
        { type: 'Service', value: 'b' },
      ],
    ],
    [
      { AWS: 'a', Federated: 'b' },
      [
        { type: 'AWS', value: 'a' },
        { type: 'Federated', value: 'b' },
      ],
    ],
  ])('reads the principal %j', (principal, expected) => {
    expect(statementOf({ Principal: principal }).principals).toEqual(expected);
  });

  it('tells a missing principal from an empty one', () => {
    expect(statementOf({}).principals).toBeUndefined();
  });

  it('lists conditions by operator and key', () => {
    const Condition = { StringEquals: { a: 'x', b: ['y', 'z'] } };
    expect(statementOf({ Condition }).conditions).toStrictEqual([
      { operator: 'StringEquals', key: 'a', values: ['x'] },
      { operator: 'StringEquals', key: 'b', values: ['y', 'z'] },
    ]);
  });

  it('names elements that IAM does not know', () => {
    expect(statementOf({ Conditions: {} }).unknownElements).toEqual(['Conditions']);
  });
});

describe('matchesPattern', () => {
  it.each([
    ['*', 'anything', true],
    ['a*c', 'abc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['${a.b.arn}', '${a.b.arn}', true],
  ])('%s on %s is %s', (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });
});

describe('includesAction', () => {
  it('ignores case, as IAM does', () => {
    expect(includesAction('S3:get*', 's3:GetObject')).toBe(true);
  });
});

describe('allows', () => {
  it('takes NotAction as everything else', () => {
    const statement = statementOf({ NotAction: 'iam:*' });
    expect([allows(statement, 's3:GetObject'), allows(statement, 'iam:PassRole')]).toEqual([
      true,
      false,
    ]);
  });

  it('says no for a denial', () => {
    expect(allows(statementOf({ Effect: 'Deny', Action: '*' }), 's3:GetObject')).toBe(false);
  });
});

describe('requiredValues', () => {
  it('ignores the case of the key', () => {
    const statement = statementOf({ Condition: { ArnEquals: { 'AWS:sourcearn': 'x' } } });
    expect(requiredValues(statement, 'aws:SourceArn')).toEqual(['x']);
  });

  it.each(['StringEqualsIfExists', 'StringNotEquals', 'ForAllValues:StringEquals', 'Null'])(
    'takes nothing from %s, which holds for other values too',
    (operator) => {
      const statement = statementOf({ Condition: { [operator]: { 'aws:SourceArn': 'x' } } });
      expect(requiredValues(statement, 'aws:SourceArn')).toEqual([]);
    },
  );
});
