import { expect, it } from 'vitest';
import { RESOURCE_RULES } from '../../../../audit/rules/workload/resources.ts';
import { describeRules, type Plant as RulePlant } from '../../support/describe-rules.ts';
import {
  AUTOSCALER,
  CRON_JOB,
  DEPLOYMENT,
  INIT,
  MAIN,
  POD,
} from '../../support/kubernetes-paths.ts';
import {
  addObject,
  all,
  argumentOf,
  type Change,
  drop,
  findingsAfter,
  set,
  stacksOfBase,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const NODES = 'aws_eks_node_group';
const resources = (path: string, value: string): Change =>
  set(DEPLOYMENT, `${MAIN}.resources.${path}`, value);
const TEMPLATE = 'aws_launch_template';
/** Pods so small that only their number counts. */
const small = (count: number): Change =>
  all(
    ...['requests.memory', 'limits.memory'].map((path) => resources(path, '64Mi')),
    ...['requests.memory', 'limits.memory'].map((path) =>
      set(DEPLOYMENT, `${INIT}.resources.${path}`, '64Mi'),
    ),
    resources('requests.cpu', '20m'),
    set(DEPLOYMENT, `${INIT}.resources.requests.cpu`, '20m'),
    set(AUTOSCALER, 'spec.max_replicas', count),
  );
const quota = (hard: Json): Change =>
  addObject('kubernetes_resource_quota_v1', 'quota', { spec: { hard } });
const limits = (limit: Json): Change =>
  addObject('kubernetes_limit_range_v1', 'limits', {
    spec: { limit: [{ type: 'Container', ...limit }] },
  });
const pod = (field: string, value: unknown): Change => set(DEPLOYMENT, `${POD}.${field}`, value);

const JOB = {
  backoff_limit: 2,
  active_deadline_seconds: 3600,
  ttl_seconds_after_finished: '86400',
};
const CRON = { schedule: '0 3 * * *', concurrency_policy: 'Forbid' };

function template(json: Json, restart_policy: string | undefined): Json {
  const spec = argumentOf(json, DEPLOYMENT, POD) as Json;
  return { metadata: { labels: {} }, spec: { ...spec, ...(restart_policy && { restart_policy }) } };
}

function job(change: Json, restart: string | undefined = 'Never'): Change {
  return (json) =>
    addObject('kubernetes_job_v1', 'job', {
      spec: defined({ ...JOB, ...change, template: template(json, restart) }),
    })(json);
}

function cron(change: Json, jobChange: Json = {}): Change {
  return (json) =>
    addObject(CRON_JOB, 'cron', {
      spec: defined({
        ...CRON,
        ...change,
        job_template: {
          metadata: {},
          spec: defined({ ...JOB, ...jobChange, template: template(json, 'Never') }),
        },
      }),
    })(json);
}

function defined(block: Json): Json {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
}

/** What the nodes still hold. */
const HELD: readonly (readonly [string, Change])[] = [
  ['pods up to the addresses of the nodes', small(30)],
  [
    'more pods than addresses, where each address is a prefix',
    all(small(40), (json) => {
      const [cni] = Object.values(
        (json.resource as Record<string, Record<string, Json>>).aws_eks_addon ?? {},
      ).filter(({ addon_name }) => addon_name === 'vpc-cni');
      if (cni) {
        cni.configuration_values = JSON.stringify({ env: { ENABLE_PREFIX_DELEGATION: 'true' } });
      }
    }),
  ],
  ['nodes of the newest generation', set(NODES, 'instance_types', ['m8g.large'])],
];

it.each(HELD)('nodes hold %s', (_, change) => {
  expect(findingsAfter(RESOURCE_RULES, stacksOfBase('http'), change)).toEqual([]);
});

const subnet =
  (prefix: number, nth = 0): RulePlant[1] =>
  ({ stackWith }) => {
    const resources = stackWith('aws_subnet').resource as Record<string, Record<string, Json>>;
    const closed = Object.values(resources.aws_subnet ?? {}).filter((one) =>
      JSON.stringify(one.tags).includes('internal-elb'),
    );
    const one = closed[nth] ?? {};
    one.cidr_block = String(one.cidr_block).replace(/\/\d+$/, `/${prefix}`);
  };

describeRules(RESOURCE_RULES, {
  configured: {
    'etl-playground': {
      'subnets-have-addresses': [
        ['eleven addresses', subnet(28)],
        ['few addresses in the second zone alone', subnet(27, 1)],
      ],
    },
    complete: {
      'subnets-have-addresses': [
        ['fewer addresses than nodes and pods', subnet(26)],
        [
          'nodes without end',
          (planter) => {
            subnet(24)(planter);
            planter.set(NODES, 'scaling_config.max_size', 60);
          },
        ],
      ],
    },
  },
  harmless: {
    'etl-playground': [['a hundred addresses', subnet(25)]],
    complete: [
      ['two hundred addresses', subnet(24)],
      [
        'large nodes, whose addresses are not used',
        (planter) => {
          subnet(23)(planter);
          planter.set(NODES, 'instance_types', ['m5.4xlarge']);
        },
      ],
    ],
  },
  objects: {
    'container-has-limits': [
      ['no CPU request', drop(DEPLOYMENT, `${MAIN}.resources.requests.cpu`)],
      ['no memory limit', drop(DEPLOYMENT, `${MAIN}.resources.limits.memory`)],
      ['no limit of storage', drop(DEPLOYMENT, `${INIT}.resources.limits.ephemeral-storage`)],
      ['no resources before', drop(DEPLOYMENT, `${INIT}.resources`)],
      ['a request below the limit', resources('requests.memory', '16Mi')],
      ['a request above the limit', resources('requests.ephemeral-storage', '4Gi')],
      [
        'thousandths of a byte',
        all(resources('limits.memory', '512m'), resources('requests.memory', '512m')),
      ],
      ['a quantity of no unit', resources('limits.memory', '512MB')],
      ['next to no CPU', resources('requests.cpu', '1m')],
    ],
    'pod-fits-the-nodes': [
      ['CPUs without the m', resources('requests.cpu', '250')],
      [
        'more memory than a node',
        all(resources('requests.memory', '16Gi'), resources('limits.memory', '16Gi')),
      ],
      ['more pods than the nodes hold', set(AUTOSCALER, 'spec.max_replicas', 100)],
      ['smaller nodes', set(NODES, 'instance_types', ['t3.nano'])],
      ['nodes whose memory is taken by themselves', set(NODES, 'instance_types', ['t3.micro'])],
      [
        'all that a node has, before it takes its own',
        all(resources('requests.memory', '3600Mi'), resources('limits.memory', '3600Mi')),
      ],
      ['a CPU less than a node has', resources('requests.cpu', '1900m')],
      [
        'more ephemeral storage than the disk of a node',
        all(
          resources('requests.ephemeral-storage', '500Gi'),
          resources('limits.ephemeral-storage', '500Gi'),
        ),
      ],
      [
        'a disk that the system takes part of',
        all(
          set(TEMPLATE, 'block_device_mappings.0.ebs.volume_size', 20),
          resources('requests.ephemeral-storage', '19Gi'),
          resources('limits.ephemeral-storage', '19Gi'),
        ),
      ],
      [
        'fewer nodes',
        all(set(NODES, 'scaling_config.max_size', 1), set(AUTOSCALER, 'spec.max_replicas', 20)),
      ],
    ],
    'nodes-hold-all-pods': [
      ['nodes of a type that nobody knows', set(NODES, 'instance_types', ['z9.large'])],
      ['nodes of a size that nobody knows', set(NODES, 'instance_types', ['t3.medium', 'm5.huge'])],
      [
        'a type in the template that nobody knows',
        all(drop(NODES, 'instance_types'), set(TEMPLATE, 'instance_type', 'z9.large')),
      ],
      ['more small pods than the nodes have addresses for, with those of the add-ons', small(40)],
      [
        'a limit of pods',
        all(
          set(TEMPLATE, 'user_data', Buffer.from('--max-pods=6').toString('base64')),
          set(NODES, 'scaling_config.max_size', 2),
        ),
      ],
    ],
    'empty-dir-has-a-limit': [
      ['no limit', set(DEPLOYMENT, `${POD}.volume.0.empty_dir`, {})],
      ['no source', drop(DEPLOYMENT, `${POD}.volume.0.empty_dir`)],
      [
        'a limit above that of the container',
        set(DEPLOYMENT, `${POD}.volume.0.empty_dir.size_limit`, '2Gi'),
      ],
      [
        'memory above the limit',
        set(DEPLOYMENT, `${POD}.volume.0.empty_dir`, { medium: 'Memory', size_limit: '1Gi' }),
      ],
    ],
    'quota-leaves-room': [
      ['a quota of pods', quota({ pods: '3' })],
      ['a quota of CPUs', quota({ 'requests.cpu': '500m' })],
      ['a quota of memory', quota({ 'limits.memory': '1Gi' })],
      ['a range below the limits', limits({ max: { memory: '128Mi' } })],
      ['a range above the requests', limits({ min: { cpu: '2' } })],
    ],
    'pod-can-be-scheduled': [
      ['another architecture', pod('node_selector', { 'kubernetes.io/arch': 'arm64' })],
      [
        'nodes of another architecture',
        all(
          pod('node_selector', { 'kubernetes.io/arch': 'amd64' }),
          set(NODES, 'ami_type', 'AL2023_ARM_64_STANDARD'),
        ),
      ],
      ['a label that no node has', pod('node_selector', { 'example.org/pool': 'fast' })],
      ['one zone', pod('node_selector', { 'topology.kubernetes.io/zone': 'us-gov-west-1a' })],
      ['one node', pod('node_name', 'ip-10-0-10-7')],
      [
        'one node by affinity',
        pod('affinity.node_affinity', {
          required_during_scheduling_ignored_during_execution: {
            node_selector_term: [
              {
                match_expressions: [
                  { key: 'kubernetes.io/hostname', operator: 'In', values: ['a'] },
                ],
              },
            ],
          },
        }),
      ],
      ['another scheduler', pod('scheduler_name', 'mine')],
      ['another runtime', pod('runtime_class_name', 'gvisor')],
      ['a class of priority that is not there', pod('priority_class_name', 'system-node-critical')],
      ['every taint', pod('toleration', [{ operator: 'Exists' }])],
      [
        'names that DNS does not say',
        pod('host_aliases', [{ ip: '10.0.0.1', hostnames: ['sns'] }]),
      ],
      ["the node's DNS", pod('dns_policy', 'Default')],
      [
        'a taint of the nodes',
        set(NODES, 'taint', [{ key: 'batch', value: 'yes', effect: 'NO_SCHEDULE' }]),
      ],
    ],
    'job-ends': [
      [
        'pods that are killed at once',
        set(CRON_JOB, 'spec.job_template.spec.template.spec.active_deadline_seconds', 5),
        'reconciliation',
      ],

      ['a restart for ever', job({}, 'Always')],
      ['no word on restarts', job({}, '')],
      ['a thousand attempts', job({ backoff_limit: 1000 })],
      ['no deadline', job({ active_deadline_seconds: undefined })],
      ['a deadline of a year', job({ active_deadline_seconds: 31_536_000 })],
      ['a suspended Job', job({ suspend: true })],
      ['no deadline of a CronJob', cron({}, { active_deadline_seconds: undefined })],
      [
        'a reconciliation without a deadline',
        drop(CRON_JOB, 'spec.job_template.spec.active_deadline_seconds'),
        'reconciliation',
      ],
    ],
    'job-is-cleaned-up': [
      ['no end', job({ ttl_seconds_after_finished: undefined })],
      ['an end after a year', job({ ttl_seconds_after_finished: '31536000' })],
      ['an end before anybody looks', job({ ttl_seconds_after_finished: '0' })],
    ],
    'cron-job-keeps-up': [
      ['runs that overlap', cron({ concurrency_policy: 'Allow' })],
      ['the default', cron({ concurrency_policy: undefined })],
      ['reconciliations that overlap', drop(CRON_JOB, 'spec.concurrency_policy'), 'reconciliation'],
      ['no schedule', cron({ schedule: 'every night' })],
      ['a day that no month has', cron({ schedule: '0 0 30 2 *' })],
      ['a day that those months have not', cron({ schedule: '0 0 31 4,6 *' })],
      ['a run a minute', cron({ schedule: '* * * * *' })],
      ['a run every two minutes', cron({ schedule: '*/2 * * * *' })],
      [
        'a run that is gone when it ends',
        set(CRON_JOB, 'spec.job_template.spec.ttl_seconds_after_finished', '0'),
        'reconciliation',
      ],
      ['a suspended CronJob', cron({ suspend: true })],
      ['a thousand old runs', cron({ successful_jobs_history_limit: 1000 })],
      ['no failed run', cron({ failed_jobs_history_limit: 0 })],
      ['a deadline below the controller', cron({ starting_deadline_seconds: 1 })],
    ],
    'pod-has-an-owner': [
      [
        'a bare pod',
        (json) =>
          addObject('kubernetes_pod_v1', 'bare', { spec: argumentOf(json, DEPLOYMENT, POD) })(json),
      ],
      ['pods that do not restart', set(DEPLOYMENT, `${POD}.restart_policy`, 'Never')],
      ['pods that end', set(DEPLOYMENT, `${POD}.active_deadline_seconds`, 3600)],
    ],
  },
});
