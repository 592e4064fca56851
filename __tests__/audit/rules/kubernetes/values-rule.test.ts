import { describe } from 'vitest';
import { valuesAreAllowed } from '../../../../audit/rules/kubernetes/values-rule.ts';
import {
  AUTOSCALER,
  DEPLOYMENT,
  MAIN,
  POD,
  POLICY,
  SERVICE,
} from '../../support/kubernetes-paths.ts';
import { describePlants, set } from '../../support/kubernetes-plants.ts';

describe('The rule on words that the API knows', () => {
  describePlants([valuesAreAllowed], {
    'values-are-allowed': [
      ['a policy of pulling', set(DEPLOYMENT, `${MAIN}.image_pull_policy`, 'always')],
      [
        'a way to spread',
        set(DEPLOYMENT, `${POD}.topology_spread_constraint.0.when_unsatisfiable`, 'Ignore'),
      ],
      ['a port above all', set(SERVICE, 'spec.port.0.port', 70_000)],
      ['a port of none', set(SERVICE, 'spec.port.0.port', 0)],
      ['a type of Service', set(SERVICE, 'spec.type', 'Loadbalancer')],
      ['a direction', set(POLICY, 'spec.policy_types', ['ingress', 'egress'])],
      ['a policy of scaling', set(AUTOSCALER, 'spec.behavior.scale_up.0.select_policy', 'Fast')],
      ['a type of metric', set(AUTOSCALER, 'spec.metric.0.type', 'Cpu')],
    ],
  });
});
