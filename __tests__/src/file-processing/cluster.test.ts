import { describe, expect, it } from 'vitest';
import { clusterLogGroupName } from '../../../src/file-processing/cluster.ts';
import { addresses, dependenciesOf, resourceAt, statementsAt } from '../../support/synthesized.ts';
import { ACCOUNT, synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const ADMIN = 'arn:aws-us-gov:iam::123456789012:role/etl-admin';

describe('Cluster by default', () => {
  const json = synthesizeFileProcessing({ log_retention_days: 400 });
  const cluster = resourceAt(json, 'aws_eks_cluster.this');

  it('has the original name and a version in standard support', () => {
    expect(cluster).toMatchObject({ name: 'file-processing-cluster', version: '1.35' });
  });

  it('can be reached from inside the network only', () => {
    expect(cluster.vpc_config).toStrictEqual({
      subnet_ids: '${data.aws_subnets.private.ids}',
      endpoint_private_access: true,
      endpoint_public_access: false,
    });
  });

  it('encrypts secrets with a key of its own', () => {
    expect(cluster.encryption_config).toStrictEqual({
      resources: ['secrets'],
      provider: { key_arn: '${aws_kms_key.cluster.arn}' },
    });
  });

  it('writes all five logs', () => {
    expect(cluster.enabled_cluster_log_types).toEqual([
      'api',
      'audit',
      'authenticator',
      'controllerManager',
      'scheduler',
    ]);
  });

  it('logs into an encrypted log group under the name that EKS would take', () => {
    expect(resourceAt(json, 'aws_cloudwatch_log_group.cluster')).toStrictEqual({
      name: '/aws/eks/file-processing-cluster/cluster',
      retention_in_days: 400,
      kms_key_id: '${aws_kms_key.logs.arn}',
    });
  });

  it('takes access entries alone and makes its creator the administrator', () => {
    expect(cluster.access_config).toStrictEqual({
      authentication_mode: 'API',
      bootstrap_cluster_creator_admin_permissions: true,
    });
  });

  it('installs no add-ons that Terraform does not manage', () => {
    expect(cluster).toHaveProperty('bootstrap_self_managed_addons', false);
  });

  it('is neither replaced nor upgraded for what counts at its creation alone', () => {
    expect(cluster.lifecycle).toStrictEqual({
      ignore_changes: [
        'access_config[0].bootstrap_cluster_creator_admin_permissions',
        'bootstrap_self_managed_addons',
        'version',
        'vpc_config[0].subnet_ids',
      ],
    });
  });

  it('has the support that EKS gives it', () => {
    expect(cluster).not.toHaveProperty('upgrade_policy');
  });

  it('is made after the rights of its role and its log group, and destroyed before them', () => {
    expect(dependenciesOf(json, 'aws_eks_cluster.this')).toEqual([
      'aws_cloudwatch_log_group.cluster',
      'aws_iam_role_policy_attachment.eks_cluster_encryption',
      'aws_iam_role_policy_attachment.eks_cluster_policy',
    ]);
  });
});

describe('The role of the cluster', () => {
  const json = synthesizeFileProcessing();

  it('can be assumed by EKS alone', () => {
    expect(resourceAt(json, 'aws_eks_cluster.this')).toHaveProperty(
      'role_arn',
      '${aws_iam_role.eks_cluster.arn}',
    );
    expect(statementsAt(json, 'aws_iam_role.eks_cluster', 'assume_role_policy')).toStrictEqual([
      {
        Sid: 'AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'eks.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: {
          StringEquals: { 'aws:SourceAccount': ACCOUNT },
          ArnLike: {
            'aws:SourceArn': `arn:aws-us-gov:eks:us-gov-west-1:${ACCOUNT}:cluster/file-processing-cluster`,
          },
        },
      },
    ]);
  });

  it('may use the key of the secrets and no other', () => {
    expect(statementsAt(json, 'aws_iam_policy.eks_cluster_encryption')).toStrictEqual([
      {
        Sid: 'EncryptSecrets',
        Effect: 'Allow',
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ListGrants', 'kms:DescribeKey'],
        Resource: '${aws_kms_key.cluster.arn}',
      },
    ]);
  });

  it.each([
    ['eks_cluster_policy', 'arn:aws-us-gov:iam::aws:policy/AmazonEKSClusterPolicy'],
    ['eks_cluster_encryption', '${aws_iam_policy.eks_cluster_encryption.arn}'],
  ])('has the policy %s', (name, policyArn) => {
    expect(resourceAt(json, `aws_iam_role_policy_attachment.${name}`)).toStrictEqual({
      role: '${aws_iam_role.eks_cluster.name}',
      policy_arn: policyArn,
    });
  });
});

describe('Cluster with a public endpoint', () => {
  const json = synthesizeFileProcessing({
    cluster_endpoint_public_access_cidrs: ['203.0.113.0/24', '198.51.100.7/32'],
  });

  it('opens it to the given addresses and keeps the private one', () => {
    expect(resourceAt(json, 'aws_eks_cluster.this').vpc_config).toMatchObject({
      endpoint_private_access: true,
      endpoint_public_access: true,
      public_access_cidrs: ['203.0.113.0/24', '198.51.100.7/32'],
    });
  });
});

describe('Cluster with named administrators', () => {
  const json = synthesizeFileProcessing({ cluster_admin_arns: [ADMIN] });

  it('gives its creator no rights', () => {
    expect(resourceAt(json, 'aws_eks_cluster.this').access_config).toStrictEqual({
      authentication_mode: 'API',
      bootstrap_cluster_creator_admin_permissions: false,
    });
  });
});

describe('Cluster of another name and version', () => {
  const json = synthesizeFileProcessing({ cluster_name: 'city', kubernetes_version: '1.33' });

  it('carries them, also in the names that must be unique in the account', () => {
    expect(resourceAt(json, 'aws_eks_cluster.this')).toMatchObject({
      name: 'city',
      version: '1.33',
    });
    expect(resourceAt(json, 'aws_iam_role.eks_cluster')).toHaveProperty('name', 'city-role');
    expect(resourceAt(json, 'aws_iam_policy.eks_cluster_encryption')).toHaveProperty(
      'name',
      'city-encryption',
    );
    expect(resourceAt(json, 'aws_cloudwatch_log_group.cluster')).toHaveProperty(
      'name',
      '/aws/eks/city/cluster',
    );
  });
});

describe('Cluster of a named version', () => {
  it('follows the name', () => {
    const { lifecycle } = resourceAt(
      synthesizeFileProcessing({ kubernetes_version: '1.34' }),
      'aws_eks_cluster.this',
    );
    expect(Object(lifecycle).ignore_changes).not.toContain('version');
  });

  it.each(['STANDARD', 'EXTENDED'] as const)('has %s support where it is named', (type) => {
    const json = synthesizeFileProcessing({ cluster_support_type: type });
    expect(resourceAt(json, 'aws_eks_cluster.this').upgrade_policy).toStrictEqual({
      support_type: type,
    });
  });

  it.each([
    { kubernetes_version: '1.34', cluster_support_type: 'EXTENDED' },
    { kubernetes_version: '', cluster_support_type: 'STANDARD' },
  ] as const)('is not looked up first with %j', (settings) => {
    const json = synthesizeFileProcessing(settings);
    expect(json.data).not.toHaveProperty('aws_eks_clusters');
    expect(json).not.toHaveProperty('check');
  });

  it('stays as new as EKS has made it with STANDARD support, and a check says so', () => {
    const json = synthesizeFileProcessing({
      kubernetes_version: '1.34',
      cluster_support_type: 'STANDARD',
    });
    expect(resourceAt(json, 'aws_eks_cluster.this').version).toBe(
      '1.${max(34, try(tonumber(split(".", data.aws_eks_cluster.running[0].version)[1]), 0))}',
    );
    expect(json).toHaveProperty(
      'check.kubernetes_version.assert.condition',
      '${aws_eks_cluster.this.version == "1.34"}',
    );
  });
});

describe('A cluster of others', () => {
  const json = synthesizeFileProcessing({
    create_cluster: false,
    cluster_name: 'shared',
    db_host: 'db.example.gov',
    db_name: 'etl',
    db_user: 'etl',
    db_security_group_id: 'sg-0123456789abcdef0',
    node_security_group_id: 'sg-0f1e2d3c4b5a69788',
  });
  const all = addresses(json);

  it('gets no nodes, add-ons, entries, keys, roles or log groups, and its network is not looked up', () => {
    const ofTheCluster =
      /aws_eks_|launch_template|eks_(cluster|node)|\.cluster$|aws_(vpcs|subnets)/;
    expect(all.filter((address) => ofTheCluster.test(address))).toEqual([
      'data.aws_eks_cluster.existing',
    ]);
  });

  it('has its issuer trusted by the role of the listener', () => {
    expect(resourceAt(json, 'aws_iam_openid_connect_provider.eks').url).toBe(
      '${data.aws_eks_cluster.existing.identity[0].oidc[0].issuer}',
    );
  });

  it('has nodes of the security group that the database lets in', () => {
    expect(resourceAt(json, 'aws_vpc_security_group_ingress_rule.database')).toHaveProperty(
      'referenced_security_group_id',
      'sg-0f1e2d3c4b5a69788',
    );
  });

  it("has nodes of the cluster's security group where no other is named", () => {
    const usual = synthesizeFileProcessing({
      create_cluster: false,
      cluster_name: 'shared',
      db_host: 'db.example.gov',
      db_name: 'etl',
      db_user: 'etl',
      db_security_group_id: 'sg-0123456789abcdef0',
    });
    expect(resourceAt(usual, 'aws_vpc_security_group_ingress_rule.database')).toHaveProperty(
      'referenced_security_group_id',
      '${data.aws_eks_cluster.existing.vpc_config[0].cluster_security_group_id}',
    );
  });

  it('lets the key of logs be used for log groups of deliveries alone', () => {
    const policy = JSON.stringify(resourceAt(json, 'aws_kms_key.logs'));
    expect(policy).not.toContain('/aws/eks/');
  });

  it('has objects that wait for nothing of it', () => {
    expect(resourceAt(json, 'kubernetes_namespace_v1.ns').depends_on ?? []).toEqual([]);
  });
});

describe('clusterLogGroupName', () => {
  it('is the name that EKS writes to', () => {
    expect(clusterLogGroupName('city')).toBe('/aws/eks/city/cluster');
  });
});
