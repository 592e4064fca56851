import { describe, expect, it } from 'vitest';
import { checkNodes, nodeGroupsOf } from '../../../src/settings/check-nodes.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { fileProcessingSettings } from '../../support/settings.ts';

type Overrides = Partial<FileProcessingSettings>;
type Group = FileProcessingSettings['node_groups'][number];

const check = (overrides: Overrides) => checkNodes({ ...fileProcessingSettings(), ...overrides });

const group = (overrides: Partial<Group>): Group => ({
  ...{ name: 'spot', instance_types: ['m6i.large'], ami_type: '', ami_id: '' },
  ...{ capacity_type: 'SPOT', min_size: 1, desired_size: 1, max_size: 3, labels: {}, taints: [] },
  ...overrides,
});

describe('faults between the variables of nodes', () => {
  it.each<[string, Overrides, string, RegExp]>([
    [
      'no node where nothing adds any',
      { node_min_size: 0 },
      'node_min_size',
      /0 must be at least 1 with node_autoscaler = "none"/,
    ],
    [
      'no node of a further group where nothing adds any',
      { node_groups: [group({ min_size: 0 })] },
      'node_groups[0].min_size',
      /^0 must be at least 1 with node_autoscaler/,
    ],
    [
      'fewer nodes of a further group than its fewest',
      { node_groups: [group({ name: 'batch' }), group({ min_size: 2 })] },
      'node_groups[1].min_size',
      /^2 must not be more than desired_size 1/,
    ],
    [
      'more nodes of a further group than its most',
      { node_groups: [group({ desired_size: 4 })] },
      'node_groups[0].max_size',
      /^3 must not be less than desired_size 4/,
    ],
    [
      'a Graviton instance for an image of x86-64',
      { node_instance_types: ['m7g.large'] },
      'node_instance_types',
      /m7g\.large has arm64 processors, but ami_type AL2023_x86_64_STANDARD is for amd64/,
    ],
    [
      'an instance of x86-64 for an image of Graviton',
      { ami_type: 'BOTTLEROCKET_ARM_64_FIPS' },
      'node_instance_types',
      /t3\.medium has amd64 processors, but ami_type BOTTLEROCKET_ARM_64_FIPS is for arm64/,
    ],
    [
      'more told at the start of nodes than EC2 takes',
      {
        http_proxy: 'http://proxy.example:3128',
        no_proxy: Array(100).fill('h'.repeat(200)),
      },
      'node_user_data',
      /would be told \d{5} characters at their start; must be at most 12288/,
    ],
    [
      'more labels for an image of your own than EC2 takes',
      {
        ami_id: 'ami-0a1b2c3d',
        node_groups: [
          group({
            labels: { [`${'a'.repeat(250)}/b`]: 'c'.repeat(63) },
            taints: Array(50).fill('d'.repeat(250)),
          }),
        ],
      },
      'node_user_data',
      /would be told \d{5} characters/,
    ],
    ...['[settings.kubernetes] # main', '[ settings.kubernetes ]', '["settings".kubernetes]'].map(
      (table): [string, Overrides, string, RegExp] => [
        `a table of Bottlerocket that is written ${table}`,
        { ami_type: 'BOTTLEROCKET_x86_64', node_user_data: `${table}\nmax-pods = 50` },
        'node_user_data',
        /must have a table as \[settings\.name\], with nothing else on the line/,
      ],
    ),
    [
      'keys with dots in the table of all settings',
      {
        ami_type: 'BOTTLEROCKET_x86_64',
        node_user_data: '[settings]\nkubernetes.cluster-name = "other"',
      },
      'node_user_data',
      /must have tables below \[settings\] alone/,
    ],
    [
      'an instance of another processor in a further group',
      { node_groups: [group({ ami_type: 'AL2023_ARM_64_STANDARD' })] },
      'node_groups[0].instance_types',
      /^m6i\.large has amd64 processors/,
    ],
    [
      'a GPU',
      { node_instance_types: ['g5.xlarge'] },
      'node_instance_types',
      /g5\.xlarge has accelerators/,
    ],
    [
      'settings of Bottlerocket for Amazon Linux',
      { node_user_data: '[settings.kernel]' },
      'node_user_data',
      /must begin with "#!" \(a script\) or "apiVersion: node\.eks\.aws\/" .* with ami_type AL2023/,
    ],
    [
      'the end of a part in user data',
      { node_user_data: '#!/bin/sh\n--==file-processing-node==--' },
      'node_user_data',
      /must be without ==file-processing-node==/,
    ],
    [
      'a script for Bottlerocket',
      { ami_type: 'BOTTLEROCKET_x86_64', node_user_data: '#!/bin/sh' },
      'node_user_data',
      /must begin with a table/,
    ],
    [
      'another cluster for Bottlerocket',
      {
        ami_type: 'BOTTLEROCKET_x86_64',
        node_user_data: '[settings.kubernetes]\napi-server = "https://other"',
      },
      'node_user_data',
      /must be without api-server, which the stack sets/,
    ],
    [
      'another proxy for Bottlerocket',
      {
        ami_type: 'BOTTLEROCKET_x86_64',
        http_proxy: 'http://proxy.example.gov:3128',
        node_user_data: '[settings.network]\nhttps-proxy = "http://other:1"',
      },
      'node_user_data',
      /must be without https-proxy, which http_proxy and no_proxy fill/,
    ],
    [
      'labels for Bottlerocket in both places',
      {
        ami_type: 'BOTTLEROCKET_x86_64',
        node_user_data: '[settings.kubernetes.node-labels]\na = "b"',
        node_groups: [group({ labels: { a: 'b' } })],
      },
      'node_user_data',
      /must be without \[settings\.kubernetes\.node-labels\]/,
    ],
  ])('%s', (_, overrides, variable, message) => {
    expect(check(overrides)).toContainEqual({ variable, message: expect.stringMatching(message) });
  });

  it.each<[string, Overrides]>([
    ['no node with an autoscaler', { node_min_size: 0, node_autoscaler: 'cluster-autoscaler' }],
    [
      'Graviton',
      { ami_type: 'AL2023_ARM_64_STANDARD', node_instance_types: ['t4g.medium', 'a1.large'] },
    ],
    ['a NodeConfig', { node_user_data: '---\napiVersion: node.eks.aws/v1alpha1\n' }],
    ['a script', { node_user_data: '#!/bin/bash\n' }],
    [
      'settings of Bottlerocket',
      {
        ami_type: 'BOTTLEROCKET_x86_64',
        node_user_data: '# more pods\n[settings.kubernetes]\nmax-pods = 50\n',
      },
    ],
  ])('none of %s', (_, overrides) => {
    expect(check(overrides)).toEqual([]);
  });
});

describe('nodeGroupsOf', () => {
  const images = (overrides: Overrides) =>
    nodeGroupsOf({ ...fileProcessingSettings(), ...overrides }).map(({ amiId }) => amiId);

  it('gives a further group the image of the first where it names no type', () => {
    expect(images({ ami_id: 'ami-1', node_groups: [group({})] })).toEqual(['ami-1', 'ami-1']);
  });

  it('does not give it to one of another type', () => {
    const node_groups = [group({ ami_type: 'BOTTLEROCKET_x86_64' })];
    expect(images({ ami_id: 'ami-1', node_groups })).toEqual(['ami-1', '']);
  });

  it('gives it its own', () => {
    expect(images({ node_groups: [group({ ami_id: 'ami-2' })] })).toEqual(['', 'ami-2']);
  });
});
