import { type Model, modelOf, type StackModel } from '../../../src/synthesized/model/model.ts';
import type { TerraformJson } from '../../../src/synthesized/synthesized-stack.ts';

/** The model of some stacks' Terraform JSON, by name, in the order that a folder gives them. */
export function modelOfJson(stacks: Readonly<Record<string, TerraformJson>>): Model {
  return modelOf(
    Object.entries(stacks)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, json]) => ({ name, path: `${name}/cdk.tf.json`, json })),
  );
}

/** The model of one stack, `stack`, in us-gov-west-1 unless its JSON says otherwise. */
export function stackModelOf(json: TerraformJson): StackModel {
  const [stack] = modelOfJson({
    stack: { provider: { aws: [{ region: 'us-gov-west-1' }] }, ...json },
  }).stacks;
  if (stack === undefined) throw new Error('there is no stack');
  return stack;
}
