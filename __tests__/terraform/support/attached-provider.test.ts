import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './attached-provider.ts';
import { findAwsProvider } from './provider-mirror.ts';
import { typesOfOurStacks } from './provider-schema.ts';
import { terraformIn } from './terraform.ts';

let aws: AttachedAws;

beforeAll(async () => {
  aws = await emptyAttachedAws();
});

afterAll(() => aws?.stop());

// Without the provider that stays every test would still pass, but slower.
test("a mirror's provider runs and says where, and without one Terraform is left alone", () => {
  const variables = findAwsProvider() === undefined ? [] : ['TF_REATTACH_PROVIDERS'];
  expect(Object.keys(aws.attached)).toEqual(variables);
});

test.runIf(findAwsProvider() !== undefined)(
  'Terraform sees the types of our stacks and no others',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'provider-schema-'));
    const required_providers = { aws: { source: 'hashicorp/aws' } };
    await writeFile(
      join(directory, 'main.tf.json'),
      JSON.stringify({ terraform: { required_providers } }),
    );
    const terraform = terraformIn(directory, { aws });
    try {
      await terraform.init();
      const seen = await terraform.types('registry.terraform.io/hashicorp/aws');
      expect(new Set(seen)).toEqual(typesOfOurStacks());
    } finally {
      await terraform.close();
      await rm(directory, { recursive: true });
    }
  },
);

test('the next file gets the same provider', async () => {
  expect((await emptyAttachedAws()).attached).toEqual(aws.attached);
});
