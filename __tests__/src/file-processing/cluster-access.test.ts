import { describe, expect, it } from 'vitest';
import { addresses, namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const ROLE = 'arn:aws-us-gov:iam::123456789012:role';

describe('Cluster access without named administrators', () => {
  const json = synthesizeFileProcessing();

  it('makes no entry: the creator gets in by the cluster itself', () => {
    expect(namesOf(json, 'aws_eks_access_entry')).toEqual([]);
    expect(namesOf(json, 'aws_eks_access_policy_association')).toEqual([]);
  });
});

describe('Cluster access of a named administrator', () => {
  const json = synthesizeFileProcessing({ cluster_admin_arns: [`${ROLE}/etl-admin`] });

  it('lets the role in', () => {
    expect(resourceAt(json, 'aws_eks_access_entry.admin_123456789012_etl-admin')).toStrictEqual({
      cluster_name: '${aws_eks_cluster.this.name}',
      principal_arn: `${ROLE}/etl-admin`,
    });
  });

  it('makes it the administrator of the whole cluster, after it was let in', () => {
    expect(
      resourceAt(json, 'aws_eks_access_policy_association.admin_123456789012_etl-admin'),
    ).toStrictEqual({
      cluster_name: '${aws_eks_cluster.this.name}',
      principal_arn: '${aws_eks_access_entry.admin_123456789012_etl-admin.principal_arn}',
      policy_arn: 'arn:aws-us-gov:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy',
      access_scope: { type: 'cluster' },
    });
  });
});

describe('Cluster access of another administrator more', () => {
  const one = synthesizeFileProcessing({ cluster_admin_arns: [`${ROLE}/etl-deploy`] });
  const two = synthesizeFileProcessing({
    cluster_admin_arns: [`${ROLE}/etl-admin`, `${ROLE}/etl-deploy`],
  });

  it('only adds addresses, even in front of the others', () => {
    const added = addresses(two).filter((address) => !addresses(one).includes(address));
    expect(added).toEqual([
      'aws_eks_access_entry.admin_123456789012_etl-admin',
      'aws_eks_access_policy_association.admin_123456789012_etl-admin',
    ]);
    expect(addresses(two)).toEqual(expect.arrayContaining([...addresses(one)]));
  });

  it('leaves the entries of the others as they are', () => {
    const address = 'aws_eks_access_entry.admin_123456789012_etl-deploy';
    expect(resourceAt(two, address)).toEqual(resourceAt(one, address));
  });
});

describe('Cluster access of roles with a path and of other accounts', () => {
  const json = synthesizeFileProcessing({
    cluster_admin_arns: [
      `${ROLE}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef`,
      'arn:aws-us-gov:iam::210987654321:role/etl-admin',
    ],
  });

  it('has names that Terraform takes', () => {
    expect(namesOf(json, 'aws_eks_access_entry')).toStrictEqual([
      expect.stringMatching(
        /^admin_123456789012_aws-reserved_sso_amazonaws_com_AWSReservedSSO_Admin_0123456789abcdef_[0-9a-f]{8}$/,
      ),
      'admin_210987654321_etl-admin',
    ]);
  });
});

describe('Cluster access of roles whose names differ in punctuation alone', () => {
  it('keeps them apart, whichever others there are', () => {
    const roles = [`${ROLE}/etl.admin`, `${ROLE}/etl+admin`, `${ROLE}/etl_admin`];
    const together = namesOf(
      synthesizeFileProcessing({ cluster_admin_arns: roles }),
      'aws_eks_access_entry',
    );
    const alone = roles.flatMap((role) =>
      namesOf(synthesizeFileProcessing({ cluster_admin_arns: [role] }), 'aws_eks_access_entry'),
    );
    expect(together).toHaveLength(3);
    expect(alone.sort()).toEqual(together);
  });
});
