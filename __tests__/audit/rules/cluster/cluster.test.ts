import { describe, expect, it } from 'vitest';
import { ALL_RULES } from '../../../../audit/rules/all-rules.ts';
import { CLUSTER_RULES, clusterNotes } from '../../../../audit/rules/cluster/cluster.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { type Change, drop, set } from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';
import {
  auditedOf,
  DAY,
  environmentStacks,
  type Settings,
  stacksOf,
} from '../../support/stacks.ts';

const CLUSTER = 'aws_eks_cluster';

const ADMINISTERED = 'aws_eks_cluster';
const ENTRY = 'aws_eks_access_entry';
const ASSOCIATION = 'aws_eks_access_policy_association';

const ADD_ON = 'aws_eks_addon';

function cni(values: string | undefined): Change {
  return (json) => {
    const addOns = (json.resource as Record<string, Record<string, Json>>).aws_eks_addon ?? {};
    for (const addOn of Object.values(addOns)) {
      if (addOn.configuration_values === undefined) continue;
      if (values === undefined) delete addOn.configuration_values;
      else addOn.configuration_values = values;
    }
  };
}

describeRules(CLUSTER_RULES, {
  plants: {
    'cluster-api-private': [
      ['no private API', ({ set }) => set(CLUSTER, 'vpc_config.endpoint_private_access', false)],
      [
        'nothing said of a private API',
        ({ drop }) => drop(CLUSTER, 'vpc_config.endpoint_private_access'),
      ],
      [
        'more addresses',
        ({ set }) =>
          set(CLUSTER, 'vpc_config.public_access_cidrs', ['203.0.113.0/24', '198.51.100.0/24']),
      ],

      ['everybody', ({ set }) => set(CLUSTER, 'vpc_config.public_access_cidrs', ['0.0.0.0/0'])],
      [
        'half of everybody',
        ({ set }) => set(CLUSTER, 'vpc_config.public_access_cidrs', ['0.0.0.0/1', '128.0.0.0/1']),
      ],
      ['nobody named', ({ drop }) => drop(CLUSTER, 'vpc_config.public_access_cidrs')],
    ],
    'cluster-is-logged': [
      [
        'no audit',
        ({ set }) =>
          set(CLUSTER, 'enabled_cluster_log_types', [
            'api',
            'authenticator',
            'controllerManager',
            'scheduler',
          ]),
      ],
      ['nothing', ({ drop }) => drop(CLUSTER, 'enabled_cluster_log_types')],
      [
        'a log group of another name',
        ({ set }) => set('aws_cloudwatch_log_group', 'name', '/aws/eks/another/cluster', /eks/),
      ],
      ['a log group that was lost', ({ remove }) => remove('aws_cloudwatch_log_group', /eks/)],
    ],
    'cluster-secrets-encrypted': [
      ['no encryption', ({ drop }) => drop(CLUSTER, 'encryption_config')],
      [
        'something else than Secrets',
        ({ set }) => set(CLUSTER, 'encryption_config.resources', ['configmaps']),
      ],
      [
        'a key of AWS',
        ({ set }) => set(CLUSTER, 'encryption_config.provider.key_arn', 'alias/aws/eks'),
      ],
    ],
    'cluster-is-not-replaced': [
      [
        'a creator that counts later too',
        ({ change }) =>
          change(CLUSTER, 'lifecycle.ignore_changes', (list) => (list as string[]).slice(1)),
      ],
      ['nothing ignored', ({ drop }) => drop(CLUSTER, 'lifecycle')],
    ],
    'cluster-api-reachable': [
      [
        'a private API that nobody reaches',
        ({ set, remove }) => {
          set(CLUSTER, 'vpc_config.endpoint_public_access', false);
          remove('aws_vpc_security_group_ingress_rule', /aws_eks_cluster.*443/);
        },
      ],
    ],
    'cluster-version-supported': [
      ['the newest version', ({ drop }) => drop(CLUSTER, 'version')],
      ['a version that nobody knows', ({ set }) => set(CLUSTER, 'version', '1.22')],
      ['a version in extended support', ({ set }) => set(CLUSTER, 'version', '1.33')],
      [
        'an old version that EKS may have upgraded',
        ({ change }) =>
          change(CLUSTER, 'version', (version) => String(version).replace('max(35,', 'max(32,')),
      ],
    ],
    'cluster-is-placed': [
      ['nodes of another version', ({ set }) => set('aws_eks_node_group', 'version', '1.32')],
      [
        'one subnet',
        ({ change }) =>
          change(CLUSTER, 'vpc_config.subnet_ids', (ids) => [
            String(ids).replace('.ids}', '.ids[0]}'),
          ]),
      ],
      [
        'one subnet for nodes',
        ({ change }) =>
          change('aws_eks_node_group', 'subnet_ids', (ids) => [
            String(ids).replace('.ids}', '.ids[0]}'),
          ]),
      ],
      [
        'public subnets',
        ({ change, stackWith }) => {
          const subnets = Object.values(
            Object(Object(stackWith('aws_vpc').resource).aws_subnet),
          ) as {
            tags: { Name: string } & Record<string, string>;
          }[];
          const open =
            subnets.find(({ tags }) => tags['kubernetes.io/role/elb'] !== undefined)?.tags.Name ??
            '';
          change('aws_subnets', 'filter', (list) =>
            (list as { name: string; values: string[] }[]).map((filter) =>
              filter.name === 'tag:Name'
                ? { ...filter, values: [open.replace(/-us-gov.*/, '-*')] }
                : filter,
            ),
          );
        },
      ],
      [
        'every subnet',
        ({ change }) =>
          change('aws_subnets', 'filter', (list) =>
            (list as { name: string; values: string[] }[]).map((filter) =>
              filter.name === 'tag:Name' ? { ...filter, values: ['*'] } : filter,
            ),
          ),
      ],
      [
        'a private subnet of another name',
        ({ set }) => set('aws_subnet', 'tags.Name', 'another', /internal-elb/),
      ],
      ['add-ons of its own', ({ set }) => set(CLUSTER, 'bootstrap_self_managed_addons', true)],
      [
        'nodes of another cluster',
        ({ set }) => set('aws_eks_node_group', 'cluster_name', 'another'),
      ],
    ],
    'cluster-has-named-admins': [
      [
        'a ConfigMap beside the entries',
        ({ set }) => set(ADMINISTERED, 'access_config.authentication_mode', 'API_AND_CONFIG_MAP'),
      ],
      [
        'the creator too',
        ({ set }) =>
          set(ADMINISTERED, 'access_config.bootstrap_cluster_creator_admin_permissions', true),
      ],
      [
        'nothing said of the creator',
        ({ drop }) =>
          drop(ADMINISTERED, 'access_config.bootstrap_cluster_creator_admin_permissions'),
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
          set(
            'aws_eks_access_entry',
            'principal_arn',
            'arn:aws-us-gov:iam::210987654321:role/admin',
          ),
      ],

      [
        'a user',
        ({ set }) => set(ENTRY, 'principal_arn', 'arn:aws-us-gov:iam::123456789012:user/x'),
      ],
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
    'cluster-has-add-ons': [
      ['no names', ({ remove }) => remove(ADD_ON, /"coredns"/)],
      ['no addresses', ({ remove }) => remove(ADD_ON, /"vpc-cni"/)],
      ['no routes', ({ remove }) => remove(ADD_ON, /"kube-proxy"/)],
      ['no metrics for the autoscaler', ({ remove }) => remove(ADD_ON, /"metrics-server"/)],
      [
        'an add-on of another cluster',
        ({ set }) => set(ADD_ON, 'cluster_name', 'another', /"coredns"/),
      ],
    ],
    'add-ons-are-managed': [
      [
        'an add-on for another version of Kubernetes',
        ({ set }) => set('aws_eks_addon_version', 'kubernetes_version', '1.30'),
      ],
      [
        'no name server',
        ({ set }) => set(ADD_ON, 'configuration_values', '{"replicaCount":0}', /"coredns"/),
      ],
      [
        'a name server of others',
        ({ set }) => set(ADD_ON, 'configuration_values', '{"corefile":". { }"}', /"coredns"/),
      ],
      [
        'settings that are not JSON',
        ({ set }) => set(ADD_ON, 'configuration_values', 'replicaCount: 2', /"coredns"/),
      ],

      [
        'an add-on that nobody knows',
        ({ set }) => set(ADD_ON, 'addon_name', 'somebody_agent', /pod-identity/),
      ],
      [
        'conflicts that stop the creation',
        ({ drop }) => drop(ADD_ON, 'resolve_conflicts_on_create'),
      ],
      [
        'conflicts that stop an update',
        ({ set }) => set(ADD_ON, 'resolve_conflicts_on_update', 'NONE'),
      ],
      [
        'changes by hand that stay',
        ({ set }) => set(ADD_ON, 'resolve_conflicts_on_update', 'PRESERVE'),
      ],
      [
        'a role of its own',
        ({ set }) =>
          set(ADD_ON, 'service_account_role_arn', 'arn:aws-us-gov:iam::123456789012:role/x'),
      ],
      ['another cluster', ({ set }) => set(ADD_ON, 'cluster_name', 'another')],
    ],
    'network-policies-enforced': [
      ['nothing said', ({ drop }) => drop(ADD_ON, 'configuration_values', /"vpc-cni"/)],
      [
        'no enforcement',
        ({ set }) =>
          set(ADD_ON, 'configuration_values', '{"enableNetworkPolicy":"false"}', /"vpc-cni"/),
      ],
      [
        'a slip',
        ({ set }) =>
          set(ADD_ON, 'configuration_values', '{"enableNetworkPolicies":"true"}', /"vpc-cni"/),
      ],
    ],
  },
  objects: {
    'cluster-secrets-encrypted': [
      ['a cluster without a key', drop(CLUSTER, 'encryption_config')],
      ['a key for nothing', set(CLUSTER, 'encryption_config.resources', [])],
    ],
    'network-policies-enforced': [
      ['an add-on without the switch', cni(undefined)],
      ['an add-on with the switch off', cni('{"enableNetworkPolicy":"false"}')],
    ],
  },
});

describe('the support of a version', () => {
  const on = (day: string) => auditedOf(environmentStacks('etl-playground'), new Date(day));
  const findings = (day: string) =>
    CLUSTER_RULES.find(({ id }) => id === 'cluster-version-supported')
      ?.judge(on(day))
      .flatMap(({ faults }) => faults);

  it.each([
    ['2026-12-26', 0, []],
    ['2026-12-27', 1, []],
    ['2027-03-28', 0, [expect.stringContaining('version 1.35 left the standard support')]],
  ])('on %s is worth %i notes and the findings %j', (day, notes, faults) => {
    expect(clusterNotes(on(day).model, new Date(day))).toHaveLength(notes);
    expect(findings(day)).toEqual(faults);
  });
});

describe('a cluster of others', () => {
  const auditedWith = (processing: Settings['processing']) =>
    auditedOf(stacksOf({ processing: { ...EXISTING, ...processing } }));
  const EXISTING: Settings['processing'] = {
    create_cluster: false,
    cluster_name: 'shared',
    cluster_endpoint_private_access_cidrs: [],
    sns_endpoint_url: 'https://files.example.gov/',
    tls_certificate_arn: 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/abc',
    db_host: 'db.example.gov',
    db_name: 'etl',
    db_user: 'etl',
    db_security_group_id: 'sg-0123456789abcdef0',
  };

  it.each<Settings['processing']>([
    {},
    { identity: 'pod_identity' },
    { sns_endpoint_url: '', tls_certificate_arn: '', delivery: 'sqs' },
    { node_security_group_id: 'sg-0f1e2d3c4b5a69788' },
  ])('makes no rule fail with %j', (processing) => {
    const audited = auditedWith(processing);
    const faults = ALL_RULES.flatMap((rule) => rule.judge(audited)).flatMap(({ faults }) => faults);
    expect(faults).toEqual([]);
  });

  it('is said not to be judged', () => {
    expect(clusterNotes(auditedWith({}).model, DAY)).toEqual([
      expect.stringMatching(/^The cluster shared belongs to others: .* were not judged/),
    ]);
  });
});

it('a cluster that is looked up beside the one that the stack makes is not another one', () => {
  const { model } = auditedOf(environmentStacks('complete'));
  expect(clusterNotes(model, DAY)).toEqual([]);
});
