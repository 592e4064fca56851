import { describe, expect, it } from 'vitest';
import { KUBERNETES_RULES } from '../../../../audit/rules/kubernetes/kubernetes-rules.ts';
import {
  AUTOSCALER,
  BUDGET,
  DEPLOYMENT,
  MAIN,
  POD,
  POLICY,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import {
  add,
  addObject,
  all,
  argumentOf,
  attributesOf,
  BASES,
  type Base,
  type Change,
  drop,
  findingsAfter,
  KUBERNETES_NAMINGS,
  remove,
  set,
  stacksOfBase,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';
import { environmentStacks } from '../../support/stacks.ts';

/** What is left to say of an environment, for a reason that its waiver gives. */
const ENVIRONMENTS = [
  ['etl-playground', ['load-balancer-ends-tls']],
  ['complete', ['policy-hides-instance-metadata']],
] as const;

/** Good changes, which no rule may mind. */
const GOOD: readonly (readonly [string, Change])[] = [
  ['a Job that checks one file', addJob],
  [
    'a quota with room',
    addObject('kubernetes_resource_quota_v1', 'room', {
      spec: { hard: { pods: '50', 'requests.cpu': '50', 'limits.memory': '100Gi' } },
    }),
  ],
  [
    'a policy that closes the namespace',
    addObject('kubernetes_network_policy_v1', 'closed', {
      spec: { pod_selector: {}, policy_types: ['Ingress', 'Egress'] },
    }),
  ],
  [
    'a budget by minAvailable',
    all(drop(BUDGET, 'spec.max_unavailable'), set(BUDGET, 'spec.min_available', '50%')),
  ],
  [
    'a fixed number of pods',
    all(remove(AUTOSCALER), drop(DEPLOYMENT, 'lifecycle'), set(DEPLOYMENT, 'spec.replicas', '3')),
  ],
  [
    'a preStop by sleep',
    set(DEPLOYMENT, `${MAIN}.lifecycle.pre_stop.0.exec.command`, ['sleep', '8']),
  ],
  [
    'pods kept apart by affinity in place of the spread over nodes',
    all(drop(DEPLOYMENT, `${POD}.topology_spread_constraint.1`), keepApart),
  ],
  [
    'nodes by architecture',
    set(DEPLOYMENT, `${POD}.node_selector`, { 'kubernetes.io/arch': 'amd64' }),
  ],
  ['a numbered target port', numberTheTargetPort],
];

describe('The rules on the Kubernetes half', () => {
  it('have an id each, with title, reason and control', () => {
    const ids = KUBERNETES_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, title, reason, control } of KUBERNETES_RULES) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/);
      expect(title).not.toBe('');
      expect(reason.length).toBeGreaterThan(40);
      expect(control).toMatch(/^[A-Z]{2}-\d+(\(\d+\))?$/);
    }
  });

  it.each(ENVIRONMENTS)('have nothing else to say of %s than what is waived', (name, waived) => {
    const said = findingsAfter(KUBERNETES_RULES, environmentStacks(name));
    expect(said.filter((line) => !waived.some((rule) => line.startsWith(`${rule} `)))).toEqual([]);
    expect(said).toHaveLength(waived.length);
  });

  describe.each(KUBERNETES_NAMINGS)('on a stack %s', (_, naming) => {
    it.each(Object.keys(BASES) as Base[])('are green on the base %s', (base) => {
      expect(findingsAfter(KUBERNETES_RULES, naming(stacksOfBase(base)))).toEqual([]);
    });

    it.each(GOOD)('do not mind %s', (_name, change) => {
      expect(findingsAfter(KUBERNETES_RULES, naming(stacksOfBase('http')), change)).toEqual([]);
    });
  });
});

/** A Job with a policy of its own, since no selector of the listener's may take its pods. */
function addJob(json: Json): void {
  const labels = argumentOf(json, DEPLOYMENT, `${TEMPLATE}.metadata.labels`) as Record<
    string,
    string
  >;
  const [selected = ''] = Object.keys(
    argumentOf(json, DEPLOYMENT, 'spec.selector.match_labels') as Json,
  );
  const own = { [selected]: 'one-file' };
  const pod = structuredClone(argumentOf(json, DEPLOYMENT, POD)) as Json;
  const [container] = pod.container as [Json];
  const { port, startup_probe, liveness_probe, readiness_probe, lifecycle, ...rest } = container;
  const { egress } = argumentOf(json, POLICY, 'spec') as Json;
  add(POLICY, 'one', {
    ...attributesOf(json, POLICY),
    metadata: { ...(argumentOf(json, POLICY, 'metadata') as Json), name: 'one-file' },
    spec: { egress, policy_types: ['Ingress', 'Egress'], pod_selector: { match_labels: own } },
  })(json);
  add('kubernetes_job_v1', 'one', {
    metadata: { ...(argumentOf(json, DEPLOYMENT, 'metadata') as Json), name: 'one-file' },
    depends_on: [...(attributesOf(json, DEPLOYMENT).depends_on as string[]), `${POLICY}.one`],
    spec: {
      backoff_limit: 2,
      active_deadline_seconds: 3600,
      ttl_seconds_after_finished: '86400',
      template: {
        metadata: { labels: { ...labels, ...own } },
        spec: {
          ...pod,
          restart_policy: 'Never',
          init_container: [],
          topology_spread_constraint: [],
          container: [{ ...rest, args: ['run', 's3_data_quality_job', '--event-json', '{}'] }],
        },
      },
    },
  })(json);
}

function keepApart(json: Json): void {
  set(DEPLOYMENT, `${POD}.affinity`, {
    pod_anti_affinity: {
      preferred_during_scheduling_ignored_during_execution: [
        {
          weight: 100,
          pod_affinity_term: {
            topology_key: 'kubernetes.io/hostname',
            label_selector: argumentOf(json, DEPLOYMENT, 'spec.selector'),
          },
        },
      ],
    },
  })(json);
}

function numberTheTargetPort(json: Json): void {
  const port = argumentOf(json, DEPLOYMENT, `${MAIN}.port.0.container_port`);
  set('kubernetes_service_v1', 'spec.port.0.target_port', port)(json);
}
