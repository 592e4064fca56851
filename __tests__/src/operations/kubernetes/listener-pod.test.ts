import { describe, expect, it } from 'vitest';
import { choosePod } from '../../../../src/operations/kubernetes/listener-pod.ts';

function pod(name: string, options: { owner?: string; account?: string; ready?: boolean } = {}) {
  const { owner = 'ReplicaSet', account = 'sa', ready = false } = options;
  return {
    metadata: { name, ownerReferences: [{ kind: owner }] },
    spec: { serviceAccountName: account, containers: [{ name: 'main' }, { name: 'sidecar' }] },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('the pod that is asked', () => {
  it('is a ready one', () => {
    const items = [pod('starting'), pod('ready', { ready: true })];
    expect(choosePod({ items }, 'sa')).toStrictEqual({ pod: 'ready', container: 'main' });
  });

  it('is any other where none is ready', () => {
    expect(choosePod({ items: [pod('starting')] }, 'sa')?.pod).toBe('starting');
  });

  it('is none of a Job, of another ServiceAccount, or on its way out', () => {
    const leaving = pod('leaving');
    const items = [
      pod('job', { owner: 'Job' }),
      pod('other', { account: 'default' }),
      { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    ];
    expect(choosePod({ items }, 'sa')).toBeUndefined();
  });
});
