import { blocksOf, type Model, type Resource, valueAt } from '../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../src/synthesized/views/kubernetes-manifests.ts';

/** A way between the internet and something in the stacks. */
export interface Exposure {
  readonly stack: string;
  readonly address: string;
  /** `in`: can be reached from the internet; `out`: reaches it; `private`: reached without it. */
  readonly direction: 'in' | 'out' | 'private';
  /** One sentence. */
  readonly text: string;
}

const ANYWHERE = ['0.0.0.0/0', '::/0'];

/** What is reachable from the internet, what reaches it, and what goes around it. */
export function exposuresOf(
  model: Model,
  objects: readonly KubernetesObject[],
): readonly Exposure[] {
  const placed = ({ stack, address }: Pick<Exposure, 'stack' | 'address'>, found: Found = []) =>
    found.map(([direction, text]) => ({ stack, address, direction, text }));
  return [
    ...model.resources.flatMap((one) => placed(one, OF_TYPE[one.type]?.(one, model))),
    ...objects.flatMap((one) => placed(one, OF_KIND[one.manifest.kind]?.(one))),
  ];
}

type Found = readonly (readonly [Exposure['direction'], string])[];

const OF_TYPE: Readonly<Record<string, (resource: Resource, model: Model) => Found>> = {
  aws_eks_cluster: (resource, model) => {
    const at = (path: string) => resolved(model, resource, `vpc_config.${path}`);
    if (at('endpoint_public_access') === false) {
      return [['private', "The cluster's API has no public address."]];
    }
    const from = listOf(at('public_access_cidrs') ?? ANYWHERE.slice(0, 1));
    return [['in', `The cluster's API can be reached from ${sourcesInWords(from)}.`]];
  },
  aws_internet_gateway: () => [
    ['in', 'Whatever has a public address in a subnet that routes here can be reached.'],
  ],
  aws_egress_only_internet_gateway: () => [['out', 'IPv6 traffic goes out; none comes in.']],
  aws_nat_gateway: (resource, model) =>
    resolved(model, resource, 'connectivity_type') === 'private'
      ? []
      : [['out', 'Connections from private subnets go out by its address; none come in.']],
  aws_route: (resource, model) => {
    const to = ['destination_cidr_block', 'destination_ipv6_cidr_block']
      .map((path) => resolved(model, resource, path))
      .find((cidr) => ANYWHERE.includes(String(cidr)));
    const stack = model.stackOf(resource);
    const gateway = stack.target(resource.attributes.gateway_id);
    if (to === undefined || gateway?.type !== 'aws_internet_gateway') return [];
    const table = stack.target(resource.attributes.route_table_id)?.address;
    const subnets = stack.resources
      .filter(({ type }) => type === 'aws_route_table_association')
      .filter(({ attributes }) => stack.target(attributes.route_table_id)?.address === table)
      .map(({ attributes }) => stack.target(attributes.subnet_id)?.address ?? '');
    return [['in', `Makes public subnets of ${subnets.join(', ') || 'no subnet'}.`]];
  },
  aws_subnet: (resource, model) =>
    resolved(model, resource, 'map_public_ip_on_launch') === true
      ? [['in', 'Machines that start here get a public address.']]
      : [],
  aws_vpc_endpoint: (resource, model) => [
    [
      'private',
      `${String(resolved(model, resource, 'service_name'))} is reached without the internet.`,
    ],
  ],
  aws_vpc_security_group_ingress_rule: (resource, model) => {
    const from = ['cidr_ipv4', 'cidr_ipv6'].map((path) => resolved(model, resource, path));
    return from.some((cidr) => ANYWHERE.includes(String(cidr)))
      ? [['in', `Allows the whole internet on ${portsInWords(resource.attributes)}.`]]
      : [];
  },
  aws_security_group: ({ attributes }) =>
    blocksOf(attributes.ingress)
      .filter((block) => listOf(block.cidr_blocks).some((cidr) => ANYWHERE.includes(cidr)))
      .map((block) => ['in', `Allows the whole internet on ${portsInWords(block)}.`]),
  aws_lb: (resource, model) =>
    resolved(model, resource, 'internal') === true
      ? [['private', 'The load balancer has private addresses.']]
      : [['in', 'The load balancer has public addresses.']],
  aws_instance: (resource, model) =>
    resolved(model, resource, 'associate_public_ip_address') === true
      ? [['in', 'The machine has a public address.']]
      : [],
  aws_db_instance: (resource, model) =>
    resolved(model, resource, 'publicly_accessible') === true
      ? [['in', 'The database has a public address.']]
      : [['private', 'The database has no public address.']],
  aws_sns_topic_subscription: (resource, model) => {
    const protocol = String(resolved(model, resource, 'protocol'));
    if (!protocol.startsWith('http')) return [];
    const endpoint = String(resolved(model, resource, 'endpoint'));
    return [['in', `SNS posts to ${endpoint} from the internet, by ${protocol.toUpperCase()}.`]];
  },
};

