import { CLUSTER_RULES } from '../../../../audit/rules/aws/cluster-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const TYPE = 'aws_eks_cluster';

describePlants(CLUSTER_RULES, {
  'cluster-api-private': [
    ['no private API', ({ set }) => set(TYPE, 'vpc_config.endpoint_private_access', false)],
    [
      'nothing said of a private API',
      ({ drop }) => drop(TYPE, 'vpc_config.endpoint_private_access'),
    ],
    [
      'more addresses',
      ({ set }) =>
        set(TYPE, 'vpc_config.public_access_cidrs', ['203.0.113.0/24', '198.51.100.0/24']),
    ],
  ],
  'cluster-api-bounded': [
    ['everybody', ({ set }) => set(TYPE, 'vpc_config.public_access_cidrs', ['0.0.0.0/0'])],
    [
      'half of everybody',
      ({ set }) => set(TYPE, 'vpc_config.public_access_cidrs', ['0.0.0.0/1', '128.0.0.0/1']),
    ],
    ['nobody named', ({ drop }) => drop(TYPE, 'vpc_config.public_access_cidrs')],
  ],
  'cluster-is-logged': [
    [
      'no audit',
      ({ set }) =>
        set(TYPE, 'enabled_cluster_log_types', [
          'api',
          'authenticator',
          'controllerManager',
          'scheduler',
        ]),
    ],
    ['nothing', ({ drop }) => drop(TYPE, 'enabled_cluster_log_types')],
    [
      'a log group of another name',
      ({ set }) => set('aws_cloudwatch_log_group', 'name', '/aws/eks/another/cluster', /eks/),
    ],
    ['a log group that was lost', ({ remove }) => remove('aws_cloudwatch_log_group', /eks/)],
  ],
  'cluster-secrets-encrypted': [
    ['no encryption', ({ drop }) => drop(TYPE, 'encryption_config')],
    [
      'something else than Secrets',
      ({ set }) => set(TYPE, 'encryption_config.resources', ['configmaps']),
    ],
    ['a key of AWS', ({ set }) => set(TYPE, 'encryption_config.provider.key_arn', 'alias/aws/eks')],
  ],
  'cluster-is-not-replaced': [
    [
      'a creator that counts later too',
      ({ change }) =>
        change(TYPE, 'lifecycle.ignore_changes', (list) => (list as string[]).slice(1)),
    ],
    ['nothing ignored', ({ drop }) => drop(TYPE, 'lifecycle')],
  ],
  'cluster-api-reachable': [
    [
      'a private API that nobody reaches',
      ({ set, remove }) => {
        set(TYPE, 'vpc_config.endpoint_public_access', false);
        remove('aws_vpc_security_group_ingress_rule', /aws_eks_cluster.*443/);
      },
    ],
  ],
  'cluster-is-placed': [
    ['the newest version', ({ drop }) => drop(TYPE, 'version')],
    ['a version that nobody knows', ({ set }) => set(TYPE, 'version', '1.22')],
    ['nodes of another version', ({ set }) => set('aws_eks_node_group', 'version', '1.32')],
    [
      'one subnet',
      ({ change }) =>
        change(TYPE, 'vpc_config.subnet_ids', (ids) => [String(ids).replace('.ids}', '.ids[0]}')]),
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
        const subnets = Object.values(Object(Object(stackWith('aws_vpc').resource).aws_subnet)) as {
          tags: { Name: string } & Record<string, string>;
        }[];
        const open =
          subnets.find(({ tags }) => tags['kubernetes.io/role/elb'] !== undefined)?.tags.Name ?? '';
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
    ['add-ons of its own', ({ set }) => set(TYPE, 'bootstrap_self_managed_addons', true)],
    ['nodes of another cluster', ({ set }) => set('aws_eks_node_group', 'cluster_name', 'another')],
  ],
});
