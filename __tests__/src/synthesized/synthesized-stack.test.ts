import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formFaults, readSynthesizedStacks } from '../../../src/synthesized/synthesized-stack.ts';

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

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'synthesized-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function manifest(stacks: object): void {
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ stacks }));
}

it('the stacks of a folder are read, sorted by name', () => {
  manifest({ b: { synthesizedStackPath: 'b.json' }, a: { synthesizedStackPath: 'a.json' } });
  writeFileSync(join(folder, 'a.json'), '{"resource":{}}');
  writeFileSync(join(folder, 'b.json'), '{}');
  expect(readSynthesizedStacks(folder)).toStrictEqual([
    { name: 'a', path: join(folder, 'a.json'), json: { resource: {} } },
    { name: 'b', path: join(folder, 'b.json'), json: {} },
  ]);
});

it.each([
  ['no manifest', () => undefined, /manifest\.json does not exist; run npm run synth first/],
  ['no stack', () => manifest({}), /manifest\.json names no stack/],
  [
    'a stack in HCL',
    () => manifest({ a: { synthesizedStackPath: 'a.tf' } }),
    /a\.tf is not JSON; synthesize without --hcl/,
  ],
  [
    'a stack that is gone',
    () => manifest({ a: { synthesizedStackPath: 'a.json' } }),
    /a\.json does not exist/,
  ],
  [
    'a manifest that is cut off',
    () => writeFileSync(join(folder, 'manifest.json'), '{'),
    /manifest\.json is not JSON: /,
  ],
  [
    'an empty manifest',
    () => writeFileSync(join(folder, 'manifest.json'), 'null'),
    /manifest\.json names no stack/,
  ],
  [
    'a number for the file of a stack',
    () => manifest({ a: { synthesizedStackPath: 5 } }),
    /manifest\.json names no file of stack a/,
  ],
  [
    'a stack whose name leads to another folder',
    () => manifest({ '../../a': { synthesizedStackPath: 'a.json' } }),
    /manifest\.json: "\.\.\/\.\.\/a" is not a valid stack name, allowed are letters, digits, _, - and \./,
  ],
  [
    'a stack whose name leads into the folder of another one',
    () => manifest({ 'a/manifests': { synthesizedStackPath: 'a.json' } }),
    /"a\/manifests" is not a valid stack name/,
  ],
  [
    'a stack in a file elsewhere',
    () => manifest({ a: { synthesizedStackPath: 'stacks/../../a.json' } }),
    /manifest\.json: stacks\/\.\.\/\.\.\/a\.json lies outside of the folder/,
  ],
  [
    'a resource whose name leads to another folder',
    () => {
      manifest({ a: { synthesizedStackPath: 'a.json' } });
      writeFileSync(join(folder, 'a.json'), '{"resource":{"kubernetes_pod_v1":{"x/../../y":{}}}}');
    },
    /a\.json has not the form of Terraform's: resource\.kubernetes_pod_v1\.x\/\.\.\/\.\.\/y is not a name/,
  ],
  [
    'a type that leads to another folder',
    () => {
      manifest({ a: { synthesizedStackPath: 'a.json' } });
      writeFileSync(join(folder, 'a.json'), '{"resource":{"kubernetes_/../../x":{"y":{}}}}');
    },
    /resource\.kubernetes_\/\.\.\/\.\.\/x is not a type/,
  ],
  [
    'a stack in another form',
    () => {
      manifest({ a: { synthesizedStackPath: 'a.json' } });
      writeFileSync(join(folder, 'a.json'), '{"resource":{"aws_vpc":{"main":"x"}}}');
    },
    /a\.json has not the form of Terraform's: resource\.aws_vpc\.main must be an object/,
  ],
])('a folder with %s is refused by name', (_, prepare, message) => {
  prepare();
  expect(() => readSynthesizedStacks(folder)).toThrow(message);
});
