import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import {
  addresses,
  dependenciesOf,
  namesOf,
  resourceAt,
  statementsAt,
} from '../../support/synthesized.ts';
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
      image: 'AL2023_x86_64_STANDARD',
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

describe('Nodes behind a proxy', () => {
  it.each([
    ['us-gov-west-1', '.us-gov-west-1.eks.amazonaws.com'],
    ['us-east-1', '.us-east-1.eks.amazonaws.com'],
    ['cn-north-1', '.cn-north-1.eks.amazonaws.com.cn'],
  ])('reach the API of the cluster in %s and what is named without it', (aws_region, api) => {
    const json = synthesizeFileProcessing({
      aws_region,
      http_proxy: 'http://proxy.example.gov:3128',
      no_proxy: ['.example.gov'],
    });
    const text = String(resourceAt(json, 'aws_launch_template.nodes').user_data);
    expect(text).toContain('HTTPS_PROXY: \\"http://proxy.example.gov:3128\\"');
    expect(text).toContain(`.cluster.local,${api},.example.gov`);
  });
});

describe('Nodes of an image of your own', () => {
  const json = synthesizeFileProcessing({
    ami_id: 'ami-0a1b2c3d4e5f67890',
    node_user_data: '#!/bin/sh\necho "${HOME}" \\ $HOME\n',
  });
  const nodes = resourceAt(json, 'aws_eks_node_group.this');
  const template = resourceAt(json, 'aws_launch_template.nodes');

  it('have it in the template, and neither type nor version beside it', () => {
    expect(template.image_id).toBe('ami-0a1b2c3d4e5f67890');
    expect(nodes).not.toHaveProperty('ami_type');
    expect(nodes).not.toHaveProperty('version');
  });

  it('are told the cluster, and what the operator adds as it was written', () => {
    const [, written = ''] =
      /^\$\{base64encode\((".*")\)\}$/s.exec(String(template.user_data)) ?? [];
    const text = JSON.parse(written) as string;
    expect(text).toContain('apiServerEndpoint: ${aws_eks_cluster.this.endpoint}\n');
    expect(text).toContain(
      'certificateAuthority: ${aws_eks_cluster.this.certificate_authority[0].data}\n',
    );
    expect(text).toContain(
      'cidr: ${aws_eks_cluster.this.kubernetes_network_config[0].service_ipv4_cidr}\n',
    );
    expect(text).toContain('echo "$${HOME}" \\ $HOME');
  });

  it('are replaced when the image is no longer their own, and roll when it is another', () => {
    const image = (values: Parameters<typeof synthesizeFileProcessing>[0]) =>
      resourceAt(synthesizeFileProcessing(values), 'terraform_data.node_group').triggers_replace;
    const own = image({ ami_id: 'ami-0a1b2c3d4e5f67890' });
    expect(image({ ami_id: 'ami-0a1b2c3d4e5f67891' })).toStrictEqual(own);
    expect(image({})).not.toStrictEqual(own);
  });
});

describe('Nodes of Bottlerocket', () => {
  const json = synthesizeFileProcessing({
    ami_type: 'BOTTLEROCKET_x86_64_FIPS',
    volume_kms_key_arn: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/abc',
  });

  it('have a data disk beside that of the system, both with the key', () => {
    expect(resourceAt(json, 'aws_eks_node_group.this').ami_type).toBe('BOTTLEROCKET_x86_64_FIPS');
    const ebs = {
      volume_type: 'gp3',
      encrypted: 'true',
      delete_on_termination: 'true',
      kms_key_id: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/abc',
    };
    expect(resourceAt(json, 'aws_launch_template.nodes').block_device_mappings).toStrictEqual([
      { device_name: '/dev/xvda', ebs },
      { device_name: '/dev/xvdb', ebs: { ...ebs, volume_size: 50 } },
    ]);
  });
});

