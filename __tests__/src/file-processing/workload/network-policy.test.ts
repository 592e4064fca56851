import { describe, expect, it } from 'vitest';
import { DATABASE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

type Overrides = Parameters<typeof synthesizeWorkload>[0];
const policyOf = (overrides: Overrides = {}, name = 'sns_listener') =>
  synthesizeWorkload(overrides).resources[`kubernetes_network_policy_v1.${name}`];

const ANYWHERE = [{ ip_block: { cidr: '0.0.0.0/0' } }];
const tcp = (port: string) => [{ port, protocol: 'TCP' }];
const MESSAGES = { from: ANYWHERE, ports: tcp('8080') };
const METRICS = { from: [{ namespace_selector: {} }], ports: tcp('9090') };
const DNS = {
  to: [
    {
      namespace_selector: { match_labels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      pod_selector: { match_labels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [{ port: '53', protocol: 'UDP' }, ...tcp('53')],
};
const AWS = { to: ANYWHERE, ports: tcp('443') };

describe('createNetworkPolicy', () => {
  it("isolates the listener's pods in both directions", () => {
    expect(policyOf()).toMatchObject({
      spec: {
        pod_selector: { match_labels: { app: 'file-processing-sns' } },
        policy_types: ['Ingress', 'Egress'],
      },
    });
  });

  it('lets in messages from anywhere, metrics only from pods', () => {
    expect(policyOf()).toHaveProperty('spec.ingress', [MESSAGES, METRICS]);
  });

  it('reaches the metadata of the node only while the rights of the node are wanted', () => {
    const metadata = { to: [{ ip_block: { cidr: '169.254.169.254/32' } }], ports: tcp('80') };
    expect(policyOf()).toHaveProperty('spec.egress', [DNS, AWS]);
    expect(policyOf({ node_s3_access: true })).toHaveProperty('spec.egress', [DNS, AWS, metadata]);
  });

  it('lets out to the SMTP server, and to webhooks on their own ports', () => {
    const smtp = {
      ...({ notice_email: 'smtp', notice_email_from: 'a@example.gov' } as const),
      ...{ notice_smtp_host: '10.20.0.5', notice_smtp_port: 465 },
    } as const;
    expect(policyOf(smtp)).toHaveProperty('spec.egress', [
      ...[DNS, AWS],
      { to: [{ ip_block: { cidr: '10.20.0.5/32' } }], ports: tcp('465') },
    ]);
    const notice_webhook_urls = ['https://a.example.gov/x', 'https://b.example.gov:8443/x'];
    const webhooks = { notice_webhook_urls, notice_secret_name: 'notices' };
    expect(policyOf(webhooks)).toHaveProperty('spec.egress', [
      ...[DNS, AWS],
      { to: ANYWHERE, ports: tcp('8443') },
    ]);
  });

  it.each([
    ['http://proxy.example.gov:3128', [{ to: ANYWHERE, ports: tcp('3128') }]],
    [
      'http://10.20.0.9:8080/',
      [{ to: [{ ip_block: { cidr: '10.20.0.9/32' } }], ports: tcp('8080') }],
    ],
    ['https://proxy.example.gov:443', []],
  ])('lets out to the proxy %s', (http_proxy, rules) => {
    expect(policyOf({ http_proxy })).toHaveProperty('spec.egress', [DNS, AWS, ...rules]);
  });

  it('lets in nothing but metrics with a queue', () => {
    expect(policyOf({ delivery: 'sqs' })).toHaveProperty('spec.ingress', [METRICS]);
  });

  it('lets out only DNS and https without a database', () => {
    expect(policyOf()).toHaveProperty('spec.egress', [DNS, AWS]);
  });

  it.each([
    [
      'inside of the cluster, to the pods of its namespace alone',
      'http://collector.observability.svc:4318',
      [
        {
          to: [
            {
              namespace_selector: {
                match_labels: { 'kubernetes.io/metadata.name': 'observability' },
              },
            },
          ],
          ports: tcp('4318'),
        },
      ],
    ],
    [
      'by name on a port of its own, anywhere',
      'https://otlp.example.gov:4318',
      [{ to: ANYWHERE, ports: tcp('4318') }],
    ],
    ['by https, by what AWS needs anyway', 'https://otlp.example.gov', []],
  ])('lets out to a collector %s, Jobs as well', (_, otlp_endpoint, rules) => {
    expect(policyOf({ otlp_endpoint })).toHaveProperty('spec.egress', [DNS, AWS, ...rules]);
    expect(policyOf({ otlp_endpoint, job_runner: 'auto' }, 'jobs')).toHaveProperty('spec.egress', [
      DNS,
      AWS,
      ...rules,
    ]);
  });

  it.each([
    ['by name, anywhere', { ...DATABASE, db_port: 6432 }, { to: ANYWHERE, ports: tcp('6432') }],
    [
      'by address, only there',
      { ...DATABASE, db_host: '10.0.3.4' },
      { to: [{ ip_block: { cidr: '10.0.3.4/32' } }], ports: tcp('5432') },
    ],
    [
      "in others' Secret, anywhere",
      { existing_secret_name: 'theirs' },
      { to: ANYWHERE, ports: tcp('5432') },
    ],
  ])('lets out to the port of a database given %s', (_, overrides, rule) => {
    expect(policyOf(overrides)).toHaveProperty('spec.egress', [DNS, AWS, rule]);
  });
});
