import { describe, expect, it } from 'vitest';
import { addresses, dependenciesOf, resourceAt, statementsAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

describe('Nodes by default', () => {
  const json = synthesizeFileProcessing();
  const nodes = resourceAt(json, 'aws_eks_node_group.this');
  const template = resourceAt(json, 'aws_launch_template.nodes');

  it('have a name that begins with the original, in the private subnets of the cluster', () => {
    expect(nodes).toMatchObject({
      cluster_name: '${aws_eks_cluster.this.name}',
      node_group_name_prefix: 'file-processing-nodes-',
      node_role_arn: '${aws_iam_role.eks_node.arn}',
      subnet_ids: '${data.aws_subnets.private.ids}',
    });
  });

  it('start with the desired number, which is left alone afterwards, as are name and subnets', () => {
    expect(nodes.scaling_config).toEqual({ min_size: 1, desired_size: 2, max_size: 3 });
    expect(nodes).toHaveProperty('lifecycle.ignore_changes', [
      'scaling_config[0].desired_size',
      'node_group_name_prefix',
      'subnet_ids',
    ]);
  });

  it('are replaced by new ones beside them when their name changes, or where the type is given', () => {
    expect(nodes.lifecycle).toMatchObject({
      create_before_destroy: true,
      replace_triggered_by: ['terraform_data.node_group'],
    });
    expect(resourceAt(json, 'terraform_data.node_group').triggers_replace).toStrictEqual({
      node_group_name: 'file-processing-nodes',
      instance_types: nodes.instance_types,
    });
  });

  it('have their type in the template, but for those that were made before', () => {
    expect(nodes.instance_types).toBe('${local.node_type_in_template ? null : ["t3.medium"]}');
    expect(template.instance_type).toBe('${local.node_type_in_template ? "t3.medium" : null}');
  });

  it('tell those made before by the description of their role, which stays as it was', () => {
    const { description, lifecycle } = resourceAt(json, 'aws_iam_role.eks_node');
    expect(json.locals).toHaveProperty(
      'node_type_in_template',
      `\${aws_iam_role.eks_node.description == "${String(description)}"}`,
    );
    expect(lifecycle).toEqual({ ignore_changes: ['description'] });
  });

  it('are replaced a third at a time', () => {
    expect(nodes.update_config).toStrictEqual({ max_unavailable_percentage: 33 });
  });

  it('follow each version of the launch template', () => {
    expect(nodes.launch_template).toStrictEqual({
      id: '${aws_launch_template.nodes.id}',
      version: '${aws_launch_template.nodes.latest_version}',
    });
    expect(template).toHaveProperty('update_default_version', true);
  });

  it('keep their credentials from pods: IMDSv2 within one hop', () => {
    expect(template.metadata_options).toStrictEqual({
      http_endpoint: 'enabled',
      http_tokens: 'required',
      http_put_response_hop_limit: 1,
      instance_metadata_tags: 'disabled',
    });
  });

  it('have an encrypted gp3 volume that goes with them', () => {
    expect(template.block_device_mappings).toStrictEqual([
      {
        device_name: '/dev/xvda',
        ebs: {
          volume_type: 'gp3',
          volume_size: 50,
          encrypted: 'true',
          delete_on_termination: 'true',
        },
      },
    ]);
  });

  it.each(['instance', 'volume', 'network-interface'])(
    'pass the default tags on to each %s, which the provider does not',
    (kind) => {
      expect(template.tag_specifications).toContainEqual({
        resource_type: kind,
        tags: {
          Component: 'file-processing',
          Environment: 'etl-playground',
          ManagedBy: 'terraform',
          Name: 'file-processing-nodes',
        },
      });
    },
  );

  it('have a role for EC2 alone, with the three policies that every node needs', () => {
    expect(statementsAt(json, 'aws_iam_role.eks_node', 'assume_role_policy')).toStrictEqual([
      {
        Sid: 'AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'ec2.amazonaws.com' },
        Action: 'sts:AssumeRole',
      },
    ]);
    expect(policiesOfNodes(json)).toEqual([
      'arn:aws-us-gov:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly',
      'arn:aws-us-gov:iam::aws:policy/AmazonEKSWorkerNodePolicy',
      'arn:aws-us-gov:iam::aws:policy/AmazonEKS_CNI_Policy',
    ]);
  });

  it('come after their rights and the add-ons of the network, and go before them', () => {
    expect(dependenciesOf(json, 'aws_eks_node_group.this')).toEqual([
      'aws_eks_addon.eks_pod_identity_agent',
      'aws_eks_addon.kube_proxy',
      'aws_eks_addon.vpc_cni',
      'aws_iam_role_policy_attachment.ecr_readonly',
      'aws_iam_role_policy_attachment.eks_cni',
      'aws_iam_role_policy_attachment.eks_worker',
    ]);
  });
});

describe('Nodes of chosen sizes', () => {
  const json = synthesizeFileProcessing({
    cluster_name: 'city',
    node_group_name: 'workers',
    node_instance_types: ['m6i.large', 'm5.large'],
    node_min_size: 3,
    node_desired_size: 4,
    node_max_size: 9,
    node_disk_size_gib: 100,
    tags: { Owner: 'etl' },
  });

  it('have them', () => {
    expect(resourceAt(json, 'aws_eks_node_group.this')).toMatchObject({
      node_group_name_prefix: 'workers-',
      instance_types: ['m6i.large', 'm5.large'],
      scaling_config: { min_size: 3, desired_size: 4, max_size: 9 },
    });
    expect(resourceAt(json, 'aws_launch_template.nodes')).toHaveProperty(
      ['block_device_mappings', 0, 'ebs', 'volume_size'],
      100,
    );
  });

  it('have several types in the group, since a template holds one', () => {
    expect(resourceAt(json, 'aws_launch_template.nodes')).not.toHaveProperty('instance_type');
  });

  it('carry the tags of the settings', () => {
    expect(resourceAt(json, 'aws_launch_template.nodes')).toHaveProperty(
      ['tag_specifications', 0, 'tags'],
      expect.objectContaining({ Owner: 'etl', Name: 'workers' }),
    );
  });

  it('are launched by a template that the nodes of another cluster do not collide with', () => {
    expect(resourceAt(json, 'aws_launch_template.nodes')).toHaveProperty('name', 'city-workers');
  });
});

describe('Nodes in subnets that are named', () => {
  it('follow them, since nobody adds to the list unasked', () => {
    const json = synthesizeFileProcessing({
      vpc_id: 'vpc-0a1b2c3d4e5f67890',
      private_subnet_ids: ['subnet-0a1b2c3d4e5f67890', 'subnet-0b1c2d3e4f5a67891'],
    });
    for (const address of ['aws_eks_node_group.this', 'aws_eks_cluster.this']) {
      const { lifecycle } = resourceAt(json, address);
      expect(JSON.stringify(lifecycle)).not.toContain('subnet_ids');
    }
  });
});

describe('Nodes with a long name', () => {
  it('leave room for what makes it unique: 26 digits', () => {
    const json = synthesizeFileProcessing({ node_group_name: 'n'.repeat(63) });
    expect(resourceAt(json, 'aws_eks_node_group.this').node_group_name_prefix).toBe(
      `${'n'.repeat(36)}-`,
    );
  });
});

describe('Nodes with access to S3', () => {
  const before = synthesizeFileProcessing();
  const json = synthesizeFileProcessing({ node_s3_access: true });

  it('have it at the original address, and nothing else is added', () => {
    expect(resourceAt(json, 'aws_iam_role_policy_attachment.s3_access')).toStrictEqual({
      role: '${aws_iam_role.eks_node.name}',
      policy_arn: 'arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess',
    });
    expect(addresses(json).filter((address) => !addresses(before).includes(address))).toEqual([
      'aws_iam_role_policy_attachment.s3_access',
    ]);
  });

  it('let pods, one hop further, take their credentials, still by IMDSv2', () => {
    expect(resourceAt(json, 'aws_launch_template.nodes').metadata_options).toMatchObject({
      http_tokens: 'required',
      http_put_response_hop_limit: 2,
    });
  });
});

describe('Nodes in China', () => {
  it('have a role for EC2 as it is called there', () => {
    const json = synthesizeFileProcessing({ aws_region: 'cn-north-1' });
    expect(statementsAt(json, 'aws_iam_role.eks_node', 'assume_role_policy')).toEqual([
      expect.objectContaining({ Principal: { Service: 'ec2.amazonaws.com.cn' } }),
    ]);
  });
});

function policiesOfNodes(json: ReturnType<typeof synthesizeFileProcessing>): unknown[] {
  return Object.values(json.resource.aws_iam_role_policy_attachment ?? {})
    .filter(({ role }) => role === '${aws_iam_role.eks_node.name}')
    .map(({ policy_arn }) => policy_arn)
    .sort();
}