describe('Further node groups', () => {
  const group: Omit<FileProcessingSettings['node_groups'][number], 'name' | 'instance_types'> = {
    ...{ ami_type: '', ami_id: '', capacity_type: 'ON_DEMAND', labels: {}, taints: [] },
    ...{ min_size: 1, desired_size: 1, max_size: 3 },
  };
  const json = synthesizeFileProcessing({
    node_groups: [
      {
        ...group,
        ...{ name: 'spot-a', instance_types: ['m6i.large'], capacity_type: 'SPOT' },
        labels: { workload: 'batch' },
        taints: ['batch=true:NoSchedule', 'idle=:PreferNoSchedule'],
      },
      {
        ...{ ...group, name: 'many', instance_types: ['m7g.large', 'c7g.large'] },
        ami_type: 'AL2023_ARM_64_STANDARD',
      },
    ],
  });

  it('have addresses and names of their own, whatever their order', () => {
    expect(namesOf(json, 'aws_eks_node_group')).toEqual(['nodes_many', 'nodes_spot_a', 'this']);
    expect(namesOf(json, 'aws_launch_template')).toEqual(['nodes', 'nodes_many', 'nodes_spot_a']);
    expect(resourceAt(json, 'aws_eks_node_group.nodes_spot_a').node_group_name_prefix).toBe(
      'file-processing-nodes-spot-a-',
    );
    expect(resourceAt(json, 'aws_launch_template.nodes_spot_a').name).toBe(
      'file-processing-cluster-file-processing-nodes-spot-a',
    );
  });

  it.each(['nodes', 'node-group', 'constructor'])('may be called %s', (name) => {
    const instance_types = ['m6i.large'];
    const own = synthesizeFileProcessing({ node_groups: [{ ...group, name, instance_types }] });
    expect(namesOf(own, 'aws_eks_node_group')).toContain(`nodes_${name.replace('-', '_')}`);
  });

  it('have an end of the name that tells them apart, however long the beginning is', () => {
    const long = synthesizeFileProcessing({
      node_group_name: 'n'.repeat(63),
      node_groups: ['spot', 'many'].map((name) => ({
        ...{ ...group, name },
        instance_types: ['m6i.large'],
      })),
    });
    const prefixes = ['nodes_spot', 'nodes_many'].map(
      (name) => resourceAt(long, `aws_eks_node_group.${name}`).node_group_name_prefix,
    );
    expect(prefixes).toEqual([`${'n'.repeat(31)}-spot-`, `${'n'.repeat(31)}-many-`]);
  });

  it('have sizes, labels and taints as EKS spells them', () => {
    expect(resourceAt(json, 'aws_eks_node_group.nodes_spot_a')).toMatchObject({
      capacity_type: 'SPOT',
      ami_type: 'AL2023_x86_64_STANDARD',
      labels: { workload: 'batch' },
      taint: [
        { key: 'batch', value: 'true', effect: 'NO_SCHEDULE' },
        { key: 'idle', effect: 'PREFER_NO_SCHEDULE' },
      ],
      scaling_config: { min_size: 1, desired_size: 1, max_size: 3 },
    });
  });

  it('have a single type in the template, several in the group', () => {
    expect(resourceAt(json, 'aws_launch_template.nodes_spot_a').instance_type).toBe('m6i.large');
    expect(resourceAt(json, 'aws_eks_node_group.nodes_many').instance_types).toEqual([
      ...['m7g.large', 'c7g.large'],
    ]);
  });

  it('share role and order of the first, and make objects wait for them', () => {
    const first = resourceAt(json, 'aws_eks_node_group.this');
    const other = resourceAt(json, 'aws_eks_node_group.nodes_many');
    for (const name of ['node_role_arn', 'depends_on', 'subnet_ids'])
      expect(other[name]).toEqual(first[name]);
    expect(dependenciesOf(json, 'kubernetes_namespace_v1.ns')).toEqual(
      expect.arrayContaining(['aws_eks_node_group.nodes_many', 'aws_eks_node_group.this']),
    );
  });
});

describe.each([
  ['us-east-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('The Cluster Autoscaler in %s', (aws_region, partition) => {
  const json = synthesizeFileProcessing({ aws_region, node_autoscaler: 'cluster-autoscaler' });

  it('has a role that its ServiceAccount alone assumes', () => {
    const trust = statementsAt(json, 'aws_iam_role.cluster_autoscaler', 'assume_role_policy');
    expect(JSON.stringify(trust)).toContain(
      ':sub":"system:serviceaccount:kube-system:cluster-autoscaler"',
    );
    expect(json.output.cluster_autoscaler_role_arn?.value).toBe(
      '${aws_iam_role.cluster_autoscaler.arn}',
    );
  });

  it('may change the groups of its cluster alone', () => {
    const statements = statementsAt(json, 'aws_iam_role_policy.cluster_autoscaler', 'policy');
    const changing = statements.filter(({ Action }) => !/:(Describe|Get)/.test(String(Action)));
    expect(changing).toEqual([
      expect.objectContaining({
        Condition: {
          StringEquals: {
            'aws:ResourceTag/k8s.io/cluster-autoscaler/file-processing-cluster': 'owned',
          },
        },
      }),
    ]);
    expect(JSON.stringify(statements)).toContain(`arn:${partition}:eks:${aws_region}:`);
  });

  it('is not there unless it is wanted', () => {
    const roles = namesOf(synthesizeFileProcessing({ aws_region }), 'aws_iam_role');
    expect(roles).not.toContain('cluster_autoscaler');
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
