import { TerraformStack, Testing } from 'cdktf';
import { expect, it } from 'vitest';
import { configureTerraform } from '../../../src/stack/terraform-settings.ts';

const LOCAL = {
  aws_region: 'us-gov-west-1',
  state_bucket: '',
  fips_endpoints: false,
  state_key_prefix: 'infra',
  state_region: '',
  state_kms_key_arn: '',
  state_role_arn: '',
  assume_role_external_id: '',
};

function terraformOf(settings: Partial<typeof LOCAL>) {
  const stack = new TerraformStack(Testing.app(), 'network');
  configureTerraform(stack, 'dev', { ...LOCAL, ...settings });
  return JSON.parse(Testing.synth(stack)).terraform;
}

it('keeps the state in a local file under a relative path, apart for each environment', () => {
  expect(terraformOf({})).toStrictEqual({
    required_version: '>= 1.11.0',
    backend: { local: { path: '../../../terraform.dev.network.tfstate' } },
  });
});

it('keeps the state in a bucket, encrypted and locked', () => {
  expect(terraformOf({ state_bucket: 'state' }).backend).toStrictEqual({
    s3: {
      bucket: 'state',
      key: 'infra/dev/network.tfstate',
      region: 'us-gov-west-1',
      encrypt: true,
      use_lockfile: true,
    },
  });
});

it("takes the state bucket's own region and key", () => {
  const settings = {
    state_bucket: 'state',
    state_region: 'us-gov-east-1',
    state_kms_key_arn: 'arn:key',
  };
  expect(terraformOf(settings).backend.s3).toMatchObject({
    region: 'us-gov-east-1',
    kms_key_id: 'arn:key',
  });
});

it('keeps the state by FIPS endpoints where every call goes to them', () => {
  const { backend } = terraformOf({ state_bucket: 'state', fips_endpoints: true });
  expect(backend.s3.use_fips_endpoint).toBe(true);
});

it('assumes the role of the state, with the external id if there is one', () => {
  const role = { state_bucket: 'state', state_role_arn: 'arn:role' };
  expect(terraformOf(role).backend.s3.assume_role).toStrictEqual({ role_arn: 'arn:role' });
  expect(
    terraformOf({ ...role, assume_role_external_id: 'etl' }).backend.s3.assume_role,
  ).toStrictEqual({ role_arn: 'arn:role', external_id: 'etl' });
});
