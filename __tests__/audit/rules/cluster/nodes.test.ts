import { describe, expect, it } from 'vitest';
import { capacityOf, NODE_RULES } from '../../../../audit/rules/cluster/nodes.ts';
import { describeRules, type Plant } from '../../support/describe-rules.ts';

const TEMPLATE = 'aws_launch_template';
const GROUP = 'aws_eks_node_group';

const GIB = 2 ** 30;

describe('capacityOf', () => {
  it.each([
    ['t3.medium', 2, 4],
    ['t4g.xlarge', 4, 16],
    ['m6i.large', 2, 8],
    ['c7g.2xlarge', 8, 16],
    ['r5.12xlarge', 48, 384],
    ['m7g.medium', 1, 4],
  ])('knows %s', (type, cpus, memory) => {
    expect(capacityOf(type)).toMatchObject({ cpus, memory: memory * GIB });
  });

  it.each(['p4d.24xlarge', 'm5.metal', 'large', ''])('does not guess %s', (type) => {
    expect(capacityOf(type)).toBeUndefined();
  });
});

const labels =
  (...keys: readonly string[]): Plant[1] =>
  ({ set }) =>
    set(GROUP, 'labels', Object.fromEntries(keys.map((key) => [key, 'true'])));

const userData =
  (text: string): Plant[1] =>
  ({ set }) =>
    set(TEMPLATE, 'user_data', Buffer.from(text).toString('base64'));

