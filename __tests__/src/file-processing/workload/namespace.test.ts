import { describe, expect, it } from 'vitest';
import { synthesizeFileProcessing } from '../../../support/synthesized-file-processing.ts';
import { synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const ADDRESS = 'kubernetes_namespace_v1.ns';

describe('createNamespace', () => {
  it.each(['enforce', 'audit', 'warn'])('sets pod security to restricted in mode %s', (mode) => {
    const namespace = synthesizeWorkload().resources[ADDRESS];
    expect(namespace).toHaveProperty(
      ['metadata', 'labels', `pod-security.kubernetes.io/${mode}`],
      'restricted',
    );
    expect(namespace).toHaveProperty(
      ['metadata', 'labels', `pod-security.kubernetes.io/${mode}-version`],
      'latest',
    );
  });

  it('carries the given name and annotations', () => {
    const { resources } = synthesizeWorkload({ namespace: 'etl', annotations: { team: 'etl' } });
    expect(resources[ADDRESS]).toMatchObject({
      metadata: { name: 'etl', annotations: { team: 'etl' } },
    });
  });

  it('is not made when it is there already', () => {
    const { resources } = synthesizeWorkload({ create_namespace: false });
    expect(resources).not.toHaveProperty([ADDRESS]);
  });

  it('stays, with all that is in it, when it is given to others', () => {
    const left = { from: ADDRESS, lifecycle: [{ destroy: false }] };
    const removedWith = (created: boolean) =>
      synthesizeFileProcessing({ create_namespace: created }).removed;
    expect(removedWith(false)).toContainEqual(left);
    expect(removedWith(true)).not.toContainEqual(left);
  });
});
