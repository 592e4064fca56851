import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AwsTarget } from '../../../../src/operations/aws-clients.ts';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import type { RunOptions } from '../../../../src/operations/runner.ts';
import { type OpenOptions, openStack } from '../../../../src/operations/terraform/open-stack.ts';
import type { StackName } from '../../../../src/operations/terraform/stacks.ts';
import { operationContext, temporaryRoot } from '../../../support/manage.ts';
import { playedTerraform } from '../../../support/played-terraform.ts';

/** Opens a stack and plans it; what was said, run and asked for. */
async function open(
  options: Partial<OpenOptions> = {},
  context: Partial<OperationContext> = {},
  name: StackName = 'file-processing',
) {
  const root = temporaryRoot();
  const played = playedTerraform({ resources: { 'aws_sns_topic.events': {} } });
  const runs: { readonly line: string; readonly options: RunOptions }[] = [];
  const targets: AwsTarget[] = [];
  const standard = operationContext();
  let written = '';
  const stack = await openStack(
    {
      ...standard,
      root,
      stderr: { write: (text: string) => (written += text) },
      run: async (program, parameters, runOptions = {}) => {
        runs.push({ line: [program, ...parameters].join(' '), options: runOptions });
        return await played.run(program === 'tofu' ? 'terraform' : program, parameters, runOptions);
      },
      aws: (target) => {
        targets.push(target);
        return standard.aws(target);
      },
      ...context,
      env: { CDKTF_OUTPUT: join(root, 'out'), ...context.env },
    },
    { environment: 'etl-playground', json: false, ...options },
    name,
  );
  await stack.terraform.plan({ file: 'plan' });
  const plan = runs.find(({ line }) => line.includes(' plan '));
  return { stack, plan, runs, targets, written };
}

test('synthesizes, then initializes', async () => {
  const { runs } = await open();
  expect(runs.map(({ line }) => line.replace(/-chdir=\S+ /, '')).slice(0, 2)).toEqual([
    'npm run --silent synth',
    'terraform init -no-color -input=false',
  ]);
});

test('runs OpenTofu where TERRAFORM_BINARY names it', async () => {
  const { runs } = await open({}, { env: { TERRAFORM_BINARY: 'tofu' } });
  expect(new Set(runs.map(({ line }) => line.split(' ')[0]))).toEqual(new Set(['npm', 'tofu']));
});

test('refuses a stack that the environment does not have', async () => {
  const root = temporaryRoot();
  const folder = join(root, 'environments/etl-playground');
  rmSync(join(folder, 'foundation_network.tfvars'));
  appendFileSync(join(folder, 'file_processing.tfvars'), 'vpc_id = "vpc-0a1b2c3d4e5f67890"\n');
  const opened = openStack(
    { ...operationContext(), root },
    { environment: 'etl-playground', json: false },
    'foundation-network',
  );
  await expect(opened).rejects.toMatchObject({
    message: 'environment etl-playground has no foundation-network',
    next: 'its network is the existing one that vpc_id names (vpc-0a1b2c3d4e5f67890); for one of its own, take that out and add environments/etl-playground/foundation_network.tfvars',
    code: 64,
  });
});

test('shows the warnings of the stack that it is about', async () => {
  const { written } = await open();
  expect(written).toContain('warning: environments/etl-playground/file_processing.tfvars');
  expect(written).not.toContain('foundation_network.tfvars');
});

describe('the profile', () => {
  test('of the tfvars is found by the state’s backend in the environment', async () => {
    const { plan, targets } = await open();
    expect(plan?.options.env).toMatchObject({ AWS_PROFILE: 'etl-playground' });
    expect(plan?.line).not.toContain('aws_profile');
    expect(targets).toStrictEqual([{ region: 'us-gov-west-1', profile: 'etl-playground' }]);
  });

  test('that is given goes to Terraform as well', async () => {
    const { plan, targets } = await open({ profile: 'other' });
    expect(plan?.options.env).toMatchObject({ AWS_PROFILE: 'other' });
    expect(plan?.line).toContain('-var=aws_profile=other');
    expect(targets).toMatchObject([{ profile: 'other' }]);
  });

  test('that is empty leaves the environment as it is', async () => {
    const { plan } = await open({ profile: '' });
    expect(plan?.options.env).not.toHaveProperty('AWS_PROFILE');
    expect(plan?.line).toMatch(/-var=aws_profile=$/);
  });

  test('that the backend has been given already stays', async () => {
    const { plan } = await open({}, { env: { AWS_PROFILE: 'state' } });
    expect(plan?.options.env).not.toHaveProperty('AWS_PROFILE');
  });
});

test('with --json, Terraform’s own output goes where progress goes', async () => {
  expect((await open({ json: true })).plan?.options.output).toBe('progress');
  expect((await open()).plan?.options.output).toBe('stream');
});

test.each([
  [true, {}, true],
  [true, { NO_COLOR: '1' }, false],
  [undefined, {}, false],
])('on a terminal (%s) with %j there are colours: %s', async (isTTY, env, expected) => {
  const stdout = { write: () => undefined, isTTY };
  const { plan } = await open({}, { stdout, env });
  expect(!plan?.line.includes('-no-color')).toBe(expected);
});

test('warns of TF_LOG beside a password, without the password', async () => {
  const { written } = await open({}, { env: { TF_LOG: 'DEBUG', TF_VAR_db_password: 'hunter2' } });
  expect(written).toContain('warning: TF_LOG makes providers log what they send');
  expect(written).not.toContain('hunter2');
});

test('refuses a secret by --var before Terraform is run', async () => {
  await expect(open({ variables: { db_password: 'hunter2' } })).rejects.toThrow(
    'give it as TF_VAR_db_password',
  );
});
