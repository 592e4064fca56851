import { describe, expect, test } from 'vitest';
import { placeholdersIn } from '../../../src/settings/placeholders.ts';
import type { TfvarsValue } from '../../../src/settings/tfvars/tfvars-value.ts';

const messagesOf = (value: TfvarsValue) =>
  placeholdersIn([{ file: 'a.tfvars', line: 3, name: 'some', value }]).map(
    ({ message }) => message,
  );

describe('a placeholder', () => {
  test.each([
    ['an account', 'arn:aws:iam::123456789012:role/etl', '123456789012'],
    ['a database host', 'dev.abcdefghijkl.us-gov-west-1.rds.amazonaws.com', 'abcdefghijkl'],
    ['a domain', 'https://files.example.gov/', 'example.gov'],
    ['a domain alone', 'example.com', 'example.com'],
    ['an address', '203.0.113.0/24', '203.0.113.0'],
    ['an id', 'vpc-0a1b2c3d4e5f67890', '0a1b2c3d4e5f67890'],
  ])('is %s of examples: %s', (_, value, found) => {
    expect(messagesOf(value)).toEqual([expect.stringContaining(`is a placeholder: ${found} is`)]);
  });

  test('is found in lists and maps, each kind once', () => {
    expect(messagesOf(['10.0.0.0/16', '203.0.113.0/24'])).toHaveLength(1);
    expect(messagesOf({ Owner: 'etl@example.gov', Other: 'x@example.gov' })).toEqual([
      'is a placeholder: example.gov is a domain of examples (RFC 2606)',
    ]);
  });

  test.each([
    'arn:aws:iam::210987654321:role/etl',
    '1123456789012',
    'counterexample.com',
    'example.company.net',
    '1203.0.113.4',
    '10.0.0.0/16',
    5432,
    true,
    null,
  ])('is not %j', (value) => {
    expect(messagesOf(value)).toEqual([]);
  });

  test('has its place and not its value, which may be long', () => {
    const assignment = { file: 'a.tfvars', line: 3, name: 'db_host', value: 'db.example.com' };
    expect(placeholdersIn([assignment])).toStrictEqual([
      {
        file: 'a.tfvars',
        line: 3,
        variable: 'db_host',
        message: expect.stringContaining('example.com'),
      },
    ]);
  });
});
