import { describe, expect, it } from 'vitest';
import { judgeDeployments } from '../../../../src/operations/doctor/workload.ts';

function deployment(replicas: number, availableReplicas: number, updatedReplicas = replicas) {
  const status = { availableReplicas, updatedReplicas };
  return { metadata: { name: 'listener' }, spec: { replicas }, status };
}

describe('the workload', () => {
  it.each([
    [[deployment(2, 2)], 'ok', 'listener 2 of 2 available'],
    [[deployment(2, 1)], 'red', 'listener 1 of 2 available'],
    [[deployment(2, 2, 1)], 'red', 'listener 2 of 2 available'],
    [[], 'red', 'there is no Deployment'],
  ])('%j is %s', (items, state, found) => {
    expect(judgeDeployments({ items })).toMatchObject({ state, found });
  });
});
