import { OBJECT_REFERENCE_RULES } from '../../../../audit/rules/workload/references.ts';
import { describeRules, type Plant } from '../../support/describe-rules.ts';
import {
  BUDGET,
  CONFIG_MAP,
  DEPLOYMENT,
  INGRESS,
  INIT,
  MAIN,
  POD,
  POLICY,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
} from '../../support/kubernetes-paths.ts';
import {
  addObject,
  addTwin,
  all,
  alter,
  argumentOf,
  type Change,
  drop,
  remove,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const WORKLOAD = 'kubernetes_deployment_v1';

/** Changes a field of the PodMonitor, which is not a resource. */
function changeMonitor(json: Json, field: string, value: unknown): void {
  const [monitor] = (json.locals as { custom_objects: { spec: Json }[] }).custom_objects;
  if (monitor === undefined) throw new Error('there is no PodMonitor');
  monitor.spec[field] = value;
}

const BACKEND = 'spec.rule.0.http.path.0.backend.service';

function environment(value_from: unknown): Change {
  return set(DEPLOYMENT, `${MAIN}.env`, [{ name: 'MAX_FAULTS', value_from }]);
}

function atOnePath(mounts: readonly object[]): unknown {
  return mounts.map((mount) => ({ ...mount, mount_path: '/tmp' }));
}

function twice(volumes: readonly object[]): unknown {
  return [...volumes, volumes[0]];
}

const OTHER = { 'example.org/other': 'pods' };
const SPREAD = `${POD}.topology_spread_constraint`;

function rename(block: Json): void {
  (block.metadata as Json).name = 'another';
}

function more(selector: Json): Json {
  return { ...selector, ...OTHER };
}

function keepTogether(json: Json): void {
  const label_selector = argumentOf(json, DEPLOYMENT, 'spec.selector');
  set(DEPLOYMENT, `${POD}.affinity.pod_affinity`, {
    required_during_scheduling_ignored_during_execution: [
      { topology_key: 'kubernetes.io/hostname', label_selector },
    ],
  })(json);
}

describeRules(OBJECT_REFERENCE_RULES, {
  queue: {
    'monitor-finds-pods': [
      ['other pods', ({ stackWith }) => changeMonitor(stackWith(WORKLOAD), 'selector', {})],
      [
        'a port that is not there',
        ({ stackWith }) =>
          changeMonitor(stackWith(WORKLOAD), 'podMetricsEndpoints', [{ port: 'metric' }]),
      ],
      [
        'pods of another namespace',
        ({ stackWith }) =>
          changeMonitor(stackWith(WORKLOAD), 'namespaceSelector', { matchNames: ['kube-system'] }),
      ],
      [
        'pods of any namespace',
        ({ stackWith }) => changeMonitor(stackWith(WORKLOAD), 'namespaceSelector', { any: true }),
      ],
      ...[
        ['another path', { path: '/healthz' }] as const,
        ['a scrape an hour', { interval: '1h' }] as const,
        ['no metric kept', { metricRelabelings: [{ action: 'drop', regex: '.*' }] }] as const,
        [
          'metrics of others alone',
          { metricRelabelings: [{ action: 'keep', regex: 'node_.*' }] },
        ] as const,
      ].map(
        ([name, more]): Plant => [
          name,
          ({ stackWith }) =>
            changeMonitor(stackWith(WORKLOAD), 'podMetricsEndpoints', [
              { port: 'metrics', ...more },
            ]),
        ],
      ),
    ],
  },
  objects: {
    'pod-data-exists': [
      [
        'a volume claim that nobody makes',
        set(DEPLOYMENT, `${POD}.volume.0`, {
          name: 'tmp',
          persistent_volume_claim: { claim_name: 'nothing' },
        }),
      ],

      ['another ConfigMap', set(DEPLOYMENT, `${MAIN}.env_from.0.config_map_ref.name`, 'nothing')],
      ['another ConfigMap before', set(DEPLOYMENT, `${INIT}.env_from.0.config_map_ref.name`, 'no')],
      ['no ConfigMap', remove(CONFIG_MAP)],
      ['a renamed ConfigMap', set(CONFIG_MAP, 'metadata.name', 'renamed')],
      ['another Secret', set(DEPLOYMENT, `${POD}.volume.1.secret.secret_name`, 'nothing')],
      ['a renamed Secret', set(SECRET, 'metadata.name', 'renamed')],
      ['a Secret of another namespace', set(SECRET, 'metadata.namespace', 'elsewhere')],
      [
        'an item of a key that is not there',
        set(DEPLOYMENT, `${POD}.volume.1.secret.items`, [{ key: 'NOTHING', path: 'password' }]),
      ],
      [
        'a variable from a key that is not there',
        environment({ config_map_key_ref: { name: 'nothing', key: 'NOTHING' } }),
      ],
      [
        'an optional ConfigMap',
        set(DEPLOYMENT, `${MAIN}.env_from.0.config_map_ref.optional`, true),
      ],
      ['an optional Secret', set(DEPLOYMENT, `${POD}.volume.1.secret.optional`, true)],
    ],
    'config-and-secrets-are-used': [
      [
        'a ConfigMap that no container takes',
        all(drop(DEPLOYMENT, `${MAIN}.env_from`), drop(DEPLOYMENT, `${INIT}.env_from`)),
      ],
      ['a Secret that no volume takes', drop(DEPLOYMENT, `${POD}.volume.1`)],
      ['another ServiceAccount', set(DEPLOYMENT, `${POD}.service_account_name`, 'nobody')],
      ['a second ConfigMap', addObject(CONFIG_MAP, 'left-over', { data: { A: 'b' } })],
    ],
    'service-account-exists': [
      ['no ServiceAccount', drop(DEPLOYMENT, `${POD}.service_account_name`)],
      ['the default one', set(DEPLOYMENT, `${POD}.service_account_name`, 'default')],
      ['one that is not there', set(DEPLOYMENT, `${POD}.service_account_name`, 'nobody')],
      ['a removed one', remove(SERVICE_ACCOUNT)],
      ['one of another namespace', set(SERVICE_ACCOUNT, 'metadata.namespace', 'elsewhere')],
    ],
    'service-port-reaches-container': [
      ['a name that no port has', set(SERVICE, 'spec.port.0.target_port', 'nothing')],
      ['a number that no port has', set(SERVICE, 'spec.port.0.target_port', '8081')],
      ['no target', drop(SERVICE, 'spec.port.0.target_port')],
      ['another name of the port', set(DEPLOYMENT, `${MAIN}.port.0.name`, 'other')],
      ['another protocol', set(SERVICE, 'spec.port.0.protocol', 'UDP')],
      ['no port', drop(SERVICE, 'spec.port')],
    ],
    'ingress-reaches-service': [
      ['another Service', set(INGRESS, `${BACKEND}.name`, 'nothing'), 'alb'],
      ['another name of the port', set(INGRESS, `${BACKEND}.port.name`, 'nothing'), 'alb'],
      ['another number of the port', set(INGRESS, `${BACKEND}.port`, { number: 8081 }), 'nginx'],
      ['a renamed Service', set(SERVICE, 'metadata.name', 'renamed'), 'nginx'],
      ['no Service', remove(SERVICE), 'alb'],
      ['no backend', drop(INGRESS, 'spec.rule'), 'alb'],
    ],
    'volumes-are-mounted': [
      ['a mount of nothing', set(DEPLOYMENT, `${MAIN}.volume_mount.0.name`, 'nothing')],
      ['a volume that is gone', drop(DEPLOYMENT, `${POD}.volume.0`)],
      [
        'a volume that nobody mounts',
        all(drop(DEPLOYMENT, `${MAIN}.volume_mount.1`), drop(DEPLOYMENT, `${INIT}.volume_mount.1`)),
      ],
      ['two mounts at one path', alter(DEPLOYMENT, `${MAIN}.volume_mount`, atOnePath)],
      ['two volumes of one name', alter(DEPLOYMENT, `${POD}.volume`, twice)],
    ],
    'workload-selects-its-pods': [
      ['a selector of another label', set(DEPLOYMENT, 'spec.selector.match_labels', OTHER)],
      ['a selector of no label', set(DEPLOYMENT, 'spec.selector.match_labels', {})],
      ['pods without the label', set(DEPLOYMENT, 'spec.template.metadata.labels', OTHER)],
      ['a second workload with the same pods', addTwin(DEPLOYMENT, rename)],
    ],
    'service-selects-pods': [
      ['a selector that no pod has', set(SERVICE, 'spec.selector', OTHER)],
      ['one more label that no pod has', alter(SERVICE, 'spec.selector', more)],
      ['no selector', drop(SERVICE, 'spec.selector')],
      ['another namespace', set(SERVICE, 'metadata.namespace', 'elsewhere')],
      ['a second workload with the label', addTwin(DEPLOYMENT, rename)],
      ['an ingress to pods of nobody', set(SERVICE, 'spec.selector', OTHER), 'alb'],
    ],
    'budget-selects-pods': [
      ['a selector that no pod has', set(BUDGET, 'spec.selector.match_labels', OTHER)],
      ['a selector of all pods', set(BUDGET, 'spec.selector', {})],
      ['another namespace', set(BUDGET, 'metadata.namespace', 'elsewhere')],
      [
        'an expression that no pod meets',
        set(BUDGET, 'spec.selector', {
          match_expressions: [{ key: 'example.org/other', operator: 'Exists' }],
        }),
      ],
    ],
    'network-policy-selects-pods': [
      [
        'rules for every pod but one',
        set(POLICY, 'spec.pod_selector', {
          match_expressions: [{ key: 'app', operator: 'NotIn', values: ['nobody'] }],
        }),
      ],

      ['a selector that no pod has', set(POLICY, 'spec.pod_selector.match_labels', OTHER)],
      ['rules for every pod of the namespace', set(POLICY, 'spec.pod_selector', {})],
    ],
    'placement-counts-own-pods': [
      [
        'a node for each pod, and too few nodes',
        (json) =>
          set(DEPLOYMENT, `${POD}.affinity.pod_anti_affinity`, {
            required_during_scheduling_ignored_during_execution: [
              {
                topology_key: 'kubernetes.io/hostname',
                label_selector: {
                  match_labels: argumentOf(json, DEPLOYMENT, 'spec.selector.match_labels'),
                },
              },
            ],
          })(json),
      ],

      ['a spread over others', set(DEPLOYMENT, `${SPREAD}.0.label_selector.0.match_labels`, OTHER)],
      ['a spread over nobody', drop(DEPLOYMENT, `${SPREAD}.1.label_selector`)],
      [
        'an anti-affinity to others',
        set(DEPLOYMENT, `${POD}.affinity.pod_anti_affinity`, {
          required_during_scheduling_ignored_during_execution: [
            { topology_key: 'kubernetes.io/hostname', label_selector: { match_labels: OTHER } },
          ],
        }),
      ],
      ['an affinity that keeps all together', keepTogether],
    ],
  },
});
