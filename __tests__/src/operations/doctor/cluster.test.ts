import { describe, expect, it } from 'vitest';
import { judgeCluster } from '../../../../src/operations/doctor/cluster.ts';

const judged = (
  version: string,
  kubernetes_version = '',
  status: 'ACTIVE' | 'UPDATING' = 'ACTIVE',
  create_cluster = true,
) =>
  judgeCluster(
    { name: 'etl', status, version },
    { create_cluster, kubernetes_version },
    new Date('2026-11-28T00:00:00Z'),
  );

describe('doctor of a cluster', () => {
  it('is content with one in standard support', () => {
    expect(judged('1.35')).toEqual({ state: 'ok', found: 'etl, Kubernetes 1.35, ACTIVE' });
  });

  it.each([
    ['1.34', '', /leaves the standard support of EKS on 2026-12-02, in 4 days/],
    ['1.33', '1.33', /left the standard support of EKS on 2026-07-29/],
    ['1.35', '1.34', /kubernetes_version is 1.34, behind the cluster: set it to 1.35/],
  ])('warns of %s where the tfvars say %j', (version, named, next) => {
    expect(judged(version, named)).toMatchObject({
      state: 'warn',
      next: expect.stringMatching(next),
    });
  });

  it('names no setting of the stack where the cluster belongs to others', () => {
    const { next } = judged('1.34', '', 'ACTIVE', false);
    expect(next).toBe(
      'Kubernetes 1.34 leaves the standard support of EKS on 2026-12-02, in 4 days: its owner upgrades it',
    );
  });

  it('is red while it is updated', () => {
    expect(judged('1.35', '', 'UPDATING')).toMatchObject({ state: 'red' });
  });
});
