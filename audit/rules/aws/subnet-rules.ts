import { contains, overlap, parseCidr } from '../../../src/settings/cidr.ts';
import { valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';
import { isPublic } from './public-subnet.ts';

/** Names of the VPC's own resolver. */
export const vpcResolvesNames: Rule = rule({
  id: 'vpc-resolves-names',
  title: 'A VPC resolves names, has one itself, and private addresses',
  reason: "Without either, a cluster's private API and interface endpoints have no address.",
  control: 'SC-20',
  severity: 'high',
  subjects: every('aws_vpc'),
  faults: (vpc, { model }) => {
    const { isTrue, text } = read(model, vpc);
    return faultsOf(
      [!isTrue('enable_dns_support'), 'enable_dns_support must be true'],
      [!isTrue('enable_dns_hostnames'), 'enable_dns_hostnames must be true'],
      [text('tags.Name') === '', 'has no tag Name, by which others find it'],
      [
        !isPrivateBlock(text('cidr_block')),
        `cidr_block ${text('cidr_block')} is not private (RFC 1918)`,
      ],
    );
  },
});

/** Addresses. */
export const subnetsFit: Rule = rule({
  id: 'subnets-fit',
  title: 'Subnets lie inside their VPC and beside each other, and give no public addresses',
  reason: 'map_public_ip_on_launch puts whatever starts there on the internet.',
  control: 'SC-7',
  severity: 'high',
  subjects: every('aws_subnet'),
  faults: (subnet, { model }) => {
    const { isFalse, text, target } = read(model, subnet);
    const vpc = target('vpc_id');
    const block = parseCidr(text('cidr_block'));
    const outer = parseCidr(vpc === undefined ? '' : read(model, vpc).text('cidr_block'));
    const others = neighbours(model, subnet, 'aws_subnet').filter((other) => other !== subnet);
    return faultsOf(
      [!isFalse('map_public_ip_on_launch'), 'map_public_ip_on_launch must be false'],
      [vpc?.type !== 'aws_vpc', 'vpc_id is no VPC of the stack'],
      [
        block === undefined || (outer !== undefined && !contains(outer, block)),
        `cidr_block ${text('cidr_block')} does not lie in its VPC`,
      ],
      ...others.map((other) => {
        const its = parseCidr(read(model, other).text('cidr_block'));
        const same = block !== undefined && its !== undefined && overlap(block, its);
        return [same, `cidr_block ${text('cidr_block')} overlaps ${other.address}`] as const;
      }),
    );
  },
});

/** Zones. */
export const subnetsSpreadZones: Rule = rule({
  id: 'subnets-spread-zones',
  title: 'Public and private subnets are spread over the same zones of the region, at least two',
  reason:
    'A cluster wants two zones, and a load balancer reaches only zones in which it has a subnet.',
  control: 'CP-10',
  severity: 'high',
  subjects: every('aws_vpc'),
  faults: (vpc, { model }) => {
    const stack = model.stackOf(vpc);
    const { region } = stack;
    const subnets = neighbours(model, vpc, 'aws_subnet').filter(
      ({ attributes }) => stack.target(attributes.vpc_id) === vpc,
    );
    const zonesOf = (open: boolean) =>
      subnets
        .filter((subnet) => isPublic(model, subnet) === open)
        .map((subnet) => read(model, subnet).text('availability_zone'));
    const [open, closed] = [zonesOf(true), zonesOf(false)];
    return [
      ...faultsOf(
        [new Set(open).size < 2, `public subnets are in ${open.join(', ') || 'no zone'}`],
        [new Set(closed).size < 2, `private subnets are in ${closed.join(', ') || 'no zone'}`],
        [
          [...new Set(open)].sort().join() !== [...new Set(closed)].sort().join(),
          `public subnets are in ${open.join(', ')}, private ones in ${closed.join(', ')}`,
        ],
        [
          new Set(open).size !== open.length || new Set(closed).size !== closed.length,
          'two subnets of one kind are in the same zone',
        ],
      ),
      ...[...open, ...closed]
        .filter((zone) => !zone.startsWith(region) || !/^[a-z]$/.test(zone.slice(region.length)))
        .map((zone) => `${zone || 'no availability_zone'} is no zone of ${region}`),
    ];
  },
});

const PUBLIC_ROLE = 'kubernetes.io/role/elb';
const PRIVATE_ROLE = 'kubernetes.io/role/internal-elb';

/** Where load balancers go. */
export const subnetsTellTheirRole: Rule = rule({
  id: 'subnets-tell-their-role',
  title: 'Subnets say by a tag whether public or internal load balancers go into them',
  reason:
    'Kubernetes finds subnets by these tags: with the wrong one a public load balancer lands in a private subnet, and is reached by nobody, or the other way round.',
  control: 'SC-7',
  severity: 'medium',
  subjects: every('aws_subnet'),
  faults: (subnet, { model }) => {
    const tags = Object(subnet.attributes.tags) as Readonly<Record<string, unknown>>;
    const [own, other] = isPublic(model, subnet)
      ? [PUBLIC_ROLE, PRIVATE_ROLE]
      : [PRIVATE_ROLE, PUBLIC_ROLE];
    return faultsOf(
      [String(tags[own]) !== '1', `tag ${own} must be 1`],
      [tags[other] !== undefined, `tag ${other} is for the other kind of subnet`],
      [String(valueAt(tags, 'Name') ?? '') === '', 'has no tag Name, by which others find it'],
    );
  },
});

/** Whether a block is one of RFC 1918 or RFC 6598. */
export function isPrivateBlock(text: string): boolean {
  const block = parseCidr(text);
  return (
    block !== undefined &&
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].some((range) => {
      const outer = parseCidr(range);
      return outer !== undefined && contains(outer, block);
    })
  );
}

/** Rules on VPCs and subnets. */
export const SUBNET_RULES: readonly Rule[] = [
  vpcResolvesNames,
  subnetsFit,
  subnetsSpreadZones,
  subnetsTellTheirRole,
];
