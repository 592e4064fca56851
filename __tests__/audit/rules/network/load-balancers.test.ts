import { LOAD_BALANCER_RULES, NLB } from '../../../../audit/rules/network/load-balancers.ts';
import { describeRules, type Plant as RulePlant } from '../../support/describe-rules.ts';
import {
  alb,
  annotation,
  DEPLOYMENT,
  INGRESS,
  MAIN,
  nlb,
  SERVICE,
} from '../../support/kubernetes-paths.ts';
import {
  addTwin,
  alter,
  argumentOf,
  type Change,
  drop,
  type Plant,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const given = (key: string, value: string): Plant => [
  `${key}: ${value}`,
  set(SERVICE, nlb(key), value),
];
const missing = (key: string): Plant => [`no ${key}`, drop(SERVICE, nlb(key))];
const albGiven = (key: string, value: string): Plant => [
  `${key}: ${value}`,
  set(INGRESS, alb(key), value),
  'alb',
];
const albMissing = (key: string): Plant => [`no ${key}`, drop(INGRESS, alb(key)), 'alb'];

function rename(block: Json): void {
  (block.metadata as Json).name = 'another';
}

function metrics(json: Json): void {
  const target_port = argumentOf(json, DEPLOYMENT, `${MAIN}.port.1.name`);
  const more: Change = alter(SERVICE, 'spec.port', (ports: readonly Json[]) => [
    ...ports,
    { name: 'more', port: 9090, target_port, protocol: 'TCP' },
  ]);
  more(json);
}

function withPlainPort(ports: readonly Json[]): unknown {
  return [...ports, { ...ports[0], name: 'plain', port: 80 }];
}

const ACCESS_LOG = `${NLB}-access-log`;
const annotated =
  (edit: (annotations: Json) => void): RulePlant[1] =>
  ({ stackWith }) => {
    const services = (stackWith('aws_eks_cluster').resource as Record<string, Record<string, Json>>)
      .kubernetes_service_v1;
    for (const { metadata } of Object.values(services ?? {})) {
      const { annotations } = metadata as { annotations?: Json };
      // The console's Service is not a load balancer.
      if (annotations !== undefined) edit(annotations);
    }
  };
const withoutLogs = annotated((annotations) => {
  for (const name of Object.keys(annotations)) {
    if (name.startsWith(ACCESS_LOG)) delete annotations[name];
  }
});

describeRules(LOAD_BALANCER_RULES, {
  configured: {
    complete: {
      'load-balancer-logs-access': [
        ['no access logs at all', withoutLogs],
        [
          'access logs that are off',
          annotated((annotations) => {
            annotations[`${ACCESS_LOG}-enabled`] = 'false';
          }),
        ],
        [
          'access logs that an attribute puts off',
          annotated((annotations) => {
            annotations[`${NLB}-attributes`] = 'access_logs.s3.enabled=false';
          }),
        ],
        [
          'a bucket of somebody else',
          annotated((annotations) => {
            annotations[`${ACCESS_LOG}-s3-bucket-name`] = 'somebody-elses';
          }),
        ],
      ],
    },
    'etl-playground': {
      'load-balancer-logs-access': [
        [
          'a bucket that nobody named',
          annotated((annotations) => {
            annotations[`${ACCESS_LOG}-enabled`] = 'true';
            annotations[`${ACCESS_LOG}-s3-bucket-name`] = 'somebody-elses';
          }),
        ],
      ],
    },
  },
  harmless: {
    complete: [
      [
        'a folder for the access logs',
        annotated((annotations) => {
          annotations[`${ACCESS_LOG}-s3-bucket-prefix`] = 'file-processing';
        }),
      ],
    ],
  },
  objects: {
    'service-limits-its-ports': [
      ['a port of every node', set(SERVICE, 'spec.type', 'NodePort')],
      ['an address of its own', set(SERVICE, 'spec.external_ips', ['203.0.113.7'])],
      ['pods that are not ready', set(SERVICE, 'spec.publish_not_ready_addresses', true)],
      ['the metrics', metrics],
      ['a second Service', addTwin(SERVICE, rename)],
      ['a name outside', set(SERVICE, 'spec.type', 'ExternalName')],
    ],
    'load-balancer-terminates-tls': [
      missing('ssl-cert'),
      missing('ssl-negotiation-policy'),
      given('ssl-ports', '8443'),
      given('ssl-negotiation-policy', 'ELBSecurityPolicy-2016-08'),
      given('ssl-negotiation-policy', 'ELBSecurityPolicy-TLS13-1-0-2021-06'),
      given('ssl-negotiation-policy', 'ELBSecurityPolicy-TLS13-1-2-2021-06'),
      given('ssl-cert', 'arn:aws:acm:us-east-1:123456789012:certificate/0b1e'),
      given('ssl-cert', 'arn:aws-us-gov:acm:us-gov-east-1:123456789012:certificate/0b1e'),
      ['a port more', alter(SERVICE, 'spec.port', withPlainPort)],
    ],
    'endpoint-is-reachable-for-sns': [
      ['half of the internet', set(SERVICE, 'spec.load_balancer_source_ranges', ['0.0.0.0/1'])],

      given('scheme', 'internal'),
      missing('scheme'),
      given('internal', 'true'),
      ['a few addresses', set(SERVICE, 'spec.load_balancer_source_ranges', ['203.0.113.0/24'])],
      [
        'a few addresses by annotation',
        set(
          SERVICE,
          annotation('service.beta.kubernetes.io/load-balancer-source-ranges'),
          '10.0.0.0/8',
        ),
      ],
      ['a port that nobody posts to', set(SERVICE, 'spec.port.0.port', 8443)],
      albGiven('scheme', 'internal'),
      albMissing('scheme'),
      albGiven('inbound-cidrs', '203.0.113.0/24'),
    ],
    'load-balancer-health-check': [
      given('healthcheck-path', '/health'),
      given('healthcheck-path', '/readyz'),
      given('healthcheck-path', '/metrics'),
      missing('healthcheck-path'),
      given('healthcheck-protocol', 'tcp'),
      given('healthcheck-protocol', 'https'),
      missing('healthcheck-protocol'),
      given('healthcheck-port', '9999'),
    ],
    'load-balancer-forwards-tcp': [
      ['a part of the nodes', set(SERVICE, nlb('target-node-labels'), 'pool=none')],
      given('type', 'external'),
      [
        'access logs among the files',
        (json) =>
          set(
            SERVICE,
            nlb('access-log-s3-bucket-name'),
            argumentOf(json, 'kubernetes_config_map_v1', 'data.S3_BUCKET'),
          )(json),
      ],

      missing('type'),
      given('type', 'clb'),
      given('backend-protocol', 'ssl'),
      given('proxy-protocol', '*'),
      given('cross-zone-load-balancing-enabled', 'false'),
      missing('access-log-enabled'),
      missing('access-log-s3-bucket-name'),
      ['nodes with a pod alone', set(SERVICE, 'spec.external_traffic_policy', 'Local')],
      ['UDP', set(SERVICE, 'spec.port.0.protocol', 'UDP')],
      ['another controller', set(SERVICE, 'spec.load_balancer_class', 'example.gov/lb')],
    ],
    'load-balancer-is-tagged': [
      missing('additional-resource-tags'),
      given('additional-resource-tags', 'Owner=nobody'),
    ],
    'ingress-terminates-tls': [
      ['no TLS', drop(INGRESS, 'spec.tls'), 'alb'],
      ['no TLS of another controller', drop(INGRESS, 'spec.tls'), 'nginx'],
      ['TLS of another host', set(INGRESS, 'spec.tls.0.hosts', ['other.example.gov']), 'nginx'],
      ['no certificate', drop(INGRESS, 'spec.tls.0.secret_name'), 'nginx'],
      ['every name', drop(INGRESS, 'spec.rule.0.host'), 'alb'],
      ['no class', drop(INGRESS, 'spec.ingress_class_name'), 'nginx'],
      albGiven('listen-ports', '[{"HTTP":80}]'),
      albGiven('listen-ports', '[{"HTTP":80},{"HTTPS":443}]'),
      albMissing('listen-ports'),
      albMissing('ssl-policy'),
      albGiven('ssl-policy', 'ELBSecurityPolicy-2016-08'),
    ],
    'ingress-routes-to-listener': [
      ['another path', set(INGRESS, 'spec.rule.0.http.path.0.path', '/sns'), 'nginx'],
      albGiven('healthcheck-path', '/health'),
      albGiven('healthcheck-path', '/readyz'),
      albMissing('healthcheck-path'),
      albGiven('target-type', 'instance'),
      albMissing('target-type'),
      albGiven('backend-protocol', 'HTTPS'),
    ],
  },
});
