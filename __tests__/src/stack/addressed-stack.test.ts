import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import { Testing } from 'cdktf';
import { Construct } from 'constructs';
import { expect, it } from 'vitest';
import { AddressedStack } from '../../../src/stack/addressed-stack.ts';

const stack = () => new AddressedStack(Testing.app(), 'test');

it("takes a construct's id for its address, however deep it lies", () => {
  const root = stack();
  new SqsQueue(new Construct(new Construct(root, 'a'), 'b'), 'letters', { name: 'x' });
  expect(JSON.parse(Testing.synth(root)).resource.aws_sqs_queue).toEqual({
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
