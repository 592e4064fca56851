import { describe, expect, it } from 'vitest';
import {
  placeholderValues,
  type ValueSources,
} from '../../../../src/operations/manifests/placeholder-values.ts';
import { kubernetesObjects } from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { placeholdersOf } from '../../../../src/synthesized/views/placeholders.ts';
import { stackModelOf } from '../../../audit/support/stack-model.ts';

const stack = stackModelOf({
  output: { topic: { value: '${aws_sns_topic.t.arn}' } },
  resource: {
    kubernetes_config_map_v1: {
      c: {
        metadata: { name: 'c' },
        data: { _a: '2', B: '<&>\u2028é"\\', A: '${aws_sns_topic.t.arn}' },
      },
      d: {
        metadata: { name: 'd' },
        data: {
          sum: '${sha256(jsonencode(kubernetes_config_map_v1.c.data))}',
          x: '${aws_a_b.c.d}',
        },
      },
    },
  },
});
const OBJECTS = kubernetesObjects({ stacks: [stack] });

function valuesFrom(sources: Partial<ValueSources>): ReadonlyMap<string, string> {
  return placeholderValues(placeholdersOf(stack, OBJECTS), OBJECTS, {
    outputs: {},
    given: {},
    ...sources,
  });
}

describe('values of placeholders', () => {
  it('come from outputs, from what is given, and from the data that a checksum is of', () => {
    const values = valuesFrom({ outputs: { topic: 'arn' }, given: { AWS_A_B_C_D: 'x=y' } });
    expect(Object.fromEntries(values)).toStrictEqual({
      'aws_sns_topic.t.arn': 'arn',
      'aws_a_b.c.d': 'x=y',
      // By Terraform 1.11: sha256(jsonencode({"_a":"2","B":"<&>\u2028é\"\\","A":"arn"}))
      'sha256(jsonencode(kubernetes_config_map_v1.c.data))':
        '70a90ec45d463ba39e37e7128905bf177f1385b637514832c967d1fa6e24a2be',
    });
  });

  it('that are given go before outputs', () => {
    const given = { TOPIC: 'mine', AWS_A_B_C_D: 'x' };
    expect(valuesFrom({ outputs: { topic: 'arn' }, given }).get('aws_sns_topic.t.arn')).toBe(
      'mine',
    );
  });

  it('that nobody has are named all at once, with what would give them', () => {
    expect(() => valuesFrom({})).toThrow(
      /^no value for\n {2}AWS_A_B_C_D: aws_a_b\.c\.d, which no output gives\n {2}TOPIC: .*, the output topic\n {2}CHECKSUM_.*, which needs the others$/,
    );
  });

  it('for no placeholder are refused', () => {
    expect(() => valuesFrom({ given: { NONE: 'x' } })).toThrow(
      /--set: NONE is not a placeholder; .*TOPIC/,
    );
  });
});
