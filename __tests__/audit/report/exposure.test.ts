import { describe, expect, it } from 'vitest';
import { exposuresOf } from '../../../audit/report/exposure.ts';
import type { Manifest } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { smallModel } from '../support/small-stack.ts';

function ofResource(type: string, attributes: Readonly<Record<string, unknown>>) {
  return exposuresOf(smallModel({ [type]: { it: attributes } }), []).map(
    ({ direction, text }) => `${direction}: ${text}`,
  );
}

function ofObject(kind: string, parts: Partial<Manifest>) {
  const manifest = { apiVersion: 'v1', kind, metadata: { name: 'it' }, ...parts };
  return exposuresOf(smallModel({}), [{ stack: 'app', address: 'kubernetes_x.it', manifest }]).map(
    ({ direction, text }) => `${direction}: ${text}`,
  );
}

describe('a resource', () => {
  it.each([
    ['aws_eks_cluster', { vpc_config: { endpoint_public_access: false } }, 'private: The cluster'],
    ['aws_eks_cluster', { vpc_config: {} }, 'from the whole internet'],
    [
      'aws_eks_cluster',
      { vpc_config: { endpoint_public_access: true, public_access_cidrs: ['203.0.113.0/24'] } },
      "in: The cluster's API can be reached from 203.0.113.0/24.",
    ],
    ['aws_nat_gateway', { subnet_id: 's' }, 'out: Connections'],
    ['aws_internet_gateway', {}, 'in: Whatever'],
    ['aws_egress_only_internet_gateway', {}, 'out: IPv6'],
    ['aws_subnet', { map_public_ip_on_launch: true }, 'in: Machines'],
    ['aws_vpc_endpoint', { service_name: 'com.amazonaws.us-east-1.s3' }, 'private: com.amazonaws'],
    [
      'aws_vpc_security_group_ingress_rule',
      { cidr_ipv4: '0.0.0.0/0', ip_protocol: 'tcp', from_port: 22, to_port: 22 },
      'in: Allows the whole internet on TCP 22.',
    ],
    [
      'aws_security_group',
      { ingress: { cidr_blocks: ['0.0.0.0/0'], protocol: '-1' } },
      'in: Allows the whole internet on every port.',
    ],
    ['aws_lb', {}, 'in: The load balancer'],
    ['aws_lb', { internal: true }, 'private: The load balancer'],
    ['aws_instance', { associate_public_ip_address: true }, 'in: The machine'],
    ['aws_db_instance', { publicly_accessible: true }, 'in: The database'],
    [
      'aws_sns_topic_subscription',
      { protocol: 'https', endpoint: 'https://files.example.gov/' },
      'in: SNS posts to https://files.example.gov/',
    ],
  ])('%s %j is "%s"', (type, attributes, expected) => {
    expect(ofResource(type, attributes)).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    ['aws_nat_gateway', { connectivity_type: 'private' }],
    ['aws_subnet', { map_public_ip_on_launch: false }],
    ['aws_vpc_security_group_ingress_rule', { cidr_ipv4: '10.0.0.0/16', ip_protocol: 'tcp' }],
    ['aws_sns_topic_subscription', { protocol: 'sqs', endpoint: 'arn' }],
    ['aws_kms_key', {}],
  ])('%s %j is not a way to the internet', (type, attributes) => {
    expect(ofResource(type, attributes)).toEqual([]);
  });

  it('that routes to the internet names the subnets that it makes public', () => {
    const model = smallModel({
      aws_internet_gateway: { this: {} },
      aws_route: {
        out: {
          destination_cidr_block: '0.0.0.0/0',
          gateway_id: '${aws_internet_gateway.this.id}',
          route_table_id: '${aws_route_table.public.id}',
        },
      },
      aws_route_table: { public: {}, private: {} },
      aws_route_table_association: {
        a: {
          route_table_id: '${aws_route_table.public.id}',
          subnet_id: '${aws_subnet.a.id}',
        },
        b: {
          route_table_id: '${aws_route_table.private.id}',
          subnet_id: '${aws_subnet.b.id}',
        },
      },
      aws_subnet: { a: {}, b: {} },
    });
    expect(exposuresOf(model, [])).toContainEqual(
      expect.objectContaining({ text: 'Makes public subnets of aws_subnet.a.' }),
    );
  });
});

describe('a Kubernetes object', () => {
  const spec = { type: 'LoadBalancer', ports: [{ port: 443, protocol: 'TCP' }] };
  const annotated = (annotations: Readonly<Record<string, string>>) => ({
    spec,
    metadata: { name: 'it', annotations },
  });
  const prefix = 'service.beta.kubernetes.io/aws-load-balancer-';

  it('that is a load balancer listens for the whole internet', () => {
    expect(ofObject('Service', { spec })).toEqual([
      'in: A load balancer listens for TCP 443 without TLS, from the whole internet.',
    ]);
  });

  it('that has a certificate and sources says so', () => {
    const { metadata } = annotated({ [`${prefix}ssl-cert`]: 'arn' });
    const bounded = { ...spec, loadBalancerSourceRanges: ['198.51.100.0/24'] };
    expect(ofObject('Service', { metadata, spec: bounded })).toEqual([
      'in: A load balancer listens for TCP 443 with TLS, from 198.51.100.0/24.',
    ]);
  });

  it('that is an internal load balancer is private', () => {
    expect(ofObject('Service', annotated({ [`${prefix}scheme`]: 'internal' }))[0]).toMatch(
      /^private/,
    );
  });

  it('that is inside the cluster is not a way to the internet', () => {
    expect(ofObject('Service', { spec: { ports: [{ port: 80 }] } })).toEqual([]);
  });

  it('that is an Ingress names its hosts', () => {
    const rules = [{ host: 'files.example.gov' }];
    expect(ofObject('Ingress', { spec: { rules, tls: [{}] } })).toEqual([
      'in: Requests for files.example.gov are let in with TLS.',
    ]);
  });

  it('that is a NetworkPolicy tells what it opens to any address', () => {
    const any = [{ ipBlock: { cidr: '0.0.0.0/0' } }];
    const policy = {
      ingress: [{ from: any, ports: [{ protocol: 'TCP', port: 8080 }] }],
      egress: [
        { to: any, ports: [{ protocol: 'TCP', port: 443 }] },
        { to: [{ podSelector: {} }], ports: [{ protocol: 'UDP', port: 53 }] },
      ],
    };
    expect(ofObject('NetworkPolicy', { spec: policy })).toEqual([
      'in: The pods accept connections from any address on TCP 8080.',
      'out: The pods may connect to any address on TCP 443.',
    ]);
  });
});
