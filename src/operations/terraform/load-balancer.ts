import type { NetworkInterface } from '@aws-sdk/client-ec2';
import type { AwsClients } from '../aws-clients.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { type HeldResource, managedResources, type StateJson } from './plan-json.ts';

const BETWEEN_TRIES = 10_000;

/** A load balancer that Kubernetes made for one of the stack's objects. */
export interface LoadBalancer {
  /** Address of the Service or Ingress. */
  readonly address: string;
  /** Its name in AWS; absent while it has no host name. */
  readonly name: string | undefined;
}

/** The load balancers that a state's Services and Ingresses have. */
export function loadBalancersOf(state: StateJson): readonly LoadBalancer[] {
  return managedResources(state)
    .filter((resource) => hasLoadBalancer(resource))
    .map(({ address, values }) => {
      const hostname = hostnameIn(values);
      return { address, name: hostname === undefined ? undefined : loadBalancerName(hostname) };
    });
}

/**
 * Name of a load balancer by its host name: `<name>-<id>.elb.<region>.amazonaws.com` for a network
 * load balancer, `[internal-]<name>-<id>.<region>.elb.amazonaws.com` for the other kinds (Elastic Load
 * Balancing, "DNS name").
 */
export function loadBalancerName(hostname: string): string {
  const [label = ''] = hostname.split('.');
  return label.replace(/^internal-/, '').replace(/-[^-]+$/, '');
}

/**
 * Whether a network interface was made for a load balancer: its description is `ELB net/<name>/<id>`,
 * `ELB app/<name>/<id>`, or `ELB <name>` for a classic one.
 */
export function isInterfaceOf(name: string, { Description = '' }: NetworkInterface): boolean {
  return (
    Description === `ELB ${name}` ||
    Description.startsWith(`ELB net/${name}/`) ||
    Description.startsWith(`ELB app/${name}/`)
  );
}

/** Ids of the network interfaces that load balancers have in a VPC. */
export async function interfacesOf(
  clients: AwsClients,
  vpcId: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const { paginateDescribeNetworkInterfaces } = await import('@aws-sdk/client-ec2');
  const pages = paginateDescribeNetworkInterfaces(
    { client: await clients.ec2() },
    { Filters: [{ Name: 'vpc-id', Values: [vpcId] }] },
  );
  const ids: string[] = [];
  for await (const { NetworkInterfaces = [] } of pages) {
    const ours = NetworkInterfaces.filter((found) =>
      names.some((name) => isInterfaceOf(name, found)),
    );
    ids.push(...ours.map(({ NetworkInterfaceId = '' }) => NetworkInterfaceId));
  }
  return ids;
}

/**
 * Waits until a deleted load balancer's network interfaces are gone, which takes AWS some minutes:
 * until then their subnets and the VPC can't be deleted.
 *
 * @param remaining - ids of those that are left
 * @param seconds - how long to wait; 0 asks once
 * @throws OperationError (EXIT.unavailable) that names those that are left
 */
export async function waitForInterfaces(
  { clock, stderr }: Pick<OperationContext, 'clock' | 'stderr'>,
  remaining: () => Promise<readonly string[]>,
  seconds: number,
): Promise<void> {
  const end = clock.now().getTime() + seconds * 1000;
  for (let last = -1; ; ) {
    const ids = await remaining();
    if (ids.length === 0) return;
    if (clock.now().getTime() >= end) {
      throw new OperationError(
        `the load balancer is deleted, but its network interfaces are still there after ${seconds} s: ${ids.join(', ')}`,
        {
          next: 'run destroy again in some minutes, or with a longer --wait; the load balancer itself is gone, so it goes on from here',
          code: EXIT.unavailable,
        },
      );
    }
    if (ids.length !== last) {
      stderr.write(`Waiting for ${ids.length} network interface(s) of the load balancer to go.\n`);
    }
    last = ids.length;
    await clock.sleep(BETWEEN_TRIES);
  }
}

function hasLoadBalancer({ type, values }: HeldResource): boolean {
  if (type.startsWith('kubernetes_ingress')) return true;
  if (!type.startsWith('kubernetes_service')) return false;
  const [spec] = blocks(values.spec);
  return spec?.type === 'LoadBalancer';
}

function hostnameIn(values: HeldResource['values']): string | undefined {
  const [status] = blocks(values.status);
  const [loadBalancer] = blocks(status?.load_balancer);
  const [ingress] = blocks(loadBalancer?.ingress);
  return typeof ingress?.hostname === 'string' && ingress.hostname !== ''
    ? ingress.hostname
    : undefined;
}

/** Terraform shows nested blocks as lists of objects. */
function blocks(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as readonly Readonly<Record<string, unknown>>[]) : [];
}
