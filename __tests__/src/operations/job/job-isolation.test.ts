import { describe, expect, it } from 'vitest';
import { labelsOfJob, networkPoliciesOfJob } from '../../../../src/operations/job/job-isolation.ts';
import {
  kubernetesObjects,
  type Manifest,
} from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';

const OBJECTS = kubernetesObjects(modelOfJson(environmentStacks('complete')));

function listeners(kind: string): Manifest {
  const name = 'file-processing-sns';
  const found = OBJECTS.map(({ manifest }) => manifest).find(
    (manifest) => manifest.kind === kind && manifest.metadata.name === name,
  );
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

const LABELS = labelsOfJob(listeners('Deployment'), OBJECTS);

it("the labels are the listener's without any that it is selected by", () => {
  expect(LABELS).toStrictEqual({
    'app.kubernetes.io/component': 'file-job',
    'app.kubernetes.io/managed-by': 'manage',
    'app.kubernetes.io/name': 'file-processing',
  });
});

describe('the network policy', () => {
  const policies = networkPoliciesOfJob(LABELS, listeners('Deployment'), OBJECTS);

  it('lets the Job reach what the listener may, and nobody reach it', () => {
    const theirs = listeners('NetworkPolicy');
    expect(policies).toHaveLength(1);
    expect(policies[0]?.metadata.name).not.toBe(theirs.metadata.name);
    expect(policies[0]?.spec).toStrictEqual({
      podSelector: { matchLabels: LABELS },
      policyTypes: ['Ingress', 'Egress'],
      egress: theirs.spec.egress,
    });
  });

  it('leaves egress open where theirs does', () => {
    const { egress: _, ...spec } = listeners('NetworkPolicy').spec;
    const manifest = { ...listeners('NetworkPolicy'), spec: { ...spec, policyTypes: ['Ingress'] } };
    const [policy] = networkPoliciesOfJob(LABELS, listeners('Deployment'), [
      { stack: '', address: '', manifest },
    ]);
    expect(policy?.spec).toStrictEqual({
      podSelector: { matchLabels: LABELS },
      policyTypes: ['Ingress'],
    });
  });

  it("is none where the listener's pods are selected by none", () => {
    const others = OBJECTS.filter(({ manifest }) => manifest.kind !== 'NetworkPolicy');
    expect(networkPoliciesOfJob(LABELS, listeners('Deployment'), others)).toEqual([]);
  });
});
