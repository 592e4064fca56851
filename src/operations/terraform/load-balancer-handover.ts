import { lookup } from 'node:dns/promises';
import { type Kubectl, kubectlFor } from '../kubernetes/kubectl.ts';
import { type OperationContext, waitFor } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';
import type { OpenOptions, OpenStack } from './open-stack.ts';
import { type HeldResource, managedResources, type StateJson } from './plan-json.ts';
import { waitForEndpoint } from './subscription-endpoint.ts';

/** Address of the Service whose load balancer SNS posts to. */
export const LOAD_BALANCER_SERVICE = 'kubernetes_service_v1.sns_listener';

/** How long the old load balancer goes on: so long may somebody remember its addresses, in seconds. */
export const DRAIN_SECONDS = 300;

/** A Service as the Kubernetes API has it. */
interface Service {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly type: string;
    readonly loadBalancerClass?: string;
    readonly externalTrafficPolicy?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
      readonly protocol?: string;
    }[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly hostname?: string }[] };
  };
}

/** How a handover is done. */
export interface HandoverOptions extends OpenOptions {
  readonly autoApprove?: boolean;
  /** The name of `sns_endpoint_url` leads to the new one by way of something in front. @default false */
  readonly endpointMoved?: boolean;
  /** Seconds that each wait may take. @default 900 */
  readonly wait?: number;
}

/** Addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const resolveHost: Resolve = async (host) => {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
};

/** The Service in a state, if it has a load balancer. */
export function loadBalancerServiceIn(
  state: StateJson,
): { readonly name: string; readonly loadBalancerClass: string } | undefined {
  const service = managedResources(state).find(({ address }) => address === LOAD_BALANCER_SERVICE);
  const spec = firstBlock(service?.values.spec);
  if (spec?.type !== 'LoadBalancer') return undefined;
  return {
    name: String(firstBlock(service?.values.metadata)?.name),
    loadBalancerClass: String(spec.load_balancer_class ?? ''),
  };
}

function firstBlock(value: HeldResource['values'][string]) {
  const [block] = Array.isArray(value) ? value : [];
  return block as Readonly<Record<string, unknown>> | undefined;
}

/**
 * Makes a Service of the class that the settings name beside the one that exists, waits until the name of
 * `sns_endpoint_url` leads to its load balancer, and puts it in the other's place in the state. Each step finds
 * what an earlier run has done. Where there is no Service yet, there is nothing to hand over.
 *
 * @returns what is to be done after the apply: deletes the Services that were replaced
 * @throws OperationError (EXIT.refused) when declined; (EXIT.unavailable) when a wait is over
 */
export async function handOverLoadBalancer(
  context: OperationContext,
  options: HandoverOptions,
  stack: OpenStack,
  resolve: Resolve = resolveHost,
): Promise<(() => Promise<void>) | undefined> {
  const { load_balancer_class: wanted, sns_endpoint_url: url } = stack.settings;
  if (wanted === '') {
    throw new OperationError('--replace-load-balancer needs load_balancer_class in the tfvars', {
      code: EXIT.usage,
    });
  }
  const held = loadBalancerServiceIn(await stack.terraform.state());
  const kubectl = await kubectlFor(context, targetOf(context, options));
  try {
    const services = await servicesOf(kubectl);
    const current = services.find(({ metadata }) => metadata.name === held?.name) ?? services[0];
    if (current === undefined) return undefined;
    if (held?.loadBalancerClass !== wanted) {
      const made = services.find(({ spec }) => spec.loadBalancerClass === wanted);
      const name = made?.metadata.name ?? otherName(current.metadata.name);
      await requireConsent(context, options, current.metadata.name, name, wanted);
      if (made === undefined) await makeService(kubectl, serviceLike(current, name, wanted));
      const wait = options.wait ?? 900;
      const host = await hostOf(context, kubectl, name, wait);
      if (url !== '') await waitForName(context, { ...options, wait, url, host }, resolve);
      await adopt(stack, held?.name, name);
      context.stderr.write(
        `The Service ${name} has taken the place of ${current.metadata.name}.\n`,
      );
    }
    return () => deleteOthers(context, options, stack);
  } finally {
    kubectl.dispose();
  }
}

/** The Services that this stack and its handovers make. */
async function servicesOf(kubectl: Kubectl): Promise<readonly Service[]> {
  const listed = await kubectlDone(kubectl, ['get', 'services', '--output', 'json']);
  const { items } = JSON.parse(listed) as { readonly items: readonly Service[] };
  return items.filter(
    ({ metadata, spec }) => spec.type === 'LoadBalancer' && NAMES.includes(metadata.name),
  );
}

const NAMES: readonly string[] = ['sns-listener', 'sns-listener-2'];

function otherName(name: string): string {
  return NAMES.find((other) => other !== name) ?? name;
}

