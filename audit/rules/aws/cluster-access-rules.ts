import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';

/** Who administers a cluster. */
export const clusterAdmins: Rule = rule({
  id: 'cluster-has-named-admins',
  title:
    'A cluster is administered by access entries alone, or by its creator as long as there are none',
  reason:
    'The aws-auth ConfigMap is seen by no audit of AWS, the creator is a right without an entry, and with nobody the cluster is lost.',
  control: 'AC-2',
  severity: 'high',
  subjects: every('aws_eks_cluster'),
  faults: (cluster, { model }) => {
    const { text, isTrue, isFalse, stack } = read(model, cluster);
    const admins = neighbours(model, cluster, 'aws_eks_access_policy_association').filter(
      ({ attributes }) => stack.target(attributes.cluster_name) === cluster,
    );
    const creator = 'access_config.bootstrap_cluster_creator_admin_permissions';
    return faultsOf(
      [
        text('access_config.authentication_mode') !== 'API',
        `authentication_mode is ${text('access_config.authentication_mode') || 'missing'}, must be API`,
      ],
      [
        admins.length > 0 && !isFalse(creator),
        'its creator administers it too, without an access entry',
      ],
      [
        admins.length === 0 && !isTrue(creator),
        'nobody administers it: no access entry, and not its creator',
      ],
    );
  },
});

/** What an access entry gives. */
export const accessEntriesAreRoles: Rule = rule({
  id: 'access-entries-are-roles',
  title: 'Access to a cluster is for roles, by a policy of EKS',
  reason:
    "A user's keys live for years, * and root are everybody of an account, and groups of Kubernetes are seen by no audit of AWS.",
  control: 'AC-2',
  severity: 'medium',
  subjects: every('aws_eks_access_entry', 'aws_eks_access_policy_association'),
  faults: (entry, { model }) => {
    const { text, target, stack, list: values } = read(model, entry);
    const isEntry = entry.type === 'aws_eks_access_entry';
    return faultsOf(
      [
        target('cluster_name')?.type !== 'aws_eks_cluster',
        'cluster_name is no cluster of the stack',
      ],
      [
        !/^arn:[^:]+:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(text('principal_arn')) &&
          target('principal_arn')?.type !== 'aws_iam_role',
        `principal_arn is ${text('principal_arn')}, no role`,
      ],
      [
        isEntry && accountsOf(model, entry).size > 1,
        `entries name roles of the accounts ${[...accountsOf(model, entry)].join(', ')}`,
      ],
      [
        values('kubernetes_groups').length > 0,
        'kubernetes_groups gives rights that AWS does not show',
      ],
      [isEntry && !['', 'STANDARD'].includes(text('type')), `type is ${text('type')}`],
      [
        !isEntry &&
          !text('policy_arn').startsWith(`arn:${stack.partition}:eks::aws:cluster-access-policy/`),
        `policy_arn is ${text('policy_arn')}, no access policy of EKS`,
      ],
      [
        !isEntry && !['cluster', 'namespace'].includes(text('access_scope.type')),
        `access_scope is ${text('access_scope.type') || 'missing'}`,
      ],
      [
        !isEntry &&
          text('access_scope.type') === 'namespace' &&
          values('access_scope.namespaces').length === 0,
        'access_scope names no namespace',
      ],
      [
        !isEntry &&
          text('access_scope.type') === 'cluster' &&
          !/\/AmazonEKS(ClusterAdmin|AdminView|View)Policy$/.test(text('policy_arn')),
        `${text('policy_arn')} in the whole cluster`,
      ],
      [
        !isEntry && target('principal_arn')?.type === undefined,
        'principal_arn is no access entry of the stack',
      ],
    );
  },
});

/** Accounts whose roles the entries of a stack name: one, or somebody else administers too. */
function accountsOf(model: Model, entry: Resource): ReadonlySet<string> {
  return new Set(
    neighbours(model, entry, 'aws_eks_access_entry').flatMap(
      (other) => /:iam::(\d+):/.exec(read(model, other).text('principal_arn'))?.[1] ?? [],
    ),
  );
}

/** Rules on who may do what in a cluster. */
export const CLUSTER_ACCESS_RULES: readonly Rule[] = [clusterAdmins, accessEntriesAreRoles];
