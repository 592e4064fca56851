import { describe, expect, it } from 'vitest';
import { ROLE_ARN, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const ADDRESS = 'kubernetes_service_account_v1.sa';

describe('createServiceAccount', () => {
  it('names the role that its pods assume, beside the given annotations', () => {
    const { resources } = synthesizeWorkload({ annotations: { team: 'etl' } });
    expect(resources[ADDRESS]).toHaveProperty('metadata.annotations', {
      team: 'etl',
      'eks.amazonaws.com/role-arn': ROLE_ARN,
    });
  });

  it('mounts no token of the Kubernetes API', () => {
    const { resources } = synthesizeWorkload();
    expect(resources[ADDRESS]).toHaveProperty('automount_service_account_token', false);
  });

  it('has the name that the pods use', () => {
    const { resources } = synthesizeWorkload({ service_account_name: 'reader' });
    expect(resources[ADDRESS]).toHaveProperty('metadata.name', 'reader');
    expect(resources['kubernetes_deployment_v1.sns_listener']).toHaveProperty(
      'spec.template.spec.service_account_name',
      'reader',
    );
  });
});
