import { describe, expect, it } from 'vitest';
import {
  argumentRule,
  type Check,
  listOf,
  mayBe,
  mayBeAtLeast,
  mayBeAtMost,
  mustBe,
  mustBeAbsent,
  mustBeAtLeast,
  mustBeFalse,
  mustBeOwnKey,
  mustBeSet,
  mustBeTrue,
  mustBeWithin,
  mustNotBeFalse,
  mustNotBeTrue,
  mustReferTo,
  read,
} from '../../../../audit/rules/readers/resources.ts';
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

describe('argumentRule', () => {
  const said = (attributes: Record<string, unknown>, must: Readonly<Record<string, Check>>) => {
    const audited = {
      model: smallModel({ aws_sqs_queue: { q: attributes }, aws_sns_topic: { t: { name: 't' } } }),
      objects: [],
      now: new Date(0),
    };
    const row = {
      id: 'a-rule',
      title: 'T',
      reason: 'R',
      control: 'AC-6',
      severity: 'low',
    } as const;
    const rule = argumentRule({ ...row, must: { aws_sqs_queue: must } });
    return rule.judge(audited).flatMap(({ faults }) => faults);
  };

  it.each<readonly [string, Check, right: readonly unknown[], wrong: unknown, fault: string]>([
    ['mustBeTrue', mustBeTrue, [true, 'true'], undefined, 'a must be true'],
    ['mustBeFalse', mustBeFalse, [false, 'false'], undefined, 'a must be false'],
    ['mustNotBeFalse', mustNotBeFalse, [true, undefined], false, 'a must not be false'],
    ['mustNotBeTrue', mustNotBeTrue('opens it'), [false, undefined], true, 'a opens it'],
    ['mustBeAbsent', mustBeAbsent('opens it'), [undefined], 'x', 'a opens it'],
    ['mustBeSet', mustBeSet('why'), ['x'], ' ', 'a is missing: why'],
    ['mustBe', mustBe('2', 'why'), ['2', 2], 1, 'a is 1, must be 2: why'],
    ['mayBe', mayBe('x', 'y'), ['x', undefined], 'z', 'a is z, may be x or y'],
    ['mustBeWithin', mustBeWithin(1, 3), [1, '3'], undefined, 'a is missing, must be 1 to 3'],
    ['mustBeAtLeast', mustBeAtLeast(2), [2], 1, 'a is 1, must be at least 2'],
    ['mayBeAtMost', mayBeAtMost(2), [2, undefined], 3, 'a must be at most 2'],
    ['mayBeAtLeast', mayBeAtLeast(2), [2, undefined], 1, 'a must be at least 2'],
    [
      'mustReferTo',
      mustReferTo('aws_sns_topic', 'a topic'),
      ['${aws_sns_topic.t.arn}'],
      'arn:aws:sns:us-east-1:123456789012:t',
      'a is not a topic of the stack',
    ],
    [
      'mustBeOwnKey',
      mustBeOwnKey,
      ['arn:aws:kms:us-east-1:123456789012:key/0b1e6f4c'],
      '',
      'a is missing: not encrypted with a key of the account',
    ],
  ])('says by %s what is wrong, and nothing of what is right', (_, check, right, wrong, fault) => {
    expect(right.flatMap((value) => said({ a: value }, { a: check }))).toEqual([]);
    expect(said({ a: wrong }, { a: check })).toEqual([fault]);
  });

  it('looks into blocks, and names their arguments with them', () => {
    expect(said({ block: [{ a: 1 }] }, { 'block.a': mustBe('2') })).toEqual([
      'block.a is 1, must be 2',
    ]);
  });
});