const OF_KIND: Readonly<Record<string, (object: KubernetesObject) => Found>> = {
  Service: ({ manifest: { metadata, spec } }) => {
    const ports = blocksOf(spec?.ports).map((port) => `${port.protocol ?? 'TCP'} ${port.port}`);
    if (spec?.type === 'NodePort') {
      return [['private', `Every node listens for ${ports.join(', ')}, for whoever reaches it.`]];
    }
    if (spec?.type !== 'LoadBalancer') return [];
    const annotations = metadata.annotations ?? {};
    const annotation = (name: string) =>
      annotations[`service.beta.kubernetes.io/aws-load-balancer-${name}`];
    const transport = annotation('ssl-cert') === undefined ? 'without TLS' : 'with TLS';
    if (annotation('scheme') === 'internal' || annotation('internal') === 'true') {
      return [['private', `A load balancer inside the VPC listens for ${ports.join(', ')}.`]];
    }
    const from = listOf(spec.loadBalancerSourceRanges ?? ANYWHERE.slice(0, 1));
    const text = `A load balancer listens for ${ports.join(', ')} ${transport}, from ${sourcesInWords(from)}.`;
    return [['in', text]];
  },
  Ingress: ({ manifest: { metadata, spec } }) => {
    const hosts = blocksOf(spec?.rules).map(({ host }) => String(host ?? 'any host'));
    const scheme = metadata.annotations?.['alb.ingress.kubernetes.io/scheme'];
    const direction = scheme === 'internal' ? 'private' : 'in';
    const transport =
      blocksOf(spec?.tls).length > 0 ? 'with TLS' : 'with TLS only if its controller adds it';
    return [[direction, `Requests for ${hosts.join(', ')} are let in ${transport}.`]];
  },
  NetworkPolicy: ({ manifest: { spec } }) => {
    const rules = (side: 'ingress' | 'egress', peers: 'from' | 'to') =>
      blocksOf(spec?.[side])
        .filter((rule) =>
          blocksOf(rule[peers]).some((peer) =>
            ANYWHERE.includes(String(valueAt(peer, 'ipBlock.cidr'))),
          ),
        )
        .flatMap((rule) => blocksOf(rule.ports).map((port) => `${port.protocol} ${port.port}`));
    const found = (direction: 'in' | 'out', verb: string, ports: readonly string[]): Found =>
      ports.length === 0
        ? []
        : [[direction, `The pods ${verb} any address on ${ports.join(', ')}.`]];
    return [
      ...found('in', 'accept connections from', rules('ingress', 'from')),
      ...found('out', 'may connect to', rules('egress', 'to')),
    ];
  },
};

function resolved(model: Model, resource: Resource, path: string): unknown {
  return model.stackOf(resource).resolve(valueAt(resource.attributes, path));
}

function listOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => item !== undefined).map(String);
}

function sourcesInWords(cidrs: readonly string[]): string {
  return cidrs.some((cidr) => ANYWHERE.includes(cidr)) ? 'the whole internet' : cidrs.join(', ');
}

function portsInWords({ ip_protocol, protocol, from_port, to_port }: Resource['attributes']) {
  const name = String(ip_protocol ?? protocol ?? '');
  if (name === '-1') return 'every port';
  return `${name.toUpperCase()} ${from_port === to_port ? from_port : `${from_port} to ${to_port}`}`;
}
