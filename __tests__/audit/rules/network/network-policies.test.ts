import { describe, expect, it } from 'vitest';
import {
  contains,
  isEverywhere,
  isPrivate,
  NETWORK_POLICY_RULES,
} from '../../../../audit/rules/network/network-policies.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { CONFIG_MAP, CRON_JOB, INGRESS, POLICY, SERVICE } from '../../support/kubernetes-paths.ts';
import {
  add,
  alter,
  argumentOf,
  type Change,
  drop,
  findingsAfter,
  remove,
  set,
  stacksOfBase,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

describe('contains', () => {
  it.each([
    ['0.0.0.0/0', '203.0.113.7/32', true],
    ['10.0.0.0/8', '10.20.0.0/16', true],
    ['10.20.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/24', '10.0.1.0/24', false],
    ['10.0.0.7', '10.0.0.7/32', true],
    ['::/0', '10.0.0.0/8', false],
    ['', '10.0.0.0/8', false],
  ])('%s and %s: %s', (outer, inner, expected) => {
    expect(contains(outer, inner)).toBe(expected);
  });
});

describe('isPrivate', () => {
  it('knows the networks that no packet of the internet comes from', () => {
    expect(isPrivate('172.20.0.0/16')).toBe(true);
    expect(isPrivate('172.0.0.0/8')).toBe(false);
    expect(isPrivate('0.0.0.0/0')).toBe(false);
  });
});

describe('isEverywhere', () => {
  it('takes half of everything for everything', () => {
    expect(isEverywhere('0.0.0.0/0')).toBe(true);
    expect(isEverywhere('128.0.0.0/1')).toBe(true);
    expect(isEverywhere('::/0')).toBe(true);
    expect(isEverywhere('10.0.0.0/8')).toBe(false);
  });
});

const ANYWHERE = [{ ip_block: { cidr: '0.0.0.0/0' } }];
const policy = (path: string, value: unknown): Change => set(POLICY, `spec.${path}`, value);
const without = (path: string): Change => drop(POLICY, `spec.${path}`);
const rule = (direction: 'ingress' | 'egress', added: Json): Change =>
  alter(POLICY, `spec.${direction}`, (rules: readonly Json[]) => [...rules, added]);

function metadata(cidr: string): Json {
  return { to: [{ ip_block: { cidr } }], ports: [{ port: '80', protocol: 'TCP' }] };
}

function messagesBesideTheQueue(json: Json): void {
  const port = argumentOf(json, CONFIG_MAP, 'data.PORT');
  rule('ingress', { from: ANYWHERE, ports: [{ port, protocol: 'TCP' }] })(json);
}

const STRAY = { cidr: '0.0.0.0/1', except: ['192.0.2.0/24'] };

function reconciliationWithoutAws(json: Json): void {
  const policies = (json.resource as Record<string, Record<string, Json>>)[POLICY] ?? {};
  for (const { spec } of Object.values(policies)) {
    const { ingress, egress } = spec as { ingress?: unknown; egress: { to: unknown }[] };
    // Nobody calls it.
    if (ingress === undefined && egress[1]) {
      egress[1].to = [{ ip_block: { cidr: '0.0.0.0/0', except: ['52.0.0.0/8'] } }];
    }
  }
}

/** The policy of the pods that nobody calls has a rule more. */
const reconciliationThatCalls =
  (port: string): Change =>
  (json) => {
    const policies = (json.resource as Record<string, Record<string, Json>>)[POLICY] ?? {};
    for (const { spec } of Object.values(policies)) {
      const { ingress, egress } = spec as { ingress?: unknown; egress: Json[] };
      if (ingress === undefined) egress.push({ to: ANYWHERE, ports: [{ port, protocol: 'TCP' }] });
    }
  };

function reconciliationOfOtherPods(json: Json): void {
  set(CRON_JOB, 'spec.job_template.spec.template.metadata.labels', { other: 'pods' })(json);
}

/** A proxy of the listener, and a rule for one. */
const proxyWith =
  (block: Json, port = '3128', own = '3128'): Change =>
  (json) => {
    set(CONFIG_MAP, 'data.HTTPS_PROXY', `http://proxy.example.gov:${own}`)(json);
    const to = [{ ip_block: { cidr: '0.0.0.0/0', ...block } }];
    rule('egress', { to, ports: [{ port, protocol: 'TCP' }] })(json);
  };

/** Peers with an exception in the place of everybody. */
const except = (path: string, ...holes: readonly string[]): Change =>
  policy(`${path}.ip_block`, { cidr: '0.0.0.0/0', except: holes });

/** What still lets through all that is needed. */
const HARMLESS: readonly (readonly [string, Change])[] = [
  ['calls to all but the instance metadata', except('egress.1.to.0', '169.254.169.254/32')],
  [
    'calls to all but a private network that is not the one of the stack',
    except('egress.2.to.0', '172.16.0.0/12'),
  ],
  ['a database in the network of the stack', policy('egress.2.to.0.ip_block.cidr', '10.0.0.0/16')],
  ['messages from all but addresses of nobody', except('ingress.0.from.0', '203.0.113.0/24')],
  ['a proxy at one address', proxyWith({ cidr: '198.51.100.7/32' })],
  ['a proxy on the port of http', proxyWith({ cidr: '198.51.100.7/32' }, '80', '80')],
  ['messages from within the network', policy('ingress.0.from.0.ip_block.cidr', '10.0.0.0/16')],
  [
    'calls to both halves of all addresses',
    policy('egress.1.to', [
      { ip_block: { cidr: '0.0.0.0/1' } },
      { ip_block: { cidr: '128.0.0.0/1' } },
    ]),
  ],
  [
    'calls by two rules, each of a half',
    (json) => {
      policy('egress.1.to.0.ip_block.cidr', '0.0.0.0/1')(json);
      const to = [{ ip_block: { cidr: '128.0.0.0/1' } }];
      rule('egress', { to, ports: [{ port: '443', protocol: 'TCP' }] })(json);
    },
  ],
];

describe('network policies', () => {
  it.each(HARMLESS)('may have %s', (_, change) => {
    expect(findingsAfter(NETWORK_POLICY_RULES, stacksOfBase('http'), change)).toEqual([]);
  });
});

/** Where the listener is told of its notices. */
const NOTICED = 'kubernetes_config_map_v1';

/** Changes the policy of the console, which knows its port. */
function ofConsole(path: string, value: unknown): Change {
  return (json) => {
    const policies = (json.resource as Record<string, Record<string, Json>>)[POLICY] ?? {};
    const found = Object.values(policies).filter((one) => JSON.stringify(one).includes('"8070"'));
    expect(found).toHaveLength(1);
    set(POLICY, path, value)({ resource: { [POLICY]: { console: found[0] } } });
  };
}

const callers = (from: readonly Json[]): Change => ofConsole('spec.ingress.0.from', from);

function ingressToConsole(json: Json): void {
  const { name, namespace } = argumentOf(json, SERVICE, 'metadata') as Json;
  const service = { name, port: { name: 'http' } };
  const path = { path: '/', path_type: 'Prefix', backend: { service } };
  add(INGRESS, 'console', {
    metadata: { name: 'console', namespace },
    spec: { ingress_class_name: 'nginx', rule: [{ http: { path: [path] } }] },
  })(json);
}

describeRules(NETWORK_POLICY_RULES, {
  objects: {
    'pod-has-network-policies': [
      ['no policy', remove(POLICY)],
      ['a policy of others', policy('pod_selector', { match_labels: { other: 'pods' } })],
      ['ingress alone', policy('policy_types', ['Ingress'])],
      ['egress alone', policy('policy_types', ['Egress'])],
      ['no types', without('policy_types')],
      ['another namespace', set(POLICY, 'metadata.namespace', 'elsewhere')],
      ['a reconciliation that no policy selects', reconciliationOfOtherPods, 'reconciliation'],
    ],
    'network-policy-allows-messages': [
      ['no rule for messages', without('ingress.0')],
      ['no rule for metrics', without('ingress.1')],
      ['no rules', without('ingress')],
      ['another port for messages', policy('ingress.0.ports.0.port', '8081')],
      ['another port for metrics', policy('ingress.1.ports.0.port', '9091')],
      ['another port of the listener', set(CONFIG_MAP, 'data.METRICS_PORT', '9091')],
      ['another protocol', policy('ingress.0.ports.0.protocol', 'UDP')],
      ['pods alone', policy('ingress.0.from', [{ pod_selector: {} }])],
      ['a few addresses', policy('ingress.0.from.0.ip_block.cidr', '203.0.113.0/24')],
      ['all but a part of the internet', except('ingress.0.from.0', '54.0.0.0/8')],
      ['all but the network of the load balancer', except('ingress.0.from.0', '10.0.0.0/16')],
      ['all but one of its subnets', except('ingress.0.from.0', '10.0.0.0/24')],
      ['all but everybody', except('ingress.0.from.0', '0.0.0.0/1', '128.0.0.0/1')],
      ['no pod that scrapes', policy('ingress.1.from', [{ ip_block: { cidr: '10.0.0.0/8' } }])],
    ],
    'console-stays-in-the-cluster': [
      ['a load balancer', set(SERVICE, 'spec.type', 'LoadBalancer'), 'console'],
      ['a port on every node', set(SERVICE, 'spec.type', 'NodePort'), 'console'],
      ['an address outside', set(SERVICE, 'spec.external_ips', ['203.0.113.7']), 'console'],
      ['no policy', ofConsole('metadata.namespace', 'elsewhere'), 'console'],
      ['callers from anywhere', callers(ANYWHERE), 'console'],
      ['callers that nobody names', callers([]), 'console'],
      ['every port for all', ofConsole('spec.ingress', [{}]), 'console'],
      ['callers of every namespace', callers([{ namespace_selector: {} }]), 'console'],
      ['an Ingress', ingressToConsole, 'console'],
    ],
    'network-policy-limits-ingress': [
      ['all ports', without('ingress.1.ports')],
      ['metrics for everybody', policy('ingress.1.from', ANYWHERE)],
      [
        'metrics for all but private networks',
        policy('ingress.1.from', [{ ip_block: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }]),
      ],
      [
        'metrics for four quarters of all addresses',
        policy(
          'ingress.1.from',
          ['0.0.0.0/2', '64.0.0.0/2', '128.0.0.0/2', '192.0.0.0/2'].map((cidr) => ({
            ip_block: { cidr },
          })),
        ),
      ],
      ['an exception beside its block', policy('ingress.0.from.0.ip_block', STRAY)],
      ['metrics for whoever comes', without('ingress.1.from')],
      [
        'a port that nobody has',
        rule('ingress', { from: ANYWHERE, ports: [{ port: '22', protocol: 'TCP' }] }),
      ],
      ['a range of ports', policy('ingress.0.ports.0.end_port', 9999)],
      ['a port without a number', without('ingress.0.ports.0.port')],
      ['messages that a queue brings', messagesBesideTheQueue, 'queue'],
    ],
    'network-policy-allows-calls': [
      [
        'half of all addresses',
        alter(POLICY, 'spec.egress', (rules: readonly Json[]) =>
          JSON.parse(JSON.stringify(rules).replaceAll('"0.0.0.0/0"', '"128.0.0.0/1"')),
        ),
      ],
      ['all but a part of AWS', except('egress.1.to.0', '52.0.0.0/10')],
      ['all of AWS but one address', except('egress.1.to.0', '52.94.0.1/32')],
      ['addresses of IPv6 alone', policy('egress.1.to.0.ip_block.cidr', '::/0')],
      ['a database everywhere but in the network', except('egress.2.to.0', '10.0.0.0/8')],
      [
        'a database everywhere but in private networks, and another one',
        policy('egress.2.to.0.ip_block', { cidr: '10.0.0.0/8', except: ['10.0.0.0/16'] }),
      ],
      ['AWS without the reconciliation', reconciliationWithoutAws, 'reconciliation'],
      ['a proxy everywhere but in the network', proxyWith({ except: ['10.0.0.0/8'] })],
      ['a proxy that no rule is for', proxyWith({ cidr: '::/0' }, '3129')],
      [
        'a database everywhere but in a part of the internet',
        except('egress.2.to.0', '52.0.0.0/8'),
      ],
      ['no DNS', without('egress.0')],
      ['no AWS', without('egress.1')],
      ['no database', without('egress.2')],
      ['no proxy', set(CONFIG_MAP, 'data.HTTPS_PROXY', 'http://proxy.example.gov:3128')],
      ['no calls', without('egress')],
      ['DNS over TCP alone', without('egress.0.ports.0')],
      ['DNS of the own namespace', without('egress.0.to.0.namespace_selector')],
      ['DNS of other pods', policy('egress.0.to.0.pod_selector.match_labels', { app: 'dns' })],
      ['another port of AWS', policy('egress.1.ports.0.port', '80')],
      ['AWS within the network', policy('egress.1.to.0.ip_block.cidr', '10.0.0.0/8')],
      ['another port of the database', policy('egress.2.ports.0.port', '3306')],
      ['a database on another port', set(CONFIG_MAP, 'data.DB_PORT', '5439')],
      ['a database elsewhere', policy('egress.2.to.0.ip_block.cidr', '203.0.113.7/32')],
      ['no database of the queue', without('egress.2'), 'queue'],
    ],
    'network-policy-limits-egress': [
      ['a CronJob that calls any port', reconciliationThatCalls('22'), 'reconciliation'],
      ['a CronJob that asks other DNS servers', reconciliationThatCalls('53'), 'reconciliation'],
      [
        'https by another protocol',
        rule('egress', { to: ANYWHERE, ports: [{ port: '443', protocol: 'UDP' }] }),
      ],

      [
        'a proxy that nobody goes through',
        rule('egress', { to: ANYWHERE, ports: [{ port: '3128', protocol: 'TCP' }] }),
      ],
      ['whoever', without('egress.1.to')],
      ['whichever port', without('egress.1.ports')],
      ['another port', rule('egress', { to: ANYWHERE, ports: [{ port: '22', protocol: 'TCP' }] })],
      ['a range of ports', policy('egress.1.ports.0.end_port', 65_535)],
      ['an exception beside its block', policy('egress.1.to.0.ip_block', STRAY)],
      ['DNS of anybody', policy('egress.0.to', ANYWHERE)],
      ['DNS of every namespace', policy('egress.0.to.0.namespace_selector', {})],
      ['DNS of every pod', without('egress.0.to.0.pod_selector')],
    ],
    'network-policy-blocks-instance-metadata': [
      ['the address itself', rule('egress', metadata('169.254.169.254/32'))],
      ['all addresses', rule('egress', metadata('0.0.0.0/0'))],
      ['a range of it', rule('egress', metadata('169.254.0.0/16'))],
      ['every port', without('egress.1.ports')],
    ],
  },
  queue: {
    'network-policy-allows-calls': [
      [
        'a collector on another port',
        (planter) =>
          planter.set(NOTICED, 'data.OTEL_EXPORTER_OTLP_ENDPOINT', 'http://c.o.svc:4319', /S3_/),
      ],
      [
        'a webhook on another port',
        (planter) =>
          planter.set(NOTICED, 'data.NOTICE_WEBHOOK_URLS', 'https://a.example.gov:9443/x', /S3_/),
      ],
      ['an SMTP server', (planter) => planter.set(NOTICED, 'data.NOTICE_EMAIL', 'smtp', /S3_/)],
    ],
    'network-policy-limits-egress': [
      [
        'the port of a collector that nobody sends traces to',
        (planter) => planter.drop(NOTICED, 'data.OTEL_EXPORTER_OTLP_ENDPOINT', /S3_/),
      ],
      [
        'the port of a webhook that nobody posts to',
        (planter) => planter.drop(NOTICED, 'data.NOTICE_WEBHOOK_URLS', /S3_/),
      ],
    ],
  },
});
