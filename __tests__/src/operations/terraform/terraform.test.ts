import { describe, expect, test } from 'vitest';
import { OperationError } from '../../../../src/operations/operation-error.ts';
import type { Runner, RunOptions, RunResult } from '../../../../src/operations/runner.ts';
import {
  type TerraformProps,
  terraformOn,
  terraformProgram,
} from '../../../../src/operations/terraform/terraform.ts';

/** Terraform over a runner that answers each command, and what was run. */
function over(
  answer: (command: string) => Partial<RunResult>,
  props: Partial<TerraformProps> = {},
) {
  const runs: { readonly line: string; readonly options: RunOptions }[] = [];
  const run: Runner = async (program, parameters, options = {}) => {
    const line = [program, ...parameters].join(' ');
    runs.push({ line, options });
    return { code: 0, stdout: '', stderr: '', ...answer(line) };
  };
  const terraform = terraformOn({
    run,
    program: 'terraform',
    folder: '/out/stacks/file-processing',
    env: { AWS_PROFILE: 'etl' },
    variables: { image: 'a:1' },
    show: 'stream',
    colors: false,
    ...props,
  });
  return { terraform, runs };
}

const CHDIR = 'terraform -chdir=/out/stacks/file-processing';

describe('OpenTofu in the place of Terraform', () => {
  test('runs every command, and is named when one fails', async () => {
    const { terraform, runs } = over(() => ({ code: 1 }), { program: 'tofu' });
    await expect(terraform.init([], 'stream')).rejects.toThrow('tofu init ended with 1');
    expect(runs.map(({ line }) => line.split(' ')[0])).toStrictEqual(['tofu']);
  });

  test.each([
    [{}, 'terraform'],
    [{ TERRAFORM_BINARY: '' }, 'terraform'],
    [{ TERRAFORM_BINARY: 'tofu' }, 'tofu'],
  ])('is what %o asks for: %s', (env, program) => {
    expect(terraformProgram(env)).toBe(program);
  });
});

describe('a plan', () => {
  test('asks nothing, goes into its file and is shown as it comes', async () => {
    const { terraform, runs } = over(() => ({}));
    await terraform.plan({ file: '/tmp/plan', targets: ['a.b'], destroy: true });
    expect(runs[0]).toStrictEqual({
      line: `${CHDIR} plan -no-color -input=false -detailed-exitcode -out=/tmp/plan -destroy -target=a.b -var=image=a:1`,
      options: { env: { AWS_PROFILE: 'etl', TF_IN_AUTOMATION: '1' }, output: 'stream' },
    });
  });

  test('with nothing to do is not read again', async () => {
    const { terraform, runs } = over(() => ({ code: 0 }));
    expect(await terraform.plan({ file: 'plan' })).toStrictEqual({ json: {}, isEmpty: true });
    expect(runs).toHaveLength(1);
  });

  test('with changes is read from its file', async () => {
    const json = { resource_changes: [] };
    const { terraform } = over((line) =>
      line.includes(' plan ') ? { code: 2 } : { stdout: JSON.stringify(json) },
    );
    expect(await terraform.plan({ file: 'plan' })).toStrictEqual({ json, isEmpty: false });
  });

  test('that fails is an error with its code', async () => {
    const { terraform } = over(() => ({ code: 1, stderr: 'shown already' }));
    const plan = terraform.plan({ file: 'plan' });
    await expect(plan).rejects.toMatchObject({ message: 'terraform plan ended with 1', code: 1 });
  });
});

test('an apply takes the plan of a file, without variables, and says how to go on when it fails', async () => {
  const { terraform, runs } = over(() => ({ code: 1 }));
  await expect(terraform.apply('/tmp/plan')).rejects.toMatchObject({
    message: 'terraform apply ended with 1',
    next: expect.stringContaining('continues from there'),
  });
  expect(runs[0]?.line).toBe(`${CHDIR} apply -no-color -input=false /tmp/plan`);
});

test('an error that nobody has seen is in the message', async () => {
  const { terraform } = over(() => ({ code: 1, stderr: 'Error: no provider\n' }));
  const init = terraform.init([], 'capture');
  await expect(init).rejects.toThrow(OperationError);
  await expect(init).rejects.toThrow('terraform init ended with 1:\nError: no provider');
});

test('an init that finds another backend says how to move the state', async () => {
  const { terraform } = over(() => ({ code: 1, stderr: 'Error: Backend configuration changed' }));
  await expect(terraform.init([], 'capture')).rejects.toMatchObject({
    next: expect.stringContaining('init --migrate-state'),
  });
});

test.each([
  ['failed to get shared config profile, etl', 'aws_profile'],
  ['No valid credential sources found', 'aws sso login'],
  ['Failed to query available provider packages', 'provider_installation'],
])('an init that ends with "%s" says what to do', async (stderr, next) => {
  const { terraform } = over(() => ({ code: 1, stderr: `Error: ${stderr}` }));
  await expect(terraform.init([], 'capture')).rejects.toMatchObject({
    next: expect.stringContaining(next),
  });
});

test('an init that hands over the terminal may ask', async () => {
  const { terraform, runs } = over(() => ({}));
  await terraform.init(['-migrate-state'], 'inherit');
  await terraform.init([], 'stream');
  expect(runs.map(({ line }) => line)).toEqual([
    `${CHDIR} init -no-color -migrate-state`,
    `${CHDIR} init -no-color -input=false`,
  ]);
});

test('before there is a state, it is empty', async () => {
  const { terraform, runs } = over(() => ({ stdout: '' }));
  expect(await terraform.state()).toEqual({});
  expect(runs[0]?.line).toBe(`${CHDIR} state pull -no-color`);
});

test('colours are Terraform’s own where a terminal shows them', async () => {
  const { terraform, runs } = over(() => ({}), { colors: true });
  await terraform.apply('plan');
  expect(runs[0]?.line).not.toContain('-no-color');
});
