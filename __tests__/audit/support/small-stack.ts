import { type Model, modelOf } from '../../../src/synthesized/model/model.ts';
import type { NamedBlocks, TerraformJson } from '../../../src/synthesized/synthesized-stack.ts';

/** Model of one stack `app` in us-east-1 with some resources. */
export function smallModel(resource: NamedBlocks, json: TerraformJson = {}): Model {
  return modelOf([
    {
      name: 'app',
      path: 'stacks/app/cdk.tf.json',
      json: { provider: { aws: [{ region: 'us-east-1' }] }, ...json, resource },
    },
  ]);
}
