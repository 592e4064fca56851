import { expect, it } from 'vitest';
import { AVAILABILITY_RULES } from '../../../../audit/rules/workload/availability.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  AUTOSCALER,
  BUDGET,
  CONFIG_MAP,
  DEPLOYMENT,
  MAIN,
  POD,
} from '../../support/kubernetes-paths.ts';
import {
  add,
  addTwin,
  all,
  argumentOf,
  type Change,
  drop,
  findingsAfter,
  remove,
  set,
  stacksOfBase,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const UTILIZATION = { type: 'Utilization', average_utilization: 70 };
const SPREAD = `${POD}.topology_spread_constraint`;
const TARGET = 'spec.scale_target_ref';
const METRIC = 'spec.metric.0';
const budget = (spec: Json): Change => all(drop(BUDGET, 'spec.max_unavailable'), numbers(spec));

function rename(block: Json): void {
  (block.metadata as Json).name = 'another';
}

function numbers(spec: Json): Change {
  return all(...Object.entries(spec).map(([key, value]) => set(BUDGET, `spec.${key}`, value)));
}

const metrics = (...list: readonly Json[]): Change => set(AUTOSCALER, 'spec.metric', list);

function resource(name: string): Json {
  return { type: 'Resource', resource: { name, target: UTILIZATION } };
}

function external(name: string): Json {
  const target = { type: 'AverageValue', average_value: '10' };
  return { type: 'External', external: { metric: { name }, target } };
}

function scaleDown(field: string, value: number): Change {
  return set(AUTOSCALER, `spec.behavior.scale_down.0.${field}`, value);
}

/** Changes the ScaledObject, which is listed after what it signs in by. */
function scaled(path: string, value: unknown, at = 1): Change {
  return (json) => {
    const [list] = Object.values(json.locals as Record<string, Json[]>);
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let holder: Json | undefined = list?.[at];
    for (const key of keys) holder = holder?.[key] as Json | undefined;
    if (holder === undefined) throw new Error(`there is no ${path}`);
    if (value === undefined) delete holder[last];
    else holder[last] = value;
  };
}

const database = (name: string, value: unknown): Change =>
  scaled(`spec.triggers.0.metadata.${name}`, value);

const asListener: Change = (json) =>
  database('userName', argumentOf(json, CONFIG_MAP, 'data.DB_USER'))(json);

function memoryMetric(json: Json): void {
  set(AUTOSCALER, `${METRIC}.resource.name`, 'memory')(json);
  drop(DEPLOYMENT, `${MAIN}.resources.requests.memory`)(json);
}

function noMetricsServer(json: Json): void {
  const addOns = (json.resource as Record<string, Record<string, Json>>).aws_eks_addon ?? {};
  for (const [name, { addon_name }] of Object.entries(addOns)) {
    if (addon_name === 'metrics-server') delete addOns[name];
  }
}

const SERVED = add('kubernetes_api_service_v1', 'served', {
  metadata: { name: 'v1beta1.external.metrics.k8s.io' },
  spec: {
    ...{ group: 'external.metrics.k8s.io', version: 'v1beta1', group_priority_minimum: 100 },
    ...{ version_priority: 100, service: { name: 'adapter', namespace: 'adapter' } },
  },
});

/** What an autoscaler can go by. */
const FIGURES: readonly (readonly [string, Change])[] = [
  ['memory beside CPU', metrics(resource('memory'), resource('cpu'))],
  ['a figure of others that something serves', all(SERVED, metrics(external('queue_depth')))],
];

it.each(FIGURES)('an autoscaler may go by %s', (_, change) => {
  expect(findingsAfter(AVAILABILITY_RULES, stacksOfBase('http'), change)).toEqual([]);
});

describeRules(AVAILABILITY_RULES, {
  objects: {
    'workload-has-two-pods': [
      ['one pod', set(DEPLOYMENT, 'spec.replicas', '1')],
      ['no pod', set(DEPLOYMENT, 'spec.replicas', '0')],
      ['the default', drop(DEPLOYMENT, 'spec.replicas')],
      ['an autoscaler that leaves one', set(AUTOSCALER, 'spec.min_replicas', 1)],
      ['a scaler that leaves one', scaled('spec.minReplicaCount', 1), 'backlog'],
    ],
    'replicas-have-one-owner': [
      ['Terraform beside the autoscaler', drop(DEPLOYMENT, 'lifecycle')],
      ['another field that is ignored', set(DEPLOYMENT, 'lifecycle.ignore_changes', ['spec'])],
      ['nobody', remove(AUTOSCALER)],
      ['two autoscalers', addTwin(AUTOSCALER, rename)],
      ['an autoscaler of another', set(AUTOSCALER, `${TARGET}.name`, 'another')],
      ['a scaler of another', scaled('spec.scaleTargetRef.name', 'another'), 'backlog'],
    ],
    'autoscaler-can-act': [
      [
        'an amount that no pod has',
        set(AUTOSCALER, `${METRIC}.resource.target`, {
          type: 'AverageValue',
          average_value: '100',
        }),
      ],
      [
        'an amount that every pod has',
        set(AUTOSCALER, `${METRIC}.resource.target`, { type: 'AverageValue', average_value: '1m' }),
      ],
      [
        'a value for all pods',
        set(AUTOSCALER, `${METRIC}.resource.target`, { type: 'Value', value: '1' }),
      ],

      ['memory alone', metrics(resource('memory'))],
      [
        'memory of a container alone',
        metrics({
          type: 'ContainerResource',
          container_resource: {
            container: 'sns-listener',
            name: 'memory',
            target: { type: 'Utilization', average_utilization: 70 },
          },
        }),
      ],
      ['a resource that nobody measures', metrics(resource('ephemeral-storage'))],
      ['a figure of others that nobody serves', metrics(resource('cpu'), external('queue_depth'))],
      [
        'a figure of the pods that nobody serves',
        metrics({
          type: 'Pods',
          pods: { metric: { name: 'jobs' }, target: { type: 'AverageValue', average_value: '10' } },
        }),
      ],
      ['another target', set(AUTOSCALER, `${TARGET}.name`, 'another')],
      ['another kind', set(AUTOSCALER, `${TARGET}.kind`, 'StatefulSet')],
      ['another version', set(AUTOSCALER, `${TARGET}.api_version`, 'extensions/v1beta1')],
      ['no version', drop(AUTOSCALER, `${TARGET}.api_version`)],
      ['another namespace', set(AUTOSCALER, 'metadata.namespace', 'elsewhere')],
      ['a renamed target', set(DEPLOYMENT, 'metadata.name', 'renamed')],
      ['no room', set(AUTOSCALER, 'spec.max_replicas', 2)],
      ['a start above the maximum', set(DEPLOYMENT, 'spec.replicas', '40')],
      ['no metric', drop(AUTOSCALER, 'spec.metric')],
      ['no CPU request', drop(DEPLOYMENT, `${MAIN}.resources.requests.cpu`)],
      ['memory that is requested nowhere', memoryMetric],
      ['no aim', drop(AUTOSCALER, `${METRIC}.resource.target`)],
      ['an aim above all', set(AUTOSCALER, `${METRIC}.resource.target.average_utilization`, 100)],
      ['an aim at nothing', set(AUTOSCALER, `${METRIC}.resource.target.average_utilization`, 1)],
      ['a metric of no type', set(AUTOSCALER, `${METRIC}.type`, 'Cpu')],
      ['an aim of another type', set(AUTOSCALER, `${METRIC}.resource.target.type`, 'Value')],
      ['no metrics server', noMetricsServer],
      ['no scaling up', set(AUTOSCALER, 'spec.behavior.scale_up.0.select_policy', 'Disabled')],
      ['a short look back', scaleDown('stabilization_window_seconds', 0)],
      ['a policy of no pods', set(AUTOSCALER, 'spec.behavior.scale_up.0.policy.0.value', 0)],
      [
        'a policy of an hour',
        set(AUTOSCALER, 'spec.behavior.scale_down.0.policy.0.period_seconds', 3600),
      ],
    ],
    'scaled-object-can-act': [
      ['another target', scaled('spec.scaleTargetRef.name', 'another'), 'backlog'],
      ['another kind', scaled('spec.scaleTargetRef.kind', 'StatefulSet'), 'backlog'],
      ['no minimum', scaled('spec.minReplicaCount', undefined), 'backlog'],
      ['a minimum of none', scaled('spec.minReplicaCount', 0), 'backlog'],
      ['none while nothing waits', scaled('spec.idleReplicaCount', 0), 'backlog'],
      ['no room', scaled('spec.maxReplicaCount', 2), 'backlog'],
      ['no trigger', scaled('spec.triggers', []), 'backlog'],
      ['no pods when it fails', scaled('spec.fallback.replicas', 0), 'backlog'],
      ['more pods when it fails than at most', scaled('spec.fallback.replicas', 500), 'backlog'],
      ['a look a day', scaled('spec.pollingInterval', 86_400), 'backlog'],
      ['a pod for nothing', scaled('spec.triggers.0.metadata.targetQueryValue', '0'), 'backlog'],
      [
        'a pod for a billion',
        scaled('spec.triggers.0.metadata.targetQueryValue', '1000000000'),
        'backlog',
      ],
      [
        'a pause',
        scaled('metadata.annotations', { 'autoscaling.keda.sh/paused': 'true' }),
        'backlog',
      ],
      [
        'a pause at no pods',
        scaled('metadata.annotations', { 'autoscaling.keda.sh/paused-replicas': '0' }),
        'backlog',
      ],
      [
        'a way up that is disabled',
        scaled(
          'spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.selectPolicy',
          'Disabled',
        ),
        'backlog',
      ],
    ],
    'scaler-only-counts': [
      ['the role of the listener', asListener, 'backlog'],
      ['no role', database('userName', undefined), 'backlog'],
      ['a query that changes something', database('query', 'DELETE FROM runs'), 'backlog'],
      ['a query of no table', database('query', 'SELECT 0'), 'backlog'],
      ['a second query', database('query', 'SELECT 1; DELETE FROM runs'), 'backlog'],
      ['its password', database('password', 'hunter2'), 'backlog'],
      ['a whole address', database('connection', 'postgresql://a:b@c/d'), 'backlog'],
      ['nothing to sign in by', scaled('spec.triggers.0.authenticationRef', undefined), 'backlog'],
      ['another to sign in by', scaled('metadata.name', 'another', 0), 'backlog'],
      ['no password', scaled('spec.secretTargetRef.0.parameter', 'host', 0), 'backlog'],
      [
        'a Secret that is not there',
        scaled('spec.secretTargetRef.0.name', 'another', 0),
        'backlog',
      ],
    ],
    'scaler-knows-its-database': [
      ['no TLS', database('sslmode', 'disable'), 'backlog'],
      ['TLS where there is some', database('sslmode', 'prefer'), 'backlog'],
      ['any certificate', database('sslmode', 'require'), 'backlog'],
      ["the driver's default", database('sslmode', undefined), 'backlog'],
    ],
    'workload-has-one-budget': [
      ['no budget', remove(BUDGET)],
      ['a budget of others', set(BUDGET, 'spec.selector.match_labels', { other: 'pods' })],
      ['two budgets', addTwin(BUDGET, rename)],
      ['a budget of another namespace', set(BUDGET, 'metadata.namespace', 'elsewhere')],
    ],
    'budget-allows-a-drain': [
      ['none', set(BUDGET, 'spec.max_unavailable', '0')],
      ['none, in percent', set(BUDGET, 'spec.max_unavailable', '0%')],
      ['all', set(BUDGET, 'spec.max_unavailable', '2')],
      ['all, in percent', set(BUDGET, 'spec.max_unavailable', '100%')],
      ['all to be there', budget({ min_available: '2' })],
      ['all to be there, in percent', budget({ min_available: '100%' })],
      ['none to be there', budget({ min_available: '0' })],
      ['no number', drop(BUDGET, 'spec.max_unavailable')],
      ['both numbers', set(BUDGET, 'spec.min_available', '1')],
      [
        'one to be there, of one',
        all(budget({ min_available: '1' }), set(AUTOSCALER, 'spec.min_replicas', 1)),
      ],
    ],
    'pods-are-spread': [
      ['no spread', drop(DEPLOYMENT, SPREAD)],
      ['no spread over zones', drop(DEPLOYMENT, `${SPREAD}.0`)],
      ['no spread over nodes', drop(DEPLOYMENT, `${SPREAD}.1`)],
      [
        'a spread over regions',
        set(DEPLOYMENT, `${SPREAD}.0.topology_key`, 'topology.kubernetes.io/region'),
      ],
      ['a wide skew', set(DEPLOYMENT, `${SPREAD}.0.max_skew`, 5)],
      ['no skew', set(DEPLOYMENT, `${SPREAD}.1.max_skew`, 0)],
      ['old pods that count', drop(DEPLOYMENT, `${SPREAD}.0.match_label_keys`)],
    ],
  },
});
