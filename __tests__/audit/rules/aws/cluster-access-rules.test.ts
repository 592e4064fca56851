import { CLUSTER_ACCESS_RULES } from '../../../../audit/rules/aws/cluster-access-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const TYPE = 'aws_eks_cluster';
const ENTRY = 'aws_eks_access_entry';
const ASSOCIATION = 'aws_eks_access_policy_association';

describePlants(CLUSTER_ACCESS_RULES, {
  'cluster-has-named-admins': [
    [
      'a ConfigMap beside the entries',
      ({ set }) => set(TYPE, 'access_config.authentication_mode', 'API_AND_CONFIG_MAP'),
    ],
    [
      'the creator too',
      ({ set }) => set(TYPE, 'access_config.bootstrap_cluster_creator_admin_permissions', true),
    ],
    [
      'nothing said of the creator',
      ({ drop }) => drop(TYPE, 'access_config.bootstrap_cluster_creator_admin_permissions'),
    ],
    [
      'nobody',
      ({ remove }) => {
        remove(ASSOCIATION);
        remove(ASSOCIATION);
      },
    ],
  ],
  'access-entries-are-roles': [
    [
      'a role of another account beside',
      ({ set }) =>
        set('aws_eks_access_entry', 'principal_arn', 'arn:aws-us-gov:iam::210987654321:role/admin'),
    ],

    ['a user', ({ set }) => set(ENTRY, 'principal_arn', 'arn:aws-us-gov:iam::123456789012:user/x')],
    [
      'an account',
      ({ set }) => set(ENTRY, 'principal_arn', 'arn:aws-us-gov:iam::123456789012:root'),
    ],
    ['groups of Kubernetes', ({ set }) => set(ENTRY, 'kubernetes_groups', ['system:masters'])],
    ['another type', ({ set }) => set(ENTRY, 'type', 'EC2_LINUX')],
    [
      'a policy of IAM',
      ({ set }) =>
        set(ASSOCIATION, 'policy_arn', 'arn:aws-us-gov:iam::aws:policy/AdministratorAccess'),
    ],
    [
      'editing in the whole cluster',
      ({ change }) =>
        change(ASSOCIATION, 'policy_arn', (arn) => String(arn).replace('ClusterAdmin', 'Edit')),
    ],
    ['no namespace', ({ set }) => set(ASSOCIATION, 'access_scope', { type: 'namespace' })],
    [
      'a role without an entry',
      ({ set }) => set(ASSOCIATION, 'principal_arn', 'arn:aws-us-gov:iam::123456789012:role/x'),
    ],
    ['another cluster', ({ set }) => set(ENTRY, 'cluster_name', 'another')],
  ],
});
