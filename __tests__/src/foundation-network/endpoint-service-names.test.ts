import { describe, expect, it } from 'vitest';
import {
  interfaceEndpointServiceName,
  s3GatewayServiceName,
} from '../../../src/foundation-network/endpoint-service-names.ts';
import { INTERFACE_ENDPOINT_SERVICES } from '../../../src/settings/foundation-network-variables.ts';

describe('interfaceEndpointServiceName', () => {
  it.each(['us-gov-west-1', 'us-gov-east-1', 'us-east-1', 'eu-central-1'])(
    'has no prefix of a country in %s, for any service',
    (region) => {
      const names = INTERFACE_ENDPOINT_SERVICES.map((service) =>
        interfaceEndpointServiceName(region, service),
      );
      expect(names).toEqual(
        INTERFACE_ENDPOINT_SERVICES.map((service) => `com.amazonaws.${region}.${service}`),
      );
    },
  );

  it.each(['autoscaling', 'ec2', 'ecr.api', 'ecr.dkr', 'eks', 'sqs', 'sts'])(
    'starts with cn. in China for %s',
    (service) => {
      expect(interfaceEndpointServiceName('cn-north-1', service)).toBe(
        `cn.com.amazonaws.cn-north-1.${service}`,
      );
      expect(interfaceEndpointServiceName('cn-northwest-1', service)).toBe(
        `cn.com.amazonaws.cn-northwest-1.${service}`,
      );
    },
  );

  it.each(['eks-auth', 'kms', 'logs', 'sns'])('is in China as elsewhere for %s', (service) => {
    expect(interfaceEndpointServiceName('cn-north-1', service)).toBe(
      `com.amazonaws.cn-north-1.${service}`,
    );
  });
});

describe('s3GatewayServiceName', () => {
  it.each([
    ['us-gov-west-1', 'com.amazonaws.us-gov-west-1.s3'],
    ['us-east-1', 'com.amazonaws.us-east-1.s3'],
    ['cn-north-1', 'com.amazonaws.cn-north-1.s3'],
  ])('has the same form in %s as everywhere', (region, name) => {
    expect(s3GatewayServiceName(region)).toBe(name);
  });
});
