import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import type { Runner } from '../../../../src/operations/runner.ts';
import {
  handOverLoadBalancer,
  loadBalancerServiceIn,
  type Resolve,
} from '../../../../src/operations/terraform/load-balancer-handover.ts';
import { requireLoadBalancerClass } from '../../../../src/operations/terraform/preconditions.ts';
import { operationContext } from '../../../support/manage.ts';
import {
  CLASS,
  HANDOVER,
  stackWithService,
  stateWithService,
} from '../../../support/played-handover.ts';

const WANTED = { load_balancer_class: CLASS };
const OLD = { name: 'sns-listener' };
const FIRST = 'kubernetes_service_v1.sns_listener';

let endpoint: string;

beforeAll(async () => {
  const server = createServer((_, response) => response.writeHead(405).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://localhost:${(server.address() as AddressInfo).port}/`;
  return () => server.close();
});

interface PlayedService {
  metadata: { name: string; annotations?: object };
  spec: { loadBalancerClass?: string; ports?: object };
}

/** A cluster that has Services, whose controller gives each a host name, unless it is not there. */
function cluster(
  services: readonly [name: string, loadBalancerClass?: string][],
  { controller = true } = {},
) {
  const listed: PlayedService[] = services.map(([name, loadBalancerClass]) => ({
    metadata: { name, annotations: { 'service.beta.kubernetes.io/a': 'b', 'example.gov/c': 'd' } },
    spec: {
      type: 'LoadBalancer',
      ...(loadBalancerClass !== undefined && { loadBalancerClass }),
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', nodePort: 31234 }],
    },
  }));
  const waits: number[] = [];
  const text = { err: '' };
  const run: Runner = async (program, parameters, options) => {
    if (program === 'kubectl' && parameters.includes('create')) {
      listed.push(JSON.parse(String(options?.input)));
    }
    if (program === 'kubectl' && parameters.includes('delete')) {
      const names = parameters.slice(parameters.indexOf('service') + 1);
      for (const name of names) {
        listed.splice(
          listed.findIndex(({ metadata }) => metadata.name === name),
          1,
        );
      }
    }
    const items = listed.map((service) => ({
      ...service,
      ...(controller && {
        status: { loadBalancer: { ingress: [{ hostname: `${service.metadata.name}.elb` }] } },
      }),
    }));
    return { code: 0, stdout: JSON.stringify({ items }), stderr: '' };
  };
  const context: OperationContext = operationContext({
    run,
    stderr: { write: (written) => (text.err += written) },
    clock: {
      now: () => new Date(0),
      sleep: async (milliseconds) => {
        waits.push(milliseconds);
      },
    },
  });
  return { context, listed, waits, text, names: () => listed.map(({ metadata }) => metadata.name) };
}

/** DNS in which the name of the endpoint leads to the new load balancer after some looks. */
function nameThatMovesAfter(looks: number): Resolve {
  let looked = 0;
  return async (host) => {
    if (host === 'sns-listener-2.elb') return ['192.0.2.2'];
    looked += 1;
    return [looked > looks ? '192.0.2.2' : '192.0.2.1'];
  };
}

describe('a class that the Service in the state does not have', () => {
  const { stack } = stackWithService(WANTED, OLD);

  test('is refused with its cost and the way out', () => {
    expect(() => requireLoadBalancerClass(stack, stateWithService('sns-listener'))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('a new load balancer under a new host name'),
        next: expect.stringContaining('--replace-load-balancer'),
        code: 77,
      }),
    );
  });

  test('is not refused where the Service has it, or is not there yet', () => {
    requireLoadBalancerClass(stack, stateWithService('sns-listener', CLASS));
    requireLoadBalancerClass(stack, {});
  });

  test('is what the cluster has set, and no fault, where the settings name none', () => {
    const { stack: unnamed } = stackWithService({}, OLD);
    requireLoadBalancerClass(unnamed, stateWithService('sns-listener', CLASS));
  });
});

test('a Service inside the cluster has no load balancer', () => {
  const attributes = { spec: [{ type: 'ClusterIP' }] };
  const service = { mode: 'managed' as const, type: 'kubernetes_service_v1', name: 'sns_listener' };
  expect(
    loadBalancerServiceIn({ resources: [{ ...service, instances: [{ attributes }] }] }),
  ).toBeUndefined();
});

