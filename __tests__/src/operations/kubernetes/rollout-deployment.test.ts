import { describe, expect, it } from 'vitest';
import {
  type Deployment,
  isRolledOut,
  listenerDeployment,
  selectorOf,
} from '../../../../src/operations/kubernetes/rollout-deployment.ts';

function deployment(name: string, serviceAccountName?: string): Deployment {
  return {
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name, tier: 'x' } },
      template: { spec: { serviceAccountName, containers: [{ image: 'app:1' }] } },
    },
  };
}

describe("the listener's Deployment", () => {
  it('is found by its ServiceAccount, whatever its name', () => {
    const others = [deployment('other'), deployment('third', 'default')];
    const mine = deployment('renamed', 'sa');
    expect(listenerDeployment([...others, mine], 'sa')).toBe(mine);
  });

  it('is asked for where there is none', () => {
    expect(() => listenerDeployment([deployment('other')], 'sa')).toThrow(
      'no Deployment has the ServiceAccount sa',
    );
  });

  it('is not the console, which has the same ServiceAccount', () => {
    const pages = deployment('pages', 'sa');
    const containers = [{ image: 'app', args: ['console'] }];
    const template = { spec: { ...pages.spec.template.spec, containers } };
    const served = { ...pages, spec: { ...pages.spec, template } };
    expect(listenerDeployment([served, deployment('a', 'sa')], 'sa').metadata.name).toBe('a');
  });

  it('is not guessed among several', () => {
    expect(() => listenerDeployment([deployment('a', 'sa'), deployment('b', 'sa')], 'sa')).toThrow(
      'several Deployments have the ServiceAccount sa: a, b',
    );
  });

  it('selects its pods by all of its labels', () => {
    expect(selectorOf(deployment('a'))).toBe('app=a,tier=x');
  });
});

describe('a rollout', () => {
  const DONE = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const base = deployment('a');
  const rolledOut = (status: Deployment['status']) =>
    isRolledOut({
      metadata: { name: 'a', generation: 2 },
      spec: { ...base.spec, replicas: 2 },
      status,
    });

  it('is done when every pod is new and available', () => {
    expect(rolledOut(DONE)).toBe(true);
  });

  it.each([
    ['its controller has not seen the change', { ...DONE, observedGeneration: 1 }],
    ['a pod is not new', { ...DONE, updatedReplicas: 1 }],
    ['a pod of before is left', { ...DONE, replicas: 3 }],
    ['a pod is not available', { ...DONE, availableReplicas: 1 }],
    ['nothing is known', undefined],
  ])('is not done while %s', (_, status) => {
    expect(rolledOut(status)).toBe(false);
  });
});
