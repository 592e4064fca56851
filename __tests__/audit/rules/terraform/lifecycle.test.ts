import { LIFECYCLE_RULES } from '../../../../audit/rules/terraform/lifecycle.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { AUTOSCALER, CONFIG_MAP, DEPLOYMENT, POD, POLICY } from '../../support/kubernetes-paths.ts';
import { type Change, remove, set } from '../../support/kubernetes-plants.ts';
import { member } from '../../support/planter.ts';
import type { Json } from '../../support/renamed-stack.ts';

const tags =
  (edit: (tags: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) => {
    const [provider] = member(stackWith('aws_vpc'), 'provider').aws as unknown as Record<
      string,
      unknown
    >[];
    const blocks = provider?.default_tags as { tags: Record<string, unknown> }[] | undefined;
    edit(blocks?.[0]?.tags ?? {});
  };

/** Changes the output that lists the private subnets. */
const subnets =
  (edit: (list: string[], open: string) => unknown): Plant[1] =>
  ({ stackWith, address }) => {
    const outputs = Object.values(member(stackWith('aws_vpc'), 'output')) as { value: unknown }[];
    const id = (where: RegExp) => `\${${address('aws_subnet', where)}.id}`;
    const closed = id(/internal-elb/);
    const output = outputs.find(({ value }) => Array.isArray(value) && value.includes(closed));
    if (output === undefined) throw new Error(`No output lists ${closed}`);
    output.value = edit(output.value as string[], id(/role\/elb/));
  };
const variable =
  (edit: (variable: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) => {
    const [first] = Object.values(member(stackWith('aws_vpc'), 'variable'));
    edit(first as Record<string, unknown>);
  };

/** Filters with another value of their tags. */
const named = (value: string) => (filters: unknown) =>
  (filters as Json[]).map((filter) =>
    String(filter.name).startsWith('tag:') ? { ...filter, values: [value] } : filter,
  );

/** Adds a data source. */
function data(json: Json, type: string, block: Json): void {
  json.data = { ...(json.data as Json), [type]: { planted: block } };
}

/** Puts another condition into the first validation of a stack; `$` stands for the variable. */
function validation(json: Json, expression: string): void {
  const [name, block] =
    Object.entries(member(json, 'variable')).find(([, one]) => Object(one).validation) ?? [];
  const [first] = Object(block).validation as [Json];
  first.condition = `\${${expression.replaceAll('$', () => `var.${name}`)}}`;
}

const ignoring = (type: string, ...paths: readonly string[]): Change =>
  set(type, 'lifecycle.ignore_changes', paths);

describeRules(LIFECYCLE_RULES, {
  harmless: {
    complete: [
      [
        'a group by its name',
        ({ stackWith }) =>
          data(stackWith('aws_eks_cluster'), 'aws_security_groups', {
            filter: [{ name: 'group-name', values: ['database'] }],
          }),
      ],
      [
        'a wildcard that is a letter',
        ({ stackWith }) =>
          data(stackWith('aws_eks_cluster'), 'aws_security_groups', {
            filter: [{ name: 'group-name', values: ['data\\*base'] }],
          }),
      ],
    ],
  },
  plants: {
    'lookup-names-what-it-finds': [
      ['any VPC', ({ change }) => change('aws_vpcs', 'filter', named('*'))],
      [
        'a VPC by the beginning of its name',
        ({ change }) => change('aws_vpcs', 'filter', named('etl-*')),
      ],
      [
        'a VPC by all but a letter',
        ({ change }) => change('aws_vpcs', 'filter', named('etl-platform-vp?')),
      ],
      [
        'subnets by the middle of their names',
        ({ change }) => change('aws_subnets', 'filter', named('*private*')),
      ],
      ['all subnets', ({ change }) => change('aws_subnets', 'filter', named('*'))],
      [
        'subnets of any VPC',
        ({ change }) =>
          change('aws_subnets', 'filter', (filters) =>
            (filters as Json[]).filter(({ name }) => name !== 'vpc-id'),
          ),
      ],
      ['a VPC by its tags', ({ set }) => set('aws_vpcs', 'tags', { Owner: 'etl*' })],
      [
        'all databases',
        ({ stackWith }) => data(stackWith('aws_eks_cluster'), 'aws_db_instances', {}),
      ],
      [
        'the default VPC',
        ({ stackWith }) => data(stackWith('aws_eks_cluster'), 'aws_vpc', { default: true }),
      ],
      [
        'the newest image',
        ({ stackWith }) => data(stackWith('aws_eks_cluster'), 'aws_ami', { most_recent: true }),
      ],
      [
        'roles by a pattern',
        ({ stackWith }) =>
          data(stackWith('aws_eks_cluster'), 'aws_iam_roles', { name_regex: 'etl-.*' }),
      ],
      [
        'groups by a wildcard',
        ({ stackWith }) =>
          data(stackWith('aws_eks_cluster'), 'aws_security_groups', {
            filter: [{ name: 'group-name', values: ['*'] }],
          }),
      ],
    ],
    'conditions-can-fail': [
      [
        'a validation by a pattern of everything',
        ({ stackWith }) => validation(stackWith('aws_eks_cluster'), 'can(regex(".*", $))'),
      ],
      [
        'a validation by its own value',
        ({ stackWith }) => validation(stackWith('aws_eks_cluster'), '$ == $'),
      ],
      [
        'a lookup that may find nothing',
        ({ set }) =>
          set('aws_subnets', 'lifecycle.postcondition.condition', '${length(self.ids) >= 0}'),
      ],
      [
        'a condition before, beside the word that decides it',
        ({ set }) =>
          set('aws_eks_cluster', 'lifecycle.precondition', [
            { condition: '${var.image != "" || true}', error_message: 'No.' },
          ]),
      ],
      [
        'a check of what is always there',
        ({ stackWith }) => {
          stackWith('aws_eks_cluster').check = {
            version: { assert: { condition: true, error_message: 'No.' } },
          };
        },
      ],
      [
        'an output without a condition in its condition',
        ({ stackWith }) => {
          member(stackWith('aws_eks_cluster'), 'output').x = {
            ...{ value: 1, precondition: [{ error_message: 'No.' }] },
          };
        },
      ],
    ],
    'drift-is-seen': [
      [
        'everything of a queue',
        ({ set }) => set('aws_sqs_queue', 'lifecycle', { ignore_changes: 'all' }),
      ],
      [
        'the policy of a topic',
        ({ set }) => set('aws_sns_topic_policy', 'lifecycle', { ignore_changes: ['policy'] }),
      ],
      [
        'what a security group lets in',
        ({ set }) =>
          set('aws_default_security_group', 'lifecycle', { ignore_changes: ['ingress'] }),
      ],
      [
        'the addresses of the API',
        ({ set }) =>
          set('aws_eks_cluster', 'lifecycle.ignore_changes', ['vpc_config[0].public_access_cidrs']),
      ],
      [
        'all sizes of a node group',
        ({ set }) => set('aws_eks_node_group', 'lifecycle.ignore_changes', ['scaling_config']),
      ],
    ],
    'plain-resource': [
      [
        'a second for what takes minutes',
        ({ set }) => set('aws_eks_cluster', 'timeouts', { create: '1s' }),
      ],

      ['count 0', ({ set }) => set('aws_cloudwatch_metric_alarm', 'count', 0)],
      ['an empty for_each', ({ set }) => set('aws_flow_log', 'for_each', {})],
      [
        'prevent_destroy',
        ({ set }) => set('aws_sqs_queue', 'lifecycle', { prevent_destroy: true }),
      ],
      [
        'create_before_destroy with a fixed name',
        ({ set }) => set('aws_sns_topic', 'lifecycle', { create_before_destroy: true }),
      ],
      [
        'a provisioner',
        ({ set }) => set('aws_eks_cluster', 'provisioner', [{ 'local-exec': { command: 'true' } }]),
      ],
      ['another provider', ({ set }) => set('aws_sns_topic', 'provider', 'aws.other')],
    ],
    'lookup-is-checked': [
      [
        'a network of another name',
        ({ set }) => set('aws_vpcs', 'filter', [{ name: 'tag:Name', values: ['another-network'] }]),
      ],
      ['a network that was renamed', ({ set }) => set('aws_vpc', 'tags.Name', 'another-network')],

      [
        'subnets of any network',
        ({ change }) =>
          change('aws_subnets', 'filter', (filters) =>
            (filters as { name: string }[]).filter(({ name }) => name !== 'vpc-id'),
          ),
      ],
      [
        'subnets of any name',
        ({ change }) =>
          change('aws_subnets', 'filter', (filters) =>
            (filters as { name: string }[]).filter(({ name }) => name === 'vpc-id'),
          ),
      ],
      [
        'a single subnet',
        ({ set }) =>
          set('aws_subnets', 'lifecycle.postcondition.condition', '${length(self.ids) >= 1}'),
      ],
      ['subnets without a count', ({ drop }) => drop('aws_subnets', 'lifecycle')],
      ['a network without a count', ({ drop }) => drop('aws_vpcs', 'lifecycle')],
      ['any network', ({ drop }) => drop('aws_vpcs', 'filter')],
    ],
    'default-tags': [
      [
        'another owner in one stack',
        tags((all) => {
          all.Owner = 'somebody';
        }),
      ],
      [
        'no environment',
        tags((all) => {
          delete all.Environment;
        }),
      ],
      [
        'no component',
        tags((all) => {
          delete all.Component;
        }),
      ],
      [
        'no origin',
        tags((all) => {
          delete all.ManagedBy;
        }),
      ],
      [
        'an empty component',
        tags((all) => {
          all.Component = '';
        }),
      ],
      [
        'another environment',
        tags((all) => {
          all.Environment = 'another';
        }),
      ],
      [
        'no owner in one stack',
        tags((all) => {
          delete all.Owner;
        }),
      ],
      [
        'no tags at all',
        ({ stackWith }) => {
          const [provider] = member(stackWith('aws_vpc'), 'provider').aws as unknown as Record<
            string,
            unknown
          >[];
          delete provider?.default_tags;
        },
      ],
    ],
    'tags-not-overridden': [
      [
        'the same tag in other letters',
        ({ set }) => set('aws_sqs_queue', 'tags', { environment: 'another' }),
      ],

      [
        'another environment on a network',
        ({ set }) => set('aws_vpc', 'tags.Environment', 'another'),
      ],
      ['another origin on a key', ({ set }) => set('aws_kms_key', 'tags', { ManagedBy: 'hand' })],
    ],
    'launched-resources-tagged': [
      [
        'volumes without tags',
        ({ change }) =>
          change('aws_launch_template', 'tag_specifications', (list) =>
            (list as { resource_type: string }[]).filter(
              ({ resource_type }) => resource_type !== 'volume',
            ),
          ),
      ],
      [
        'instances without their owner',
        ({ change }) =>
          change('aws_launch_template', 'tag_specifications', (list) => {
            delete Object((list as Record<string, unknown>[])[0]?.tags).Owner;
            return list;
          }),
      ],
      ['no tags', ({ drop }) => drop('aws_launch_template', 'tag_specifications')],
    ],
    'outputs-list-alike': [
      [
        'the public subnets as the private ones',
        ({ stackWith }) => {
          const lists = Object.values(member(stackWith('aws_vpc'), 'output')) as {
            value: unknown;
          }[];
          const [first, second] = lists.filter(({ value }) => /aws_subnet/.test(String(value)));
          Object.assign(first ?? {}, { value: second?.value });
        },
      ],

      ['a subnet less', subnets((list) => list.slice(1))],
      ['a subnet twice', subnets((list) => [...list.slice(1), list[1]])],
      ['a public subnet among private ones', subnets((list, open) => [...list.slice(1), open])],
      ['a literal', subnets((list) => [...list.slice(1), 'subnet-0a1b2c3d'])],
      [
        'another attribute',
        subnets((list) => [String(list[0]).replace('.id}', '.arn}'), ...list.slice(1)]),
      ],
    ],
    'variables-are-checked': [
      [
        'no validation',
        variable((one) => {
          delete one.validation;
        }),
      ],
      [
        'a validation of nothing',
        variable((one) => {
          one.validation = [{ condition: '${true}', error_message: 'x' }];
        }),
      ],
      [
        'no type',
        variable((one) => {
          delete one.type;
        }),
      ],
    ],
  },
  objects: {
    'drift-is-seen': [
      ['the image', ignoring(DEPLOYMENT, `${POD}.container[0].image`)],
      ['all of a Deployment', set(DEPLOYMENT, 'lifecycle.ignore_changes', 'all')],
      ['the rules of a policy', ignoring(POLICY, 'spec')],
      ['the data of a ConfigMap', ignoring(CONFIG_MAP, 'data')],
      ['the number that nobody owns', remove(AUTOSCALER)],
    ],
  },
});
