import { describe, expect, it } from 'vitest';
import { type Check, mergeFindings, type RuleDescription } from '../../audit/findings.ts';

const RULES: readonly RuleDescription[] = [
  { by: 'rules', id: 'a', title: 'A', severity: 'low' },
  { by: 'rules', id: 'b', title: 'B', severity: 'high' },
];

function check(rule: string, ...faults: readonly string[]): Check {
  return { by: 'rules', rule, stack: 'app', address: 'x.y', faults };
}

function messages(...faults: readonly string[]): readonly string[] {
  return mergeFindings([{ region: 'east', checks: [check('a', ...faults)] }], RULES).map(
    ({ message }) => message,
  );
}

describe('failed checks', () => {
  it('are one finding for both regions, in the words of the first', () => {
    const looks = [
      { region: 'west', checks: [check('a', 'arn of west')] },
      { region: 'east', checks: [check('a', 'arn of east')] },
    ];
    expect(mergeFindings(looks, RULES)).toStrictEqual([
      {
        by: 'rules',
        rule: 'a',
        severity: 'low',
        place: 'app/x.y',
        message: 'Arn of west.',
        regions: ['west', 'east'],
      },
    ]);
  });

  it('that the second region shows beside those of the first are said, too', () => {
    const looks = [
      {
        region: 'us-gov-west-1',
        checks: [check('a', 'opens arn:aws-us-gov:sns:us-gov-west-1:x')],
      },
      {
        region: 'us-east-1',
        checks: [check('a', 'opens arn:aws:sns:us-east-1:x', 'has no key')],
      },
    ];
    expect(mergeFindings(looks, RULES)).toMatchObject([
      { message: 'Opens arn:aws-us-gov:sns:us-gov-west-1:x. Has no key.' },
    ]);
  });

  it('that the second region alone shows are found as well', () => {
    const looks = [
      { region: 'west', checks: [check('a')] },
      { region: 'east', checks: [check('a', 'wrong')] },
    ];
    expect(mergeFindings(looks, RULES)).toMatchObject([{ regions: ['east'] }]);
  });

  it('come in the order of their severity', () => {
    const checks = [check('a', 'small'), check('b', 'large')];
    expect(mergeFindings([{ region: 'east', checks }], RULES).map(({ rule }) => rule)).toEqual([
      'b',
      'a',
    ]);
  });

  it('are sentences, but names of arguments keep their spelling', () => {
    expect(messages('has no key', 'kms_key_id is missing', 'Done.')).toEqual([
      'Has no key. kms_key_id is missing. Done.',
    ]);
  });

  it('say a thing once, however both views spell it', () => {
    const checks = ['CPU limits should be set.', 'CPU Limits should be set.'].map(
      (fault): Check => ({ ...check('a', fault), by: 'checkov' }),
    );
    const found = mergeFindings([{ region: 'east', checks }], RULES);
    expect(found.map(({ message }) => message)).toEqual(['CPU Limits should be set.']);
  });

  it('of our own rules say how often the same was found, so that a waiver of one is none of two', () => {
    expect(messages('opens all', 'opens all')).toEqual(['Opens all (2 times).']);
    const twice = [check('a', 'opens all'), check('a', 'opens all')];
    expect(mergeFindings([{ region: 'east', checks: twice }], RULES)).toMatchObject([
      { message: 'Opens all (2 times).' },
    ]);
  });
});

it('passed checks are not findings', () => {
  expect(mergeFindings([{ region: 'east', checks: [check('a')] }], RULES)).toEqual([]);
});
