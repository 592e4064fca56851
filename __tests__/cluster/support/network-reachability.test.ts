import { describe, expect, test } from 'vitest';
import {
  admits,
  type Connection,
  type NetworkPolicy,
  type OwnPod,
} from './network-reachability.ts';

const pod: OwnPod = {
  namespace: 'ours',
  labels: { app: 'listener' },
  ports: [{ name: 'http', containerPort: 8080 }],
};
const outside = { address: '203.0.113.7' };
const neighbour = { namespace: 'ours', namespaceLabels: { team: 'etl' }, labels: { app: 'other' } };
const stranger = { ...neighbour, namespace: 'theirs', namespaceLabels: { team: 'web' } };
const incoming: Connection = {
  direction: 'Ingress',
  peer: outside,
  port: 8080,
  protocol: 'TCP',
};

function policy(spec: NetworkPolicy['spec']): NetworkPolicy {
  const metadata = { name: 'policy', namespace: 'ours' };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
}

const cases: Readonly<
  Record<string, readonly [NetworkPolicy['spec'], Partial<Connection>, boolean]>
> = {
  'a policy without rules lets nothing in': [{}, {}, false],
  'a policy that selects other pods has no say': [
    { podSelector: { matchLabels: { app: 'other' } } },
    {},
    true,
  ],
  'a policy of the other direction has no say': [{ policyTypes: ['Egress'] }, {}, true],
  'a policy with egress rules is one of both directions': [
    { egress: [{}] },
    { direction: 'Ingress' },
    false,
  ],
  'an empty rule lets everything through': [{ ingress: [{}] }, {}, true],
  'an address in the block': [
    { ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }] },
    {},
    true,
  ],
  'an address beside the block': [
    { ingress: [{ from: [{ ipBlock: { cidr: '203.0.112.0/24' } }] }] },
    {},
    false,
  ],
  'an address that the block excepts': [
    { ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.7/32'] } }] }] },
    {},
    false,
  ],
  'a pod is not an address': [
    { ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] },
    { peer: neighbour },
    false,
  ],
  'an address is not a pod': [{ ingress: [{ from: [{ podSelector: {} }] }] }, {}, false],
  'a pod selector alone means the same namespace': [
    { ingress: [{ from: [{ podSelector: {} }] }] },
    { peer: stranger },
    false,
  ],
  'a pod of a namespace that is selected': [
    { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'web' } } }] }] },
    { peer: stranger },
    true,
  ],
  'both selectors must match': [
    {
      ingress: [
        { from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'third' } } }] },
      ],
    },
    { peer: stranger },
    false,
  ],
  'an expression that names the value': [
    {
      podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['listener'] }] },
    },
    {},
    false,
  ],
  'an expression that excludes the label': [
    { podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } },
    {},
    true,
  ],
  'another port': [{ ingress: [{ ports: [{ port: 9090 }] }] }, {}, false],
  'a port by its name': [{ ingress: [{ ports: [{ port: 'http' }] }] }, {}, true],
  'a port within a range': [{ ingress: [{ ports: [{ port: 8000, endPort: 8100 }] }] }, {}, true],
  'another protocol': [{ ingress: [{ ports: [{ port: 8080, protocol: 'UDP' }] }] }, {}, false],
};

describe('one policy', () => {
  for (const [name, [spec, change, expected]] of Object.entries(cases)) {
    test(name, () => {
      expect(admits([policy(spec)], pod, { ...incoming, ...change })).toBe(expected);
    });
  }
});

test('a pod that no policy selects is open', () => {
  expect(admits([], pod, incoming)).toBe(true);
});

test('what one of two policies lets in comes in', () => {
  expect(admits([policy({}), policy({ ingress: [{}] })], pod, incoming)).toBe(true);
});

test('a policy of another namespace has no say', () => {
  const elsewhere = { ...policy({}), metadata: { name: 'policy', namespace: 'theirs' } };
  expect(admits([elsewhere], pod, incoming)).toBe(true);
});
