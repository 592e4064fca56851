import { describe, expect, it } from 'vitest';
import { faultsOf, listOf, read } from '../../../../audit/rules/readers/resources.ts';
import { modelOf } from '../../../../src/synthesized/model/model.ts';

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

describe('faultsOf', () => {
  it('keeps the sentences of what is wrong', () => {
    expect(faultsOf([true, 'wrong'], [false, 'right'])).toEqual(['wrong']);
  });
});
