import { fipsHost } from '@file-processing/contract/partition.ts';
import { contains, overlap, parseCidr } from '../../../src/settings/cidr.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import {
  argumentRule,
  every,
  isPublic,
  listOf,
  mustBe,
  mustBeAbsent,
  mustBeFalse,
  mustBeSet,
  mustBeTrue,
  mustReferTo,
  neighbours,
  read,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';
import { usesFips } from '../terraform/settings.ts';
import { tablesOf } from './routes.ts';

const PUBLIC_ROLE = 'kubernetes.io/role/elb';
const PRIVATE_ROLE = 'kubernetes.io/role/internal-elb';

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

function isGateway(model: Model, endpoint: Resource): boolean {
  return ['', 'Gateway'].includes(read(model, endpoint).text('vpc_endpoint_type'));
}

/** Host of the FIPS endpoint of an endpoint's service, where it is called and neither reached by it nor by another way. */
function uncoveredHost(model: Model, endpoint: Resource, service: string): readonly string[] {
  const stack = model.stackOf(endpoint);
  const [, name = ''] = /\.(kms|sqs|sts)$/.exec(service) ?? [];
  const host = fipsHost(name, stack.region);
  const isCovered =
    name === '' ||
    !host.startsWith(`${name}-fips.`) ||
    !usesFips(stack) ||
    neighbours(model, endpoint, 'aws_nat_gateway').length > 0 ||
    neighbours(model, endpoint, 'aws_vpc_endpoint').some(
      (other) => read(model, other).text('service_name') === `${service}-fips`,
    );
  return isCovered ? [] : [host];
}

function isNotification(service: string): boolean {
  return /\.sns$/.test(service);
}

