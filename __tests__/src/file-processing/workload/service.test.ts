import { describe, expect, it } from 'vitest';
import { synthesizeWorkload } from '../../../support/synthesized-workload.ts';

type Overrides = Parameters<typeof synthesizeWorkload>[0];
const serviceOf = (overrides: Overrides = {}, tags?: Record<string, string>) =>
  synthesizeWorkload(overrides, tags).resources['kubernetes_service_v1.sns_listener'];

const TAGS_ANNOTATION = [
  'metadata',
  'annotations',
  'service.beta.kubernetes.io/aws-load-balancer-additional-resource-tags',
];

describe('createLoadBalancerService', () => {
  it("takes http on port 80 to the listener's pods without a certificate", () => {
    expect(serviceOf()).toMatchObject({
      metadata: { name: 'sns-listener' },
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'file-processing-sns' },
        port: [{ name: 'http', port: 80, target_port: 'http', protocol: 'TCP' }],
      },
    });
  });

  it('takes https on port 443 alone with a certificate', () => {
    const tls_certificate_arn =
      'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c';
    expect(serviceOf({ tls_certificate_arn })).toHaveProperty('spec.port', [
      { name: 'https', port: 443, target_port: 'http', protocol: 'TCP' },
    ]);
  });

  it('is open to everybody, since SNS publishes no source ranges', () => {
    expect(serviceOf()).not.toHaveProperty('spec.load_balancer_source_ranges');
  });

  it('waits for its address', () => {
    expect(serviceOf()).toHaveProperty('wait_for_load_balancer', true);
  });

  it("carries the settings' tags when no others are given", () => {
    expect(serviceOf({ tags: { CostCenter: '4711' } })).toHaveProperty(
      TAGS_ANNOTATION,
      'CostCenter=4711',
    );
  });

  it("carries the given tags in place of the settings'", () => {
    expect(serviceOf({ tags: { CostCenter: '4711' } }, { Component: 'files' })).toHaveProperty(
      TAGS_ANNOTATION,
      'Component=files',
    );
  });

  it('is made by the controller of the class that is named', () => {
    expect(serviceOf()).not.toHaveProperty('spec.load_balancer_class');
    expect(serviceOf({ load_balancer_class: 'service.k8s.aws/nlb' })).toHaveProperty(
      'spec.load_balancer_class',
      'service.k8s.aws/nlb',
    );
  });

  it('is not replaced for a class that a webhook has set, or a name that a handover has left', () => {
    expect(serviceOf()).toHaveProperty('lifecycle.ignore_changes', [
      'metadata[0].name',
      'spec[0].load_balancer_class',
    ]);
  });

  it('is not made with a queue', () => {
    expect(serviceOf({ delivery: 'sqs' })).toBeUndefined();
  });
});

describe('createClusterService', () => {
  const service = serviceOf({ ingress_class_name: 'nginx', ingress_host: 'files.example.gov' });

  it('is reachable inside the cluster only', () => {
    expect(service).toHaveProperty('spec', {
      type: 'ClusterIP',
      selector: { app: 'file-processing-sns' },
      port: [{ name: 'http', port: 80, target_port: 'http', protocol: 'TCP' }],
    });
  });

  it('asks for no load balancer', () => {
    expect(service).not.toHaveProperty('metadata.annotations');
  });
});
