import { describe, expect, it } from 'vitest';
import { synthesizeWorkload } from '../../../support/synthesized-workload.ts';

type Overrides = Parameters<typeof synthesizeWorkload>[0];
const ingressOf = (overrides: Overrides) =>
  synthesizeWorkload(overrides).resources['kubernetes_ingress_v1.sns_listener'];

const NGINX = { ingress_class_name: 'nginx', ingress_host: 'files.example.gov' };
const ALB = { ...NGINX, ingress_class_name: 'alb' };
const HTTP_URL = { sns_endpoint_url: 'http://files.example.gov/' };

describe('createIngress', () => {
  it('passes everything on the host to the Service', () => {
    expect(ingressOf(NGINX)).toMatchObject({
      spec: {
        ingress_class_name: 'nginx',
        rule: [
          {
            host: 'files.example.gov',
            http: {
              path: [
                {
                  path: '/',
                  path_type: 'Prefix',
                  backend: { service: { name: 'sns-listener', port: { name: 'http' } } },
                },
              ],
            },
          },
        ],
      },
    });
  });

  it('takes the host from the endpoint when none is given', () => {
    const ingress = ingressOf({
      ingress_class_name: 'nginx',
      sns_endpoint_url: 'https://Other.example.gov:443/sns',
    });
    expect(ingress).toHaveProperty('spec.rule.0.host', 'other.example.gov');
  });

  it('reads its certificate from a Secret', () => {
    expect(ingressOf(NGINX)).toHaveProperty('spec.tls', [
      { hosts: ['files.example.gov'], secret_name: 'sns-listener-tls' },
    ]);
  });

  it('leaves the certificate of class alb to ACM', () => {
    expect(ingressOf(ALB)).toHaveProperty('spec.tls', [{ hosts: ['files.example.gov'] }]);
  });

  it('asks class alb for a public load balancer that reaches the pods by https', () => {
    expect(ingressOf(ALB)).toHaveProperty('metadata.annotations', {
      'alb.ingress.kubernetes.io/scheme': 'internet-facing',
      'alb.ingress.kubernetes.io/target-type': 'ip',
      'alb.ingress.kubernetes.io/healthcheck-path': '/healthz',
      'alb.ingress.kubernetes.io/listen-ports': '[{"HTTPS":443}]',
      'alb.ingress.kubernetes.io/ssl-policy': 'ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04',
    });
  });

  it('serves http only for an endpoint that says so', () => {
    const ingress = ingressOf({ ...ALB, ...HTTP_URL });
    expect(ingress).not.toHaveProperty('spec.tls');
    expect(ingress).toHaveProperty(
      ['metadata', 'annotations', 'alb.ingress.kubernetes.io/listen-ports'],
      '[{"HTTP":80}]',
    );
  });

  it('sets no annotations for other classes', () => {
    expect(ingressOf(NGINX)).not.toHaveProperty('metadata.annotations');
  });

  it.each([
    ['waits', { ...NGINX, sns_endpoint_url: 'https://files.example.gov/' }, true],
    ['does not wait', NGINX, false],
  ])('%s for its address when a subscription needs it: %s', (_, overrides, waits) => {
    expect(ingressOf(overrides)).toHaveProperty('wait_for_load_balancer', waits);
  });

  it.each([
    ['without a class', {}],
    ['with a queue', { delivery: 'sqs' as const }],
  ])('is not made %s', (_, overrides) => {
    expect(ingressOf(overrides)).toBeUndefined();
  });
});
