import type { StackModel } from '../../../src/synthesized/model/model.ts';

/** A block of a stack that may refer to others. */
export interface StackBlock {
  readonly stack: string;
  /** Such as `aws_sns_topic.events`, `output.topic_arn` or `provider.aws`. */
  readonly address: string;
  readonly value: unknown;
}

/** Every resource, data source, output, local and provider of a stack. */
export function blocksOfStack({ name, json, resources, data }: StackModel): readonly StackBlock[] {
  const named = (prefix: string, blocks: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(blocks).map(([key, value]) => ({
      stack: name,
      address: `${prefix}.${key}`,
      value,
    }));
  return [
    ...[...resources, ...data].map(({ stack, address, attributes }) => ({
      stack,
      address,
      value: attributes,
    })),
    ...named('output', json.output),
    ...named('local', json.locals),
    ...named('provider', json.provider),
  ];
}
