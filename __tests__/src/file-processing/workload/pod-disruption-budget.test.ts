import { describe, expect, it } from 'vitest';
import { synthesizeWorkload } from '../../../support/synthesized-workload.ts';

describe('createPodDisruptionBudget', () => {
  it("lets one of the listener's pods go at a time", () => {
    const { resources } = synthesizeWorkload({ replicas: 2 });
    expect(resources['kubernetes_pod_disruption_budget_v1.sns_listener']).toHaveProperty('spec', {
      max_unavailable: '1',
      selector: { match_labels: { app: 'file-processing-sns' } },
    });
  });
});
