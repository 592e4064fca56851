import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

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
    expect(resourceAt(json, 'aws_vpc_security_group_ingress_rule.database')).toEqual({
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
