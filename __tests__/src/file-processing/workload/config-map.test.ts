import { describe, expect, it } from 'vitest';
import { synthesizeWorkload, TOPIC_ARN } from '../../../support/synthesized-workload.ts';

describe('createConfigMap', () => {
  it("holds the listener's environment under the name that the pods refer to", () => {
    const { resources } = synthesizeWorkload();
    expect(resources['kubernetes_config_map_v1.config']).toMatchObject({
      metadata: { name: 'file-processing-config' },
      data: { S3_BUCKET: 'drop-box', SNS_TOPIC_ARNS: TOPIC_ARN },
    });
  });
});
