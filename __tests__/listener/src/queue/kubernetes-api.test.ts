import { expect, test } from 'vitest';
import { KubernetesError, pageOfJobs } from '../../../../listener/src/queue/kubernetes-api.ts';

test('a page of a list of Jobs is taken as it is', () => {
  const page = { items: [], metadata: { continue: 'next' } };
  expect(pageOfJobs(page)).toBe(page);
});

test.each([undefined, null, 'x', {}, { items: null }, { items: {} }])(
  'an answer %j is not a list of Jobs, and one clear error',
  (answer) => {
    expect(() => pageOfJobs(answer)).toThrow(KubernetesError);
    expect(() => pageOfJobs(answer)).toThrow('the answer of the API server is not a list of Jobs');
  },
);
