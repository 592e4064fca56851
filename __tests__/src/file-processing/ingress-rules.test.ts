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
    expect(resourceAt(json, `aws_vpc_security_group_ingress_rule.${name}`)).toStrictEqual({
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

const DATABASE = {
  db_host: 'db.example.gov',
  db_port: 5433,
  db_name: 'etl_db',
  db_user: 'etl_user',
} as const;

describe('Access to the database', () => {
  it('is let in from the nodes, on the port of the database alone', () => {
    const json = synthesizeFileProcessing({
      ...DATABASE,
      db_security_group_id: 'sg-0a1b2c3d4e5f67890',
    });
    expect(resourceAt(json, 'aws_vpc_security_group_ingress_rule.database')).toStrictEqual({
      description: 'PostgreSQL from the nodes of file-processing-cluster',
      security_group_id: 'sg-0a1b2c3d4e5f67890',
      referenced_security_group_id:
        '${aws_eks_cluster.this.vpc_config[0].cluster_security_group_id}',
      ip_protocol: 'tcp',
      from_port: 5433,
      to_port: 5433,
    });
  });

  it('is left to others without a security group', () => {
    const json = synthesizeFileProcessing(DATABASE);
    expect(namesOf(json, 'aws_vpc_security_group_ingress_rule')).toEqual([]);
  });
});
