import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Plan, type Terraform, TerraformError, terraformIn } from './terraform.ts';

/** Of what Terraform itself brings along, so that no provider is started. */
const stack = {
  terraform: { backend: { local: { path: 'terraform.tfstate' } } },
  variable: { retention: { type: 'string', default: '14' } },
  resource: {
    terraform_data: {
      dead_letters: { input: '${var.retention}' },
      events: { input: '${terraform_data.dead_letters.id}' },
      others: { input: 'others' },
    },
  },
  output: { retention: { value: '${terraform_data.dead_letters.output}' } },
};

let directory: string;
let terraform: Terraform;
let firstPlan: Plan;

/** A work folder with the stack's JSON, initialized. No AWS answers, and none is asked. */
async function initialized(name: string): Promise<Terraform> {
  const folder = join(directory, name);
  await mkdir(folder);
  await writeFile(join(folder, 'cdk.tf.json'), JSON.stringify(stack));
  const opened = terraformIn(folder, { aws: { url: 'http://127.0.0.1:9' } });
  await opened.init();
  return opened;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'terraform-harness-'));
  terraform = await initialized('work');
  firstPlan = await terraform.plan();
  await terraform.apply();
});

afterAll(async () => {
  await terraform?.close();
  await rm(directory, { recursive: true, force: true });
});

test('a first plan creates everything', () => {
  expect(firstPlan.exitCode).toBe(2);
  expect(firstPlan.changes.map(({ address, actions }) => `${actions} ${address}`).sort()).toEqual([
    'create terraform_data.dead_letters',
    'create terraform_data.events',
    'create terraform_data.others',
  ]);
});

test('what was applied is in the state', async () => {
  expect((await terraform.stateList()).sort()).toEqual([
    'terraform_data.dead_letters',
    'terraform_data.events',
    'terraform_data.others',
  ]);
});

test('outputs are values by name', async () => {
  expect(await terraform.outputs()).toEqual({ retention: '14' });
});

test('a second plan is empty', async () => {
  const second = await terraform.plan();
  expect(second.text).toContain('No changes');
  expect(second).toMatchObject({ exitCode: 0, changes: [] });
});

test('a changed variable plans an update in place', async () => {
  const { changes } = await terraform.plan({ variables: { retention: '1' } });
  expect(changes).toEqual([{ address: 'terraform_data.dead_letters', actions: ['update'] }]);
});

test('a plan limited to one address leaves the others out', async () => {
  const { exitCode } = await terraform.plan({
    variables: { retention: '1' },
    targets: ['terraform_data.others'],
  });
  expect(exitCode).toBe(0);
});

test('a resource is imported into a fresh state', async () => {
  const fresh = await initialized('import');
  try {
    await fresh.importResource('terraform_data.others', 'made-before');
    expect(await fresh.stateList()).toEqual(['terraform_data.others']);
  } finally {
    await fresh.close();
  }
});

test("a failing command throws Terraform's own message", async () => {
  const failure = terraform.importResource('terraform_data.unknown', 'x');
  await expect(failure).rejects.toThrow(TerraformError);
  await expect(failure).rejects.toThrow('resource address "terraform_data.unknown" does not exist');
});

test('the last plan is applied as it was made', async () => {
  await terraform.plan({ variables: { retention: '30' } });
  await terraform.applyPlan();
  expect(await terraform.outputs()).toEqual({ retention: '30' });
});

test('destroy leaves an empty state', async () => {
  await terraform.destroy();
  expect(await terraform.stateList()).toEqual([]);
});
