import { describe, expect, test } from 'vitest';
import {
  isInterfaceOf,
  loadBalancerName,
  loadBalancersOf,
  waitForInterfaces,
} from '../../../../src/operations/terraform/load-balancer.ts';

const NAME = 'a0b1c2d3e4f5061728394a5b6c7d8e9f';
const HOST = `${NAME}-0123456789abcdef.elb.us-gov-west-1.amazonaws.com`;

function stateWith(type: string, attributes: Readonly<Record<string, unknown>>) {
  const instances = [{ attributes }];
  return { resources: [{ mode: 'managed' as const, type, name: 'sns_listener', instances }] };
}

const status = (hostname: string) => [{ load_balancer: [{ ingress: [{ hostname }] }] }];

describe('the load balancers in a state', () => {
  test('are those of Services of that type, by the name in their host name', () => {
    const values = { spec: [{ type: 'LoadBalancer' }], status: status(HOST) };
    expect(loadBalancersOf(stateWith('kubernetes_service_v1', values))).toStrictEqual([
      { address: 'kubernetes_service_v1.sns_listener', name: NAME },
    ]);
  });

  test('are those of an Ingress', () => {
    const host = 'k8s-files-0a1b2c-1234567890.us-gov-west-1.elb.amazonaws.com';
    expect(
      loadBalancersOf(stateWith('kubernetes_ingress_v1', { status: status(host) })),
    ).toStrictEqual([{ address: 'kubernetes_ingress_v1.sns_listener', name: 'k8s-files-0a1b2c' }]);
  });

  test('have no name before they have a host name', () => {
    const values = { spec: [{ type: 'LoadBalancer' }], status: [{ load_balancer: [{}] }] };
    expect(loadBalancersOf(stateWith('kubernetes_service_v1', values))[0]?.name).toBeUndefined();
  });

  test('are none for a Service inside the cluster', () => {
    const values = { spec: [{ type: 'ClusterIP' }] };
    expect(loadBalancersOf(stateWith('kubernetes_service_v1', values))).toEqual([]);
  });
});

test('an internal load balancer has its name after a prefix', () => {
  expect(loadBalancerName('internal-etl-1234567890.us-gov-west-1.elb.amazonaws.com')).toBe('etl');
});

describe('a network interface', () => {
  test.each([`ELB net/${NAME}/0123456789abcdef`, `ELB app/${NAME}/01`, `ELB ${NAME}`])(
    '"%s" is of the load balancer',
    (Description) => {
      expect(isInterfaceOf(NAME, { Description })).toBe(true);
    },
  );

  test.each([
    `ELB net/${NAME}0/0123456789abcdef`,
    'ELB net/another/0123456789abcdef',
    `Amazon EKS ${NAME}`,
    undefined,
  ])('"%s" is not', (Description) => {
    expect(isInterfaceOf(NAME, { Description })).toBe(false);
  });
});

describe('waiting for the interfaces', () => {
  /** A clock in which only waiting takes time; what is left at each look. */
  function waitFor(seconds: number, left: readonly (readonly string[])[]) {
    let now = 0;
    let looks = 0;
    const clock = {
      now: () => new Date(now),
      sleep: async (milliseconds: number) => {
        now += milliseconds;
      },
    };
    const remaining = async () => left[looks++] ?? left.at(-1) ?? [];
    const written: string[] = [];
    const stderr = { write: (text: string) => written.push(text) };
    return waitForInterfaces({ clock, stderr }, remaining, seconds).then(() => written);
  }

  test('ends when they are gone, and says how many are left whenever that changes', async () => {
    expect(await waitFor(60, [['eni-1', 'eni-2'], ['eni-1', 'eni-2'], ['eni-2'], []])).toEqual([
      'Waiting for 2 network interface(s) of the load balancer to go.\n',
      'Waiting for 1 network interface(s) of the load balancer to go.\n',
    ]);
  });

  test('says nothing when there is none', async () => {
    expect(await waitFor(60, [[]])).toEqual([]);
  });

  test('ends after the time with those that are left', async () => {
    await expect(waitFor(20, [['eni-1', 'eni-2']])).rejects.toMatchObject({
      message: expect.stringContaining('after 20 s: eni-1, eni-2'),
      code: 69,
    });
  });
});
