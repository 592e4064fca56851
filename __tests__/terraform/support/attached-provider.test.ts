import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './attached-provider.ts';
import { findAwsProvider } from './provider-mirror.ts';

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

test('the next file gets the same provider', async () => {
  expect((await emptyAttachedAws()).attached).toEqual(aws.attached);
});
