import { expect, it } from 'vitest';
import { roleIdentity } from '../../../src/stack/role-identity.ts';

const UNSET = { iam_path: '/', iam_role_name_prefix: '', permissions_boundary_arn: '' };

it('is the name alone where the account demands nothing', () => {
  expect(roleIdentity(UNSET, 'nodes')).toStrictEqual({ name: 'nodes' });
});

it('has path, prefix and permissions boundary where the account demands them', () => {
  const permissions_boundary_arn = 'arn:aws-us-gov:iam::123456789012:policy/boundary';
  expect(
    roleIdentity(
      { iam_path: '/etl/', iam_role_name_prefix: 'etl-', permissions_boundary_arn },
      'nodes',
    ),
  ).toStrictEqual({
    name: 'etl-nodes',
    path: '/etl/',
    permissionsBoundary: permissions_boundary_arn,
  });
});
