import { parse } from '@cdktf/hcl2json';
import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import { Testing } from 'cdktf';
import { Construct } from 'constructs';
import { expect, it } from 'vitest';
import { FileProcessingStack } from '../../../src/file-processing/stack.ts';
import { loadEnvironment } from '../../../src/settings/environment.ts';
import { AddressedStack } from '../../../src/stack/addressed-stack.ts';
import { ROOT } from '../../support/run-main.ts';

const stack = () => new AddressedStack(Testing.app(), 'test');

it("takes a construct's id for its address, however deep it lies", () => {
  const root = stack();
  new SqsQueue(new Construct(new Construct(root, 'a'), 'b'), 'letters', { name: 'x' });
  expect(JSON.parse(Testing.synth(root)).resource.aws_sqs_queue).toStrictEqual({
    letters: { name: 'x' },
  });
});

it('refuses the same address twice, and names both constructs', () => {
  const root = stack();
  new SqsQueue(new Construct(root, 'a'), 'letters', {});
  new SqsQueue(new Construct(root, 'b'), 'letters', {});
  expect(() => Testing.synth(root)).toThrow(
    'aws_sqs_queue.letters is both test/a/letters and test/b/letters',
  );
});

/** The same for a block, a list of one block, a bare reference and a reference in a text. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\$\{(.*)\}$/s, '$1');
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  const items = value.map(plain);
  return items.length === 1 && typeof items[0] === 'object' ? items[0] : items;
}

it.each(['etl-playground', 'complete'])(
  "says in HCL what it says in JSON, by the judgement of HashiCorp's parser, for %s",
  async (environment) => {
    const { name, fileProcessing, rules } = loadEnvironment(ROOT, environment);
    const processing = new FileProcessingStack(Testing.app(), 'file-processing', {
      environment: name,
      settings: fileProcessing,
      rules,
    });
    // The parser rewrites a condition inside a text, of which one output consists.
    const { output: _, ...hcl } = await parse('cdk.tf', processing.toHclTerraform().hcl);
    const { output: __, '//': ___, ...json } = processing.toTerraform();
    expect(plain(hcl)).toEqual(plain(JSON.parse(JSON.stringify(json))));
  },
);

it('tells the cdktf CLI, beside the HCL, which providers it needs', () => {
  const root = stack();
  root.addOverride('terraform.required_providers.aws', { source: 'hashicorp/aws' });
  expect(root.toHclTerraform().metadata.terraform).toStrictEqual({
    required_providers: { aws: { source: 'hashicorp/aws' } },
  });
});
