import { describe, expect, it } from 'vitest';
import {
  argumentFault,
  listOf,
  REQUIREMENTS,
  type Requirement,
  read,
} from '../../../../audit/rules/readers/resources.ts';
import { REGISTER } from '../../../../audit/rules/rule.ts';
import { modelOf } from '../../../../src/synthesized/model/model.ts';
import { smallModel } from '../../support/small-stack.ts';

const model = modelOf([
  {
    name: 'one',
    path: 'one.json',
    json: {
      provider: { aws: [{ region: 'us-gov-west-1' }] },
      resource: {
        aws_sqs_queue: {
          it: {
            name: 'files',
            delay: '7',
            on: 'true',
            off: false,
            block: [{ key: 'value' }],
            topic: '${aws_sns_topic.it.arn}',
          },
        },
        aws_sns_topic: { it: { name: 'files' } },
      },
    },
  },
]);
const [queue, topic] = model.resources;
if (queue === undefined) throw new Error('There is not a queue');
const reader = read(model, queue);

describe('read', () => {
  it('takes numbers and flags that are written as text', () => {
    expect([reader.number('delay'), reader.isTrue('on'), reader.isFalse('off')]).toEqual([
      7,
      true,
      true,
    ]);
  });

  it('tells what is missing from what is off or zero', () => {
    expect([
      reader.number('gone'),
      reader.isTrue('gone'),
      reader.isFalse('gone'),
      reader.text('gone'),
    ]).toEqual([Number.NaN, false, false, '']);
  });

  it('sees through a list of one block', () => {
    expect(reader.text('block.key')).toBe('value');
  });

  it('finds what an argument refers to, and spells its ARN', () => {
    expect(reader.target('topic')).toBe(topic);
    expect(reader.text('topic')).toBe('arn:aws-us-gov:sns:us-gov-west-1:<account>:files');
  });
});

describe('listOf', () => {
  it.each([
    [undefined, []],
    [null, []],
    ['one', ['one']],
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
  ])('of %j is %j', (value, expected) => {
    expect(listOf(value)).toEqual(expected);
  });
});

describe('argumentFault', () => {
  const said = (attributes: Record<string, unknown>, path: string, must: Requirement) => {
    const model = smallModel({
      aws_sqs_queue: { q: attributes },
      aws_sns_topic: { t: { name: 't' } },
    });
    return model.ofType('aws_sqs_queue').map((one) => argumentFault(read(model, one), path, must));
  };

  it.each<readonly [must: Requirement, right: readonly unknown[], wrong: unknown, fault: string]>([
    [{ is: true }, [true, 'true'], undefined, 'a must be true'],
    [{ is: false }, [false, 'false'], undefined, 'a must be false'],
    [{ isNot: false }, [true, undefined], false, 'a must not be false'],
    [{ isNot: true, harm: 'opens it' }, [false, undefined], true, 'a opens it'],
    [{ absent: true, harm: 'opens it' }, [undefined], 'x', 'a opens it'],
    [{ present: true, why: 'why' }, ['x'], ' ', 'a is missing: why'],
    [{ is: '2', why: 'why' }, ['2', 2], 1, 'a is 1, must be 2: why'],
    [{ oneOf: ['x', 'y'] }, ['x', undefined], 'z', 'a is z, may be x or y'],
    [{ atLeast: 1, atMost: 3 }, [1, '3'], undefined, 'a is missing, must be 1 to 3'],
    [{ atLeast: 2 }, [2], 1, 'a is 1, must be at least 2'],
    [{ atMost: 2, optional: true }, [2, undefined], 3, 'a is 3, must be at most 2'],
    [{ atLeast: 2, optional: true }, [2, undefined], 1, 'a is 1, must be at least 2'],
    [
      { refersTo: 'aws_sns_topic', noun: 'a topic' },
      ['${aws_sns_topic.t.arn}'],
      'arn:aws:sns:us-east-1:123456789012:t',
      'a is not a topic of the stack',
    ],
    [
      { ownKey: true },
      ['arn:aws:kms:us-east-1:123456789012:key/0b1e6f4c'],
      '',
      'a is missing: not encrypted with a key of the account',
    ],
  ])('by %j says what is wrong, and nothing of what is right', (must, right, wrong, fault) => {
    expect(right.flatMap((value) => said({ a: value }, 'a', must))).toEqual(
      right.map(() => undefined),
    );
    expect(said({ a: wrong }, 'a', must)).toEqual([fault]);
  });

  it('looks into blocks, and names their arguments with them', () => {
    expect(said({ block: [{ a: 1 }] }, 'block.a', { is: '2' })).toEqual([
      'block.a is 1, must be 2',
    ]);
  });
});

describe('arguments.json', () => {
  it('says of each argument one thing that it must be', () => {
    const rows = Object.values(REQUIREMENTS).flatMap((types) =>
      Object.values(types).flatMap((paths) => Object.entries(paths)),
    );
    const things = ({ harm, why, noun, optional, atLeast, atMost, ...one }: Requirement) =>
      Object.keys(one).length + (atLeast === undefined && atMost === undefined ? 0 : 1);
    expect(rows.filter(([, must]) => things(must) !== 1)).toEqual([]);
  });

  it('is about rules that there are', () => {
    expect(Object.keys(REQUIREMENTS).filter((id) => !Object.hasOwn(REGISTER, id))).toEqual([]);
  });
});
