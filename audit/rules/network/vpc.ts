import { fipsHost } from '@file-processing/contract/partition.ts';
import { contains, overlap, parseCidr } from '../../../src/settings/cidr.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { parsePolicy } from '../../policy/policy-document.ts';
import { isTlsRefusal } from '../identity/policies.ts';
import {
  argumentRule,
  every,
  isGiven,
  isPublic,
  listOf,
  neighbours,
  read,
  referring,
  tablesOf,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';
import { usesFips } from '../terraform/settings.ts';
import { isPrivate } from './network-policies.ts';

const PUBLIC_ROLE = 'kubernetes.io/role/elb';
const PRIVATE_ROLE = 'kubernetes.io/role/internal-elb';

/** Whether a text is a block of RFC 1918 or RFC 6598. */
export function isPrivateBlock(text: string): boolean {
  return parseCidr(text) !== undefined && isPrivate(text);
}

function isGateway(model: Model, endpoint: Resource): boolean {
  return ['', 'Gateway'].includes(read(model, endpoint).text('vpc_endpoint_type'));
}

/** Whether the policy of an endpoint lets all through, as without one, but what comes without TLS. */
function isOpenPolicy(text: unknown): boolean {
  const { statements = [] } = parsePolicy(text) ?? {};
  const isAll = (list: readonly string[]) => list.some((one) => /^(\w+:)?\*$/.test(one));
  return (
    statements.some(
      ({ effect, principals = [], actions, resources, conditions }) =>
        effect === 'Allow' &&
        principals.some(({ type }) => type === '*') &&
        isAll(actions) &&
        isAll(resources) &&
        conditions.length === 0,
    ) && statements.every((one) => one.effect === 'Allow' || isTlsRefusal(one))
  );
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
    faults: (vpc, { model }) => {
      const block = read(model, vpc).text('cidr_block');
      return [!isPrivateBlock(block) && `cidr_block ${block} is not private (RFC 1918)`];
    },
  }),
  argumentRule({
    id: 'subnets-fit',
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
    subjects: every('aws_vpc'),
    faults: (vpc, { model }) => {
      const stack = model.stackOf(vpc);
      const { region } = stack;
      const subnets = referring(model, vpc, 'aws_subnet', 'vpc_id');
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
    subjects: every('aws_vpc'),
    faults: (vpc, { model }) => {
      const logs = referring(model, vpc, 'aws_flow_log', 'vpc_id');
      return logs.length > 0 ? [] : ['has no flow log: set flow_logs = true'];
    },
  }),
  argumentRule({ id: 'flow-log-is-complete' }),
  rule({
    id: 'vpc-has-s3-endpoint',
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
      return referring(model, vpc, 'aws_subnet', 'vpc_id')
        .filter((subnet) => tablesOf(model, subnet).some((table) => !connected.includes(table)))
        .map(({ address }) => `${address} does not reach S3 by ${endpoint.address}`);
    },
  }),
  argumentRule({
    id: 'endpoints-reach-all',
    faults: (endpoint, { model }) => {
      const { text, isTrue, stack } = read(model, endpoint);
      const service = text('service_name');
      const common = [
        !new RegExp(`^(?:cn\\.)?com\\.amazonaws\\.${stack.region}\\.[a-z0-9.-]+$`).test(service) &&
          `service_name is ${service}, not a service of ${stack.region}`,
        isGiven(endpoint.attributes.policy) &&
          !isOpenPolicy(endpoint.attributes.policy) &&
          `policy may refuse what the stacks ask of ${service}: leave it out, or refuse plain HTTP alone`,
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
    where: (endpoint, { model }) => isNotification(read(model, endpoint).text('service_name')),
  }),
];
