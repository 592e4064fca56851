import { describe, expect, it } from 'vitest';
import {
  expressionsIn,
  referenceOf,
  referencesIn,
  templateParts,
} from '../../../../src/synthesized/model/expression.ts';

describe('a template', () => {
  it.each([
    ['plain text', 'abc', [{ expression: false, text: 'abc' }]],
    ['nothing', '', []],
    [
      'text around',
      'a${b.c}d',
      [
        { expression: false, text: 'a' },
        { expression: true, text: 'b.c' },
        { expression: false, text: 'd' },
      ],
    ],
    [
      'two in a row',
      '${a}${b}',
      [
        { expression: true, text: 'a' },
        { expression: true, text: 'b' },
      ],
    ],
    ['escaped', 'x $${a} y', [{ expression: false, text: 'x ${a} y' }]],
    ['an escaped directive', '%%{if a}y', [{ expression: false, text: '%{if a}y' }]],
    [
      'escaped after one',
      '${a}$${b}',
      [
        { expression: true, text: 'a' },
        { expression: false, text: '${b}' },
      ],
    ],
    [
      'braces inside',
      '${ {a = {}} }z',
      [
        { expression: true, text: ' {a = {}} ' },
        { expression: false, text: 'z' },
      ],
    ],
    ['a brace in quotes', '${f("}")}', [{ expression: true, text: 'f("}")' }]],
    ['a template in quotes', '${f("${g("}")}")}', [{ expression: true, text: 'f("${g("}")}")' }]],
    ['never closed', '${a', [{ expression: true, text: 'a' }]],
  ])('with %s is taken apart', (_, text, parts) => {
    expect(templateParts(text)).toEqual(parts);
  });

  it('has expressions, in order', () => {
    expect(expressionsIn('a${b}c${d}$${e}')).toEqual(['b', 'd']);
  });
});

describe('references', () => {
  it.each([
    ['${aws_sns_topic.events.arn}', [{ address: 'aws_sns_topic.events', attribute: 'arn' }]],
    [
      '${aws_eks_cluster.c.identity[0].oidc[0].issuer}',
      [{ address: 'aws_eks_cluster.c', attribute: 'identity[0].oidc[0].issuer' }],
    ],
    [
      '${data.aws_subnets.private.ids}',
      [{ address: 'data.aws_subnets.private', attribute: 'ids' }],
    ],
    ['${var.image}', [{ address: 'var.image', attribute: '' }]],
    [
      '${local.a == "" ? null : [var.b]}',
      [
        { address: 'local.a', attribute: '' },
        { address: 'var.b', attribute: '' },
      ],
    ],
    ['aws_sns_topic.events.arn', []],
    ['$${aws_sns_topic.events.arn}', []],
  ])('of %s', (text, references) => {
    expect(referencesIn(text)).toEqual(references);
  });

  it('are found in lists and objects, however deep', () => {
    const value = { a: [{ b: '${aws_a_b.c.d}' }, 5, null], e: '${var.f}' };
    expect(referencesIn(value).map(({ address }) => address)).toEqual(['aws_a_b.c', 'var.f']);
  });
});

describe('the one reference that a value is', () => {
  it.each([
    'a${aws_a_b.c.d}',
    '${f(aws_a_b.c.d)}',
    '${aws_a_b.c.d}${aws_a_b.c.d}',
    'aws_a_b.c.d',
    5,
    null,
  ])('is none for %j', (value) => {
    expect(referenceOf(value)).toBeUndefined();
  });

  it('is the reference', () => {
    expect(referenceOf('${aws_a_b.c.d[0].e}')).toStrictEqual({
      address: 'aws_a_b.c',
      attribute: 'd[0].e',
    });
    expect(referenceOf('${ var.a }')).toStrictEqual({ address: 'var.a', attribute: '' });
  });
});
