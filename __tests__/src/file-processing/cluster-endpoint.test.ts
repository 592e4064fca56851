import { describe, expect, it } from 'vitest';
import { addresses, dependenciesOf, namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

describe("The cluster's private API by default", () => {
  it('is opened to nobody but the nodes', () => {
    const json = synthesizeFileProcessing();
    expect(namesOf(json, 'aws_vpc_security_group_ingress_rule')).toEqual([]);
  });
});

describe("The cluster's private API with addresses to reach it from", () => {
  const json = synthesizeFileProcessing({
    cluster_endpoint_private_access_cidrs: ['10.0.0.0/24', '10.1.2.3/32'],
  });

  it.each([
    ['api_10_0_0_0_24', '10.0.0.0/24'],
    ['api_10_1_2_3_32', '10.1.2.3/32'],
  ])('lets in by %s HTTPS from %s alone', (name, cidr) => {
    expect(resourceAt(json, `aws_vpc_security_group_ingress_rule.${name}`)).toEqual({
      description: `API of file-processing-cluster from ${cidr}`,
      security_group_id: '${aws_eks_cluster.this.vpc_config[0].cluster_security_group_id}',
      cidr_ipv4: cidr,
      ip_protocol: 'tcp',
      from_port: 443,
      to_port: 443,
    });
  });

  it('stays closed to the internet', () => {
    expect(resourceAt(json, 'aws_eks_cluster.this')).toHaveProperty(
      'vpc_config.endpoint_public_access',
      false,
    );
  });

  it.each(addresses(json).filter((address) => address.startsWith('kubernetes_')))(
    'is open before %s is made and until it is gone',
    (address) => {
      expect(dependenciesOf(json, address)).toEqual(
        expect.arrayContaining([
          'aws_vpc_security_group_ingress_rule.api_10_0_0_0_24',
          'aws_vpc_security_group_ingress_rule.api_10_1_2_3_32',
        ]),
      );
    },
  );
});
