import { describe, expect, it } from 'vitest';
import { ALL_RULES } from '../../../../audit/rules/all-rules.ts';
import { findings } from '../../support/findings.ts';
import { type Planter, planterFor, type Statement } from '../../support/planter.ts';
import { auditedOf, NAMINGS, type Settings, stacksOf } from '../../support/stacks.ts';

const ASSOCIATION = 'aws_eks_pod_identity_association';
const TRUST = /pods\.eks\.amazonaws\.com/;

const settings = (both_identities: boolean): Settings => ({
  processing: { identity: 'pod_identity', both_identities, delivery: 'sqs' },
});

const equals = (statement: Statement) =>
  Object(statement.Condition).StringEquals as Record<string, unknown>;

const PLANTS: readonly (readonly [string, string, (planter: Planter) => void])[] = [
  ...[
    ['aws:SourceAccount', undefined],
    ['aws:RequestTag/eks-cluster-arn', undefined],
    ['aws:RequestTag/kubernetes-namespace', 'another'],
    ['aws:RequestTag/kubernetes-service-account', ['default', 'another']],
  ].map(
    ([key, value]) =>
      [
        'trust-names-its-service',
        `a trust policy whose ${String(key)} is ${JSON.stringify(value) ?? 'missing'}`,
        ({ statement }: Planter) =>
          statement(TRUST, (one) => {
            if (value === undefined) delete equals(one)[String(key)];
            else equals(one)[String(key)] = value;
          }),
      ] as const,
  ),
  [
    'trust-names-its-service',
    'a trust policy without sts:TagSession',
    ({ statement }) =>
      statement(TRUST, (one) => {
        one.Action = 'sts:AssumeRole';
      }),
  ],
  [
    'trust-names-its-service',
    'a second service',
    ({ statements }) =>
      statements(TRUST, (list) => [
        ...list,
        { ...list[0], Sid: 'More', Principal: { Service: 'ec2.amazonaws.com' } },
      ]),
  ],
  [
    'trust-names-its-service',
    'an association of another ServiceAccount',
    ({ set }) => set(ASSOCIATION, 'service_account', 'another'),
  ],
  ['service-account-has-its-role', 'no association', ({ remove }) => remove(ASSOCIATION)],
  [
    'no-argument-sets-rules-aside',
    'sessions without the tags that the trust policy asks for',
    ({ set }) => set(ASSOCIATION, 'disable_session_tags', true),
  ],
  [
    'cluster-has-add-ons',
    'no agent on the nodes',
    ({ remove }) => remove('aws_eks_addon', /eks-pod-identity-agent/),
  ],
  [
    'network-policy-allows-calls',
    'a network policy that keeps pods from the agent',
    ({ change }) =>
      change('kubernetes_network_policy_v1', 'spec.egress', (rules) =>
        (rules as unknown[]).filter((rule) => !JSON.stringify(rule).includes('169.254.170.23')),
      ),
  ],
];

describe.each(NAMINGS)('roles by EKS Pod Identity, %s', (_, rename) => {
  it.each(PLANTS)('%s notices %s', (id, _name, plant) => {
    const stacks = rename(stacksOf(settings(false)));
    const rules = ALL_RULES.filter((rule) => rule.id === id);
    const before = findings(rules, auditedOf(structuredClone(stacks)));
    plant(planterFor(stacks));
    const after = findings(rules, auditedOf(stacks));
    expect(after.filter((finding) => !before.includes(finding))).not.toEqual([]);
  });

  it('a trust policy for both ways is still held to one ServiceAccount', () => {
    const stacks = rename(stacksOf(settings(true)));
    planterFor(stacks).statement(TRUST, (one) => {
      equals(one)['aws:RequestTag/kubernetes-service-account'] = 'another';
    });
    const rules = ALL_RULES.filter(({ id }) => id === 'trust-names-its-service');
    expect(findings(rules, auditedOf(stacks))).not.toEqual([]);
  });
});
