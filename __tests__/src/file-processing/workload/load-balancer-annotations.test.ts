import { describe, expect, it } from 'vitest';
import {
  loadBalancerAnnotations,
  tlsPolicy,
} from '../../../../src/file-processing/workload/load-balancer-annotations.ts';
import { fileProcessingSettings } from '../../../support/settings.ts';

type Overrides = Parameters<typeof fileProcessingSettings>[0];
const CERTIFICATE = 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c';

/** The annotations by the part of their names that differs. */
function annotationsOf(overrides: Overrides = {}, tags: Record<string, string> = {}) {
  const annotations = loadBalancerAnnotations(fileProcessingSettings(overrides), tags);
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [
      key.replace('service.beta.kubernetes.io/aws-load-balancer-', ''),
      value,
    ]),
  );
}

describe('loadBalancerAnnotations', () => {
  it('asks for a public network load balancer over all zones that checks liveness', () => {
    expect(annotationsOf()).toStrictEqual({
      type: 'nlb',
      scheme: 'internet-facing',
      'cross-zone-load-balancing-enabled': 'true',
      'backend-protocol': 'tcp',
      'healthcheck-protocol': 'http',
      'healthcheck-port': 'traffic-port',
      'healthcheck-path': '/healthz',
    });
  });

  it('ends TLS with the certificate and a modern policy', () => {
    expect(annotationsOf({ tls_certificate_arn: CERTIFICATE })).toMatchObject({
      'ssl-cert': CERTIFICATE,
      'ssl-ports': '443',
      'ssl-negotiation-policy': 'ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04',
    });
  });

  it('writes access logs to the bucket', () => {
    expect(annotationsOf({ access_logs_bucket: 'logs' })).toMatchObject({
      'access-log-enabled': 'true',
      'access-log-s3-bucket-name': 'logs',
    });
  });

  it('passes the tags on', () => {
    expect(annotationsOf({}, { Environment: 'play', Component: 'files' })).toHaveProperty(
      'additional-resource-tags',
      'Environment=play,Component=files',
    );
  });

  it.each([
    ['key', { 'a=b': 'c' }],
    ['value', { a: 'b,c' }],
  ])('leaves out a tag whose %s the list could not hold', (_, tags) => {
    expect(annotationsOf({}, { Component: 'files', ...tags })).toHaveProperty(
      'additional-resource-tags',
      'Component=files',
    );
  });
});

describe('tlsPolicy', () => {
  it.each([
    ['us-gov-west-1', 'ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04'],
    ['us-east-1', 'ELBSecurityPolicy-TLS13-1-2-2021-06'],
    ['cn-north-1', 'ELBSecurityPolicy-TLS13-1-2-2021-06'],
  ])('in %s is %s', (region, policy) => {
    expect(tlsPolicy(region)).toBe(policy);
  });
});
