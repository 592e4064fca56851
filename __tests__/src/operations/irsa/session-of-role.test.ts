import { describe, expect, it } from 'vitest';
import { isSessionOf } from '../../../../src/operations/irsa/session-of-role.ts';

const session = 'arn:aws-us-gov:sts::123456789012:assumed-role/listener-sa/botocore-session-1';

describe('an identity', () => {
  it.each([
    ['arn:aws-us-gov:iam::123456789012:role/listener-sa', true],
    ['arn:aws-us-gov:iam::123456789012:role/teams/etl/listener-sa', true],
    ['arn:aws-us-gov:iam::123456789012:role/node', false],
    ['arn:aws-us-gov:iam::210987654321:role/listener-sa', false],
    ['arn:aws:iam::123456789012:role/listener-sa', false],
    ['arn:aws-us-gov:iam::123456789012:role/listener-sa-2', false],
    ['', false],
  ])('of a session is that of %s: %s', (role, expected) => {
    expect(isSessionOf(role, session)).toBe(expected);
  });

  it('of a user is that of no role', () => {
    const role = 'arn:aws:iam::123456789012:role/a';
    expect(isSessionOf(role, 'arn:aws:iam::123456789012:user/a')).toBe(false);
  });
});