/** The same Service under another name and of another class, without what the cluster has filled in. */
function serviceLike({ metadata, spec }: Service, name: string, loadBalancerClass: string): object {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) =>
    key.startsWith('service.beta.kubernetes.io/'),
  );
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: metadata.labels, annotations: Object.fromEntries(annotations) },
    spec: {
      type: spec.type,
      loadBalancerClass,
      externalTrafficPolicy: spec.externalTrafficPolicy,
      selector: spec.selector,
      ports: spec.ports.map(({ name: port, port: number, targetPort, protocol }) => ({
        ...{ name: port, port: number, targetPort, protocol },
      })),
    },
  };
}

async function makeService(kubectl: Kubectl, service: object): Promise<void> {
  const input = JSON.stringify(service);
  await kubectlDone(kubectl, ['create', '--filename', '-'], input);
}

/** Waits for the host name of a Service's load balancer. */
async function hostOf(
  { clock, stderr }: OperationContext,
  kubectl: Kubectl,
  name: string,
  seconds: number,
): Promise<string> {
  stderr.write(`Waiting for the load balancer of the Service ${name}.\n`);
  const host = await waitFor(clock, seconds, async () => {
    const found = (await servicesOf(kubectl)).find(({ metadata }) => metadata.name === name);
    return found?.status?.loadBalancer?.ingress?.[0]?.hostname;
  });
  if (host !== undefined) return host;
  throw new OperationError(`the Service ${name} has no load balancer after ${seconds} s`, {
    next: `see what its controller says: kubectl describe service ${name}; the old load balancer still serves. Run the same command again to go on, or delete the new Service to go back`,
    code: EXIT.unavailable,
  });
}

/** Waits until the host of the endpoint has addresses of the new load balancer alone, and answers. */
async function waitForName(
  context: OperationContext,
  options: HandoverOptions & { readonly url: string; readonly host: string; readonly wait: number },
  resolve: Resolve,
): Promise<void> {
  const { url, host, wait } = options;
  const { hostname } = new URL(url);
  if (!options.endpointMoved) {
    context.stderr.write(
      `Point ${hostname} at ${host} now. Both load balancers serve meanwhile.\n`,
    );
    const moved = await waitFor(context.clock, wait, async () => {
      const [addresses, its] = await Promise.all([resolve(hostname), resolve(host)]);
      return (addresses.length > 0 && addresses.every((one) => its.includes(one))) || undefined;
    });
    if (moved === undefined) {
      throw new OperationError(`${hostname} does not lead to ${host} after ${wait} s`, {
        next: `point it there (or set sns_endpoint_url to a name that does) and run the same command again, which goes on from here; both load balancers serve meanwhile. Where something stands in front of the load balancer, let that lead to ${host} and add --endpoint-moved`,
        code: EXIT.unavailable,
      });
    }
  }
  await waitForEndpoint(context, url, wait);
}

/** Puts the new Service into the old one's place in the state; where that fails, all is as before. */
async function adopt(
  { terraform, settings }: OpenStack,
  old: string | undefined,
  name: string,
): Promise<void> {
  const idOf = (service: string) => `${settings.namespace}/${service}`;
  if (old !== undefined) await terraform.removeFromState(LOAD_BALANCER_SERVICE);
  try {
    await terraform.importResource(LOAD_BALANCER_SERVICE, idOf(name));
  } catch (error) {
    if (old !== undefined) await terraform.importResource(LOAD_BALANCER_SERVICE, idOf(old));
    throw error;
  }
}

/** Deletes the Services that are not in the state any more. */
async function deleteOthers(
  context: OperationContext,
  options: HandoverOptions,
  { terraform, settings }: OpenStack,
): Promise<void> {
  const held = loadBalancerServiceIn(await terraform.state());
  const kubectl = await kubectlFor(context, targetOf(context, options));
  try {
    const services = await servicesOf(kubectl);
    const others = services
      .map(({ metadata }) => metadata.name)
      .filter((one) => one !== held?.name);
    if (held === undefined || others.length === 0) return;
    if (settings.sns_endpoint_url !== '') {
      context.stderr.write(
        `The old load balancer goes in ${DRAIN_SECONDS} s: so long may SNS remember its addresses.\n`,
      );
      await context.clock.sleep(DRAIN_SECONDS * 1000);
    }
    await kubectlDone(kubectl, ['delete', 'service', ...others]);
    context.stderr.write(`Deleted the Service ${others.join(', ')} and its load balancer.\n`);
  } finally {
    kubectl.dispose();
  }
}

async function requireConsent(
  { confirm }: OperationContext,
  { autoApprove = false }: HandoverOptions,
  old: string,
  name: string,
  wanted: string,
): Promise<void> {
  const question = `Make the Service ${name} of class ${wanted}, with a load balancer and a host name of its own, and delete ${old} once the endpoint leads to it?`;
  if (autoApprove || (await confirm(question))) return;
  throw new OperationError('declined; no Service was made', {
    next: '--auto-approve goes on without asking',
    code: EXIT.refused,
  });
}

async function kubectlDone(
  kubectl: Kubectl,
  parameters: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await kubectl.inNamespace(
    parameters,
    input === undefined ? {} : { input },
  );
  if (code === 0) return stdout;
  throw new OperationError(`kubectl ${parameters.slice(0, 2).join(' ')}: ${stderr.trim()}`);
}
