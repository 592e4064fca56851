import { describe, expect, it } from 'vitest';
import { formFaults } from '../../../src/synthesized/terraform-form.ts';

const block = (attributes: unknown) => ({ resource: { aws_vpc: { main: attributes } } });

describe('formFaults', () => {
  it.each([
    ['nothing', {}],
    ['a block', block({ tags: { Name: 'x' }, depends_on: [], lifecycle: {} })],
    ['tags by an expression', block({ tags: '${local.tags}' })],
    ['a list of providers', { provider: { aws: [{ region: 'us-gov-west-1' }] } }],
    ['one provider', { provider: { aws: { region: 'us-gov-west-1' } } }],
  ])('finds nothing in %s', (_name, json) => {
    expect(formFaults(json)).toEqual([]);
  });

  it.each([
    ['nothing at all', null, ['it must be an object']],
    ['a list', [], ['it must be an object']],
    ['no resources', { resource: null }, ['resource must be an object']],
    ['a type without blocks', { data: { aws_vpc: 'x' } }, ['data.aws_vpc must be an object']],
    ['a block of text', block('x'), ['resource.aws_vpc.main must be an object']],
    ['a block of nothing', block(null), ['resource.aws_vpc.main must be an object']],
    ['tags of text', block({ tags: 'x' }), ['resource.aws_vpc.main.tags must be an object']],
    [
      'an order of text',
      block({ depends_on: 'x' }),
      ['resource.aws_vpc.main.depends_on must be a list'],
    ],
    [
      'a lifecycle of text',
      block({ lifecycle: 'x' }),
      ['resource.aws_vpc.main.lifecycle must be an object'],
    ],
    [
      'a type of every object',
      { resource: { constructor: {} } },
      ['resource.constructor is not a type'],
    ],
    ['outputs in a list', { output: [] }, ['output must be an object']],
    ['an empty variable', { variable: { x: null } }, ['variable.x must be an object']],
    ['locals of text', { locals: 'x' }, ['locals must be an object']],
    ['a provider of text', { provider: { aws: 'x' } }, ['provider.aws must be an object']],
  ])('names what is wrong with %s', (_name, json, faults) => {
    expect(formFaults(json)).toEqual(faults);
  });
});
