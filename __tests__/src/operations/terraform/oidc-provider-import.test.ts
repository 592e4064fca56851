import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  importProvider,
  providerOf,
  replacesProvider,
} from '../../../../src/operations/terraform/oidc-provider-import.ts';
import type { OpenStack } from '../../../../src/operations/terraform/open-stack.ts';

const HOST = 'oidc.eks.us-gov-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const ARN = `arn:aws-us-gov:iam::123456789012:oidc-provider/${HOST}`;

describe('the provider of an issuer', () => {
  test.each([`https://${HOST}`, `https://${HOST}/`])('%s is found by its URL', (issuer) => {
    expect(providerOf(issuer, [`${ARN}0`, ARN])).toBe(ARN);
  });

  test('is absent where only others are', () => {
    expect(providerOf(`https://${HOST}`, [`${ARN}0`, ARN.toLowerCase()])).toBeUndefined();
  });
});

/** What an import of a stack saw of the override file. */
async function imported(provider: Readonly<Record<string, unknown>>, fails = false) {
  const folder = mkdtempSync(join(tmpdir(), 'import-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const override = join(folder, 'zz_oidc_import_override.tf.json');
  const seen: string[] = [];
  const terraform: Pick<OpenStack['terraform'], 'importResource'> = {
    importResource: async (address, id) => {
      seen.push(address, id, existsSync(override) ? readFileSync(override, 'utf8') : '');
      if (fails) throw new Error('import failed');
    },
  };
  const stack = { folder, json: { provider }, terraform } as unknown as OpenStack;
  const outcome = await importProvider(stack, ARN).then(
    () => 'done',
    (error: Error) => error.message,
  );
  return { outcome, seen, left: existsSync(override) };
}

describe('the import', () => {
  test('runs under a Kubernetes provider of constants, which is gone afterwards', async () => {
    const { outcome, seen, left } = await imported({ aws: [{}], kubernetes: [{}] });
    expect(outcome).toBe('done');
    expect(seen.slice(0, 2)).toEqual(['aws_iam_openid_connect_provider.eks', ARN]);
    expect(JSON.parse(seen[2] ?? '')).toStrictEqual({
      provider: {
        kubernetes: [{ host: 'https://127.0.0.1', insecure: true, cluster_ca_certificate: '' }],
      },
    });
    expect(left).toBe(false);
  });

  test('leaves no override behind when it fails', async () => {
    expect(await imported({ kubernetes: [{}] }, true)).toMatchObject({
      outcome: 'import failed',
      left: false,
    });
  });

  test('needs no override for the AWS resources alone', async () => {
    expect((await imported({ aws: [{}] })).seen[2]).toBe('');
  });
});

test.each([
  [['delete', 'create'], true],
  [['update'], false],
  [['no-op'], false],
])('a plan with %j makes the imported provider anew: %s', (actions, expected) => {
  const type = 'aws_iam_openid_connect_provider';
  const change = { actions, before: {}, after: {} };
  const plan = { resource_changes: [{ address: `${type}.eks`, type, change }] };
  expect(replacesProvider(plan)).toBe(expected);
});