describeRules(NODE_RULES, {
  harmless: {
    'etl-playground': [
      ['labels of its own', labels('agency.example.gov/pool', 'node.kubernetes.io/lifecycle')],
      [
        'a label in the settings of Bottlerocket',
        userData('[settings.kubernetes.node-labels]\n"pool" = "files"\n'),
      ],
    ],
  },
  plants: {
    'nodes-take-part': [
      [
        'nodes without load balancers',
        labels('node.kubernetes.io/exclude-from-external-load-balancers'),
      ],
      [
        'the same by an older label',
        labels('alpha.service-controller.kubernetes.io/exclude-balancer'),
      ],
      ['nodes of a control plane', labels('node-role.kubernetes.io/control-plane')],
      ['nodes of another kind', labels('eks.amazonaws.com/compute-type')],
      ['a zone that they are not in', labels('topology.kubernetes.io/zone')],
      [
        'a taint that says that they are going',
        ({ set }) =>
          set(GROUP, 'taint', [
            { key: 'ToBeDeletedByClusterAutoscaler', effect: 'PREFER_NO_SCHEDULE' },
          ]),
      ],
      [
        'a flag of kubelet',
        userData(
          'MIME-Version: 1.0\n--node-labels=a=b,node.kubernetes.io/exclude-from-external-load-balancers=true\n',
        ),
      ],
      [
        'a setting of Bottlerocket',
        userData(
          '[settings.kubernetes.node-labels]\n"node.kubernetes.io/exclude-from-external-load-balancers" = "true"\n',
        ),
      ],
      [
        'a taint among its flags',
        userData(
          'MIME-Version: 1.0\n--register-with-taints=node.kubernetes.io/unschedulable=:NoSchedule\n',
        ),
      ],
    ],
    'node-metadata-protected': [
      [
        'metadata without a token',
        ({ set }) => set(TEMPLATE, 'metadata_options.http_tokens', 'optional'),
      ],
      ['nothing said of metadata', ({ drop }) => drop(TEMPLATE, 'metadata_options')],
      ['three hops', ({ set }) => set(TEMPLATE, 'metadata_options.http_put_response_hop_limit', 3)],
      ['no metadata', ({ set }) => set(TEMPLATE, 'metadata_options.http_endpoint', 'disabled')],
      [
        'tags in the metadata',
        ({ set }) => set(TEMPLATE, 'metadata_options.instance_metadata_tags', 'enabled'),
      ],
    ],
    'node-disks-encrypted': [
      ['a plain disk', ({ set }) => set(TEMPLATE, 'block_device_mappings.ebs.encrypted', 'false')],
      [
        'nothing said of encryption',
        ({ drop }) => drop(TEMPLATE, 'block_device_mappings.ebs.encrypted'),
      ],
      ['no disk', ({ drop }) => drop(TEMPLATE, 'block_device_mappings')],
      [
        'another disk than the root',
        ({ set }) => set(TEMPLATE, 'block_device_mappings.device_name', '/dev/sdb'),
      ],
      [
        'a disk that stays',
        ({ set }) => set(TEMPLATE, 'block_device_mappings.ebs.delete_on_termination', 'false'),
      ],
      [
        'a key that Auto Scaling may not use',
        ({ set, address }) =>
          set(
            TEMPLATE,
            'block_device_mappings.ebs.kms_key_id',
            `\${${address('aws_kms_key')}.arn}`,
          ),
      ],
      ['Bottlerocket without its disk', ({ set }) => set(GROUP, 'ami_type', 'BOTTLEROCKET_x86_64')],
      [
        'a disk that is soon full',
        ({ set }) => set(TEMPLATE, 'block_device_mappings.ebs.volume_size', 8),
      ],
      [
        'a slow disk',
        ({ set }) => set(TEMPLATE, 'block_device_mappings.ebs.volume_type', 'standard'),
      ],
    ],
    'nodes-are-private': [
      ['a key to sign in', ({ set }) => set(TEMPLATE, 'key_name', 'x')],
      ['a program at start', ({ set }) => set(TEMPLATE, 'user_data', 'IyEvYmluL3NoCg==')],
      [
        'a script in a MIME document',
        ({ set }) =>
          set(
            TEMPLATE,
            'user_data',
            '${base64encode("MIME-Version: 1.0\\nContent-Type: text/x-shellscript\\n\\n#!/bin/sh\\n")}',
          ),
      ],
      [
        'a start that the JSON does not tell',
        ({ set }) => set(TEMPLATE, 'user_data', '${local.x}'),
      ],
      ['SSH from anywhere', ({ set }) => set(GROUP, 'remote_access', { ec2_ssh_key: 'x' })],
      [
        'public addresses',
        ({ set }) => set(TEMPLATE, 'network_interfaces', [{ associate_public_ip_address: 'true' }]),
      ],
    ],
    'nodes-are-monitored': [['no monitoring', ({ drop }) => drop(TEMPLATE, 'monitoring')]],
    'node-group-uses-template': [
      ['no template', ({ drop }) => drop(GROUP, 'launch_template')],
      ['another image beside a type', ({ set }) => set(TEMPLATE, 'image_id', 'ami-1')],
      [
        'another image that is told no cluster',
        ({ set, drop }) => {
          set(TEMPLATE, 'image_id', 'ami-1');
          for (const name of ['ami_type', 'version']) drop(GROUP, name);
        },
      ],
      ['a fixed version', ({ set }) => set(GROUP, 'launch_template.version', '1')],
      ['a template of somebody else', ({ set }) => set(GROUP, 'launch_template.id', 'lt-0a1b2c3d')],
      ['an image that is no longer mended', ({ set }) => set(GROUP, 'ami_type', 'AL2_x86_64')],
      [
        'an image for another processor',
        ({ set }) => set(GROUP, 'ami_type', 'AL2023_ARM_64_STANDARD'),
      ],
      [
        'an instance of another processor',
        ({ set }) => set(GROUP, 'instance_types', ['m6g.large']),
      ],
      [
        'any instance',
        ({ set }) => {
          set(GROUP, 'instance_types', []);
          set(TEMPLATE, 'instance_type', null);
        },
      ],
      [
        'an instance of another processor in the template',
        ({ set }) => set(TEMPLATE, 'instance_type', 'm6g.large'),
      ],
      [
        'a role of somebody else',
        ({ set }) => set(GROUP, 'node_role_arn', 'arn:aws-us-gov:iam::123456789012:role/x'),
      ],
    ],
    'nodes-survive-updates': [
      ['instances that AWS takes back', ({ set }) => set(GROUP, 'capacity_type', 'SPOT')],
      [
        'no node',
        ({ set }) => set(GROUP, 'scaling_config', { min_size: 0, desired_size: 0, max_size: 3 }),
      ],
      [
        'one node',
        ({ set }) => set(GROUP, 'scaling_config', { min_size: 1, desired_size: 1, max_size: 3 }),
      ],
      [
        'no room',
        ({ set }) => set(GROUP, 'scaling_config', { min_size: 3, desired_size: 3, max_size: 3 }),
      ],
      [
        'all at once',
        ({ set }) => set(GROUP, 'update_config', { max_unavailable_percentage: 100 }),
      ],
      ['three at once', ({ set }) => set(GROUP, 'update_config', { max_unavailable: 3 })],
      ['nothing said of updates', ({ drop }) => drop(GROUP, 'update_config')],
      [
        'a number that every apply sets back',
        ({ set }) => set(GROUP, 'lifecycle.ignore_changes', ['subnet_ids']),
      ],
      [
        'deleted before new ones are there',
        ({ drop }) => drop(GROUP, 'lifecycle.create_before_destroy'),
      ],
      [
        'no update at all',
        ({ set }) => set(GROUP, 'update_config', { max_unavailable_percentage: 0 }),
      ],
      ['a taint', ({ set }) => set(GROUP, 'taint', [{ key: 'x', effect: 'NO_SCHEDULE' }])],
      ['evictions against the budget', ({ set }) => set(GROUP, 'force_update_version', true)],
    ],
  },
});
