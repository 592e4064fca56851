import { describe } from 'vitest';
import { SELECTOR_RULES } from '../../../../audit/rules/kubernetes/selector-rules.ts';
import { BUDGET, DEPLOYMENT, POD, POLICY, SERVICE } from '../../support/kubernetes-paths.ts';
import {
  addTwin,
  alter,
  argumentOf,
  describePlants,
  drop,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const OTHER = { 'example.org/other': 'pods' };
const SPREAD = `${POD}.topology_spread_constraint`;

describe('The rules on selectors', () => {
  describePlants(SELECTOR_RULES, {
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
  });
});

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
