import { expect, test } from 'vitest';
import { refuseOidcProviderReplacement } from '../../../../../src/operations/terraform/guards/oidc-provider-replacement.ts';

const ARN = 'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.example/id/1';

function planOf(actions: readonly string[], importing?: { readonly id: string }) {
  const type = 'aws_iam_openid_connect_provider';
  const change = { actions, before: {}, after: {}, ...(importing && { importing }) };
  return { resource_changes: [{ address: `${type}.eks`, type, change }] };
}

test('an import that ends in a replacement is refused', () => {
  expect(refuseOidcProviderReplacement(planOf(['delete', 'create'], { id: ARN }))).toEqual([
    {
      reason: expect.stringContaining(`would import ${ARN} and replace it`),
      next: expect.stringContaining('oidc-import'),
    },
  ]);
});

test.each([[['no-op']], [['update']]])('an import with %j is fine', (actions) => {
  expect(refuseOidcProviderReplacement(planOf(actions, { id: ARN }))).toEqual([]);
});

test("a replacement of the stack's own provider is the cluster's business", () => {
  expect(refuseOidcProviderReplacement(planOf(['delete', 'create']))).toEqual([]);
});