describe('a handover', () => {
  test('makes the new Service, waits for the name, and deletes the old one after the apply', async () => {
    const { context, names, listed, waits, text } = cluster([['sns-listener']]);
    const { stack, commands } = stackWithService(
      { ...WANTED, sns_endpoint_url: endpoint, image: 'a:1' },
      OLD,
    );
    const finish = await handOverLoadBalancer(context, HANDOVER, stack, nameThatMovesAfter(2));
    expect(text.err).toContain('Point localhost at sns-listener-2.elb now');
    expect(names()).toEqual(['sns-listener', 'sns-listener-2']);
    expect(listed[1]).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'sns-listener-2', annotations: { 'service.beta.kubernetes.io/a': 'b' } },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: CLASS,
        ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
      },
    });
    expect(commands).toEqual([
      `state rm ${FIRST}`,
      `import ${FIRST} file-processing/sns-listener-2`,
    ]);
    expect(waits).toEqual([1000, 1000]);
    await finish?.();
    expect(waits.at(-1)).toBe(300_000);
    expect(names()).toEqual(['sns-listener-2']);
  });

  test('leaves both where the name does not move in time, and goes on at the next run', async () => {
    const { context, names } = cluster([['sns-listener']]);
    const { stack, commands, held } = stackWithService(
      { ...WANTED, sns_endpoint_url: endpoint, image: 'a:1' },
      OLD,
    );
    await expect(
      handOverLoadBalancer(context, HANDOVER, stack, nameThatMovesAfter(1000)),
    ).rejects.toMatchObject({ code: 69, next: expect.stringContaining('--endpoint-moved') });
    expect(commands).toEqual([]);
    expect(names()).toEqual(['sns-listener', 'sns-listener-2']);
    await handOverLoadBalancer(context, HANDOVER, stack, nameThatMovesAfter(0));
    expect(names()).toHaveLength(2);
    expect(held()).toBe('sns-listener-2');
  });

  test('takes the word of whoever has something in front of the load balancer', async () => {
    const { context } = cluster([['sns-listener']]);
    const { stack, held } = stackWithService(
      { ...WANTED, sns_endpoint_url: endpoint, image: 'a:1' },
      OLD,
    );
    const resolve = async () => ['198.51.100.1'];
    await handOverLoadBalancer(context, { ...HANDOVER, endpointMoved: true }, stack, resolve);
    expect(held()).toBe('sns-listener-2');
  });

  test('needs no name while there is no endpoint', async () => {
    const { context, names, waits } = cluster([['sns-listener']]);
    const { stack } = stackWithService(WANTED, OLD);
    const finish = await handOverLoadBalancer(context, HANDOVER, stack);
    await finish?.();
    expect(names()).toEqual(['sns-listener-2']);
    expect(waits).toEqual([]);
  });

  test('goes back to the first name the next time', async () => {
    const { context, names } = cluster([['sns-listener-2', 'example.gov/other']]);
    const { stack } = stackWithService(WANTED, {
      name: 'sns-listener-2',
      loadBalancerClass: 'example.gov/other',
    });
    const finish = await handOverLoadBalancer(context, HANDOVER, stack);
    await finish?.();
    expect(names()).toEqual(['sns-listener']);
  });

  test('that was interrupted after the apply only deletes the old one', async () => {
    const { context, names } = cluster([['sns-listener'], ['sns-listener-2', CLASS]]);
    const held = { name: 'sns-listener-2', loadBalancerClass: CLASS };
    const { stack, commands } = stackWithService(WANTED, held);
    const finish = await handOverLoadBalancer(context, HANDOVER, stack);
    await finish?.();
    expect(commands).toEqual([]);
    expect(names()).toEqual(['sns-listener-2']);
  });

  test('takes in the new Service where it ended between the two steps of the state', async () => {
    const { context } = cluster([['sns-listener'], ['sns-listener-2', CLASS]]);
    const { stack, commands } = stackWithService(WANTED, { name: undefined });
    await handOverLoadBalancer(context, HANDOVER, stack);
    expect(commands).toEqual([`import ${FIRST} file-processing/sns-listener-2`]);
  });

  test('whose import fails leaves the old Service in the state', async () => {
    const { context } = cluster([['sns-listener']]);
    const { stack, held } = stackWithService(WANTED, OLD, { fail: true });
    await expect(handOverLoadBalancer(context, HANDOVER, stack)).rejects.toThrow(/does not answer/);
    expect(held()).toBe('sns-listener');
  });

  test('says so where nothing makes a load balancer of the class', async () => {
    const { context } = cluster([['sns-listener']], { controller: false });
    const { stack, held } = stackWithService(WANTED, OLD);
    await expect(handOverLoadBalancer(context, HANDOVER, stack)).rejects.toMatchObject({
      message: 'the Service sns-listener-2 has no load balancer after 30 s',
      code: 69,
    });
    expect(held()).toBe('sns-listener');
  });

  test('makes nothing where nobody says yes', async () => {
    const { context, names } = cluster([['sns-listener']]);
    const { stack } = stackWithService(WANTED, OLD);
    await expect(
      handOverLoadBalancer(context, { ...HANDOVER, autoApprove: false }, stack),
    ).rejects.toMatchObject({ code: 77 });
    expect(names()).toEqual(['sns-listener']);
  });

  test('needs the class', async () => {
    const { context } = cluster([['sns-listener']]);
    const { stack } = stackWithService({}, OLD);
    await expect(handOverLoadBalancer(context, HANDOVER, stack)).rejects.toMatchObject({
      code: 64,
    });
  });

  test('has nothing to do before the first deploy', async () => {
    const { context } = cluster([]);
    const { stack, commands } = stackWithService(WANTED, { name: undefined });
    expect(await handOverLoadBalancer(context, HANDOVER, stack)).toBeUndefined();
    expect(commands).toEqual([]);
  });
});