/** Rules on VPCs, subnets, flow logs and endpoints. */
export const VPC_RULES: readonly Rule[] = [
  argumentRule({
    id: 'vpc-resolves-names',
    title: 'A VPC resolves names, has one itself, and private addresses',
    reason: "Without either, a cluster's private API and interface endpoints have no address.",
    control: 'SC-20',
    severity: 'high',
    must: {
      aws_vpc: {
        enable_dns_support: mustBeTrue,
        enable_dns_hostnames: mustBeTrue,
        'tags.Name': mustBeSet('others find it by that'),
        cidr_block: ({ text, path }) => [
          !isPrivateBlock(text(path)) && `${path} ${text(path)} is not private (RFC 1918)`,
        ],
      },
    },
  }),
  argumentRule({
    id: 'subnets-fit',
    title: 'Subnets lie inside their VPC and beside each other, and give no public addresses',
    reason: 'map_public_ip_on_launch puts whatever starts there on the internet.',
    control: 'SC-7',
    severity: 'high',
    must: {
      aws_subnet: {
        map_public_ip_on_launch: mustBeFalse,
        vpc_id: mustReferTo('aws_vpc', 'a VPC'),
      },
    },
    faults: (subnet, { model }) => {
      const { text, target } = read(model, subnet);
      const vpc = target('vpc_id');
      const block = parseCidr(text('cidr_block'));
      const outer = parseCidr(vpc === undefined ? '' : read(model, vpc).text('cidr_block'));
      const others = neighbours(model, subnet, 'aws_subnet').filter((other) => other !== subnet);
      return [
        (block === undefined || (outer !== undefined && !contains(outer, block))) &&
          `cidr_block ${text('cidr_block')} does not lie in its VPC`,
        ...others.map((other) => {
          const its = parseCidr(read(model, other).text('cidr_block'));
          const same = block !== undefined && its !== undefined && overlap(block, its);
          return same && `cidr_block ${text('cidr_block')} overlaps ${other.address}`;
        }),
      ];
    },
  }),
  rule({
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
        new Set(open).size < 2 && `public subnets are in ${open.join(', ') || 'no zone'}`,
        new Set(closed).size < 2 && `private subnets are in ${closed.join(', ') || 'no zone'}`,
        [...new Set(open)].sort().join() !== [...new Set(closed)].sort().join() &&
          `public subnets are in ${open.join(', ')}, private ones in ${closed.join(', ')}`,
        (new Set(open).size !== open.length || new Set(closed).size !== closed.length) &&
          'two subnets of one kind are in the same zone',
        ...[...open, ...closed]
          .filter((zone) => !zone.startsWith(region) || !/^[a-z]$/.test(zone.slice(region.length)))
          .map((zone) => `${zone || 'no availability_zone'} is not a zone of ${region}`),
      ];
    },
  }),
  rule({
    id: 'subnets-have-role-tags',
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
      return [
        String(tags[own]) !== '1' && `tag ${own} must be 1`,
        tags[other] !== undefined && `tag ${other} is for the other kind of subnet`,
        String(valueAt(tags, 'Name') ?? '') === '' && 'has no tag Name, by which others find it',
      ];
    },
  }),
  rule({
    id: 'vpc-has-flow-log',
    title: 'Every VPC logs all its traffic into an encrypted log group of the stack',
    reason:
      'Without accepted traffic an intrusion leaves no trace, without rejected traffic neither does its attempt.',
    control: 'AU-12',
    severity: 'medium',
    subjects: every('aws_vpc'),
    faults: (vpc, { model }) => {
      const logs = neighbours(model, vpc, 'aws_flow_log').filter(
        (log) => read(model, log).target('vpc_id') === vpc,
      );
      return logs.length > 0 ? [] : ['has no flow log: set flow_logs = true'];
    },
  }),
  argumentRule({
    id: 'flow-log-is-complete',
    title: 'A flow log has all traffic of a VPC, by the minute, with a role that writes it',
    reason:
      'A log of one kind of traffic, of one subnet, or in an unencrypted place looks like a log.',
    control: 'AU-12',
    severity: 'medium',
    must: {
      aws_flow_log: {
        traffic_type: mustBe('ALL'),
        vpc_id: mustReferTo('aws_vpc', 'a VPC'),
        log_destination: mustReferTo('aws_cloudwatch_log_group', 'a log group'),
        log_destination_type: mustBe('cloud-watch-logs'),
        iam_role_arn: mustReferTo('aws_iam_role', 'a role'),
        max_aggregation_interval: mustBe('60', 'ten minutes hide short connections'),
      },
    },
  }),
  rule({
    id: 'vpc-has-s3-endpoint',
    title: 'Every VPC reaches S3 by a gateway endpoint, from all its subnets',
    reason:
      'Without it every file of a client goes over the NAT gateway: over the internet, and paid by the gigabyte.',
    control: 'SC-7',
    severity: 'medium',
    subjects: every('aws_vpc'),
    faults: (vpc, { model }) => {
      const stack = model.stackOf(vpc);
      const endpoints = neighbours(model, vpc, 'aws_vpc_endpoint').filter(
        (endpoint) =>
          read(model, endpoint).target('vpc_id') === vpc &&
          isGateway(model, endpoint) &&
          /\.s3$/.test(read(model, endpoint).text('service_name')),
      );
      const [endpoint] = endpoints;
      if (endpoint === undefined) return ['has no gateway endpoint for S3'];
      const connected = listOf(endpoint.attributes.route_table_ids).map((id) => stack.target(id));
      return neighbours(model, vpc, 'aws_subnet')
        .filter((subnet) => read(model, subnet).target('vpc_id') === vpc)
        .filter((subnet) => tablesOf(model, subnet).some((table) => !connected.includes(table)))
        .map(({ address }) => `${address} does not reach S3 by ${endpoint.address}`);
    },
  }),
  argumentRule({
    id: 'endpoints-reach-all',
    title:
      'Interface endpoints lie in every private subnet, behind a group of the stack, under the name of their service',
    reason:
      'Without private DNS nobody uses the endpoint; without a subnet in a zone that zone pays for the way through another. A policy that shuts out is found at the first call.',
    control: 'SC-7',
    severity: 'medium',
    must: {
      aws_vpc_endpoint: {
        vpc_id: mustReferTo('aws_vpc', 'a VPC'),
        policy: mustBeAbsent('has not been reviewed'),
      },
    },

    faults: (endpoint, { model }) => {
      const { text, isTrue, stack } = read(model, endpoint);
      const service = text('service_name');
      const common = [
        !new RegExp(`^(?:cn\\.)?com\\.amazonaws\\.${stack.region}\\.[a-z0-9.-]+$`).test(service) &&
          `service_name is ${service}, not a service of ${stack.region}`,
      ];
      if (isGateway(model, endpoint)) {
        return [
          ...common,
          !/\.(s3|dynamodb)$/.test(service) && `${service} has no gateway endpoint`,
        ];
      }
      const subnets = listOf(endpoint.attributes.subnet_ids).map((id) => stack.target(id));
      const groups = listOf(endpoint.attributes.security_group_ids).map((id) => stack.target(id));
      const missing = neighbours(model, endpoint, 'aws_subnet').filter(
        (subnet) => !isPublic(model, subnet) && !subnets.includes(subnet),
      );
      return [
        ...common,
        text('vpc_endpoint_type') !== 'Interface' &&
          `vpc_endpoint_type is ${text('vpc_endpoint_type') || 'missing'}`,
        (groups.length === 0 || groups.some((group) => group?.type !== 'aws_security_group')) &&
          'security_group_ids must be groups of the stack: without, it gets the default group',
        ...uncoveredHost(model, endpoint, service).map(
          (host) => `${host}, which the stacks call, is not covered, and there is no NAT gateway`,
        ),
        !isNotification(service) &&
          !isTrue('private_dns_enabled') &&
          'private_dns_enabled must be true',
        ...missing.map(({ address }) => `${address} has no interface of it`),
        ...subnets
          .filter((subnet) => subnet !== undefined && isPublic(model, subnet))
          .map((subnet) => `lies in ${subnet?.address}, a public subnet`),
      ];
    },
  }),
  argumentRule({
    id: 'sns-endpoint-keeps-certificates',
    title: 'An interface endpoint for SNS leaves the name of the service alone',
    reason:
      'The receiver fetches the signing certificate from the host of SNS: with private DNS that is the endpoint, which has no certificates, and every message is refused.',
    control: 'SC-8(1)',
    severity: 'high',
    must: { aws_vpc_endpoint: { private_dns_enabled: mustBeFalse } },
    where: (endpoint, { model }) => isNotification(read(model, endpoint).text('service_name')),
  }),
];
