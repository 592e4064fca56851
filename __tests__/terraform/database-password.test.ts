import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../support/python-environment.ts';
import { runMain } from '../support/run-main.ts';
import { run } from '../support/run-program.ts';
import { emulatorRequirements } from './support/aws-emulator.ts';
import { type Terraform, terraformIn } from './support/terraform.ts';

const MARKER = 'MARKER-0f9d-of-the-password';
const ADDRESS = 'terraform_data.database';
const REFUSAL = /TF_VAR_db_password/;

/**
 * The password's variable and the Secret's precondition as they are synthesized, around a resource
 * that Terraform itself brings along. Its provisioner gets the value as the Secret's write-only
 * argument does, at apply, and leaves word that it came.
 */
function configuration(): string {
  const { terraform, variable, resource } = JSON.parse(runMain({}).json['file-processing']);
  const { lifecycle } = resource.kubernetes_secret_v1.database;
  return JSON.stringify({
    terraform: { required_version: terraform.required_version },
    variable: { db_password: variable.db_password },
    resource: {
      terraform_data: {
        database: {
          input: 'database',
          lifecycle: { precondition: lifecycle.precondition },
          provisioner: {
            'local-exec': {
              command: `test "$DB_PASSWORD" = "$(printf %s-%s MARKER 0f9d-of-the-password)" && touch arrived; echo "$DB_PASSWORD"`,
              environment: { DB_PASSWORD: '${var.db_password}' },
            },
          },
        },
      },
    },
  });
}

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'database-password-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Terraform in a work folder of its own; no provider is called, so no AWS answers. */
async function opened(name: string, environment: Record<string, string> = {}): Promise<Terraform> {
  const folder = join(directory, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'cdk.tf.json'), configuration());
  const trace = { TF_LOG: 'TRACE', TF_LOG_PROVIDER: 'TRACE', TF_LOG_SDK: 'TRACE' };
  const log = { ...trace, TF_LOG_PATH: join(folder, 'terraform.log') };
  const aws = { url: 'http://127.0.0.1:9' };
  const terraform = terraformIn(folder, { aws, environment: { ...log, ...environment } });
  await terraform.init();
  return terraform;
}

describe('without the password', () => {
  let terraform: Terraform;

  beforeAll(async () => {
    terraform = await opened('without');
  });

  afterAll(() => terraform?.close());

  test('a plan is refused and says how to give it', async () => {
    await expect(terraform.plan()).rejects.toThrow(REFUSAL);
  });

  test('an apply is refused before anything is made', async () => {
    await expect(terraform.apply()).rejects.toThrow(REFUSAL);
    expect(existsSync(join(directory, 'without', 'terraform.tfstate'))).toBe(false);
  });

  test('an empty one is refused as none is', async () => {
    const empty = await opened('empty', { TF_VAR_db_password: '' });
    await expect(empty.plan()).rejects.toThrow(REFUSAL);
    await empty.close();
  });

  test('an import needs none', async () => {
    await terraform.importResource(ADDRESS, 'made-before');
    expect(await terraform.stateList()).toEqual([ADDRESS]);
  });

  test('a destroy needs none', async () => {
    await terraform.destroy();
    expect(await terraform.stateList()).toEqual([]);
  });
});

describe('with the password', () => {
  let terraform: Terraform;
  let folder: string;
  let shown: string;
  let applied: string;

  beforeAll(async () => {
    terraform = await opened('with', { TF_VAR_db_password: MARKER });
    folder = join(directory, 'with');
    const plan = await terraform.plan();
    shown = JSON.stringify(plan.json) + plan.text;
    const python = await pythonEnvironment(emulatorRequirements);
    const unzip = ['-m', 'zipfile', '-e', join(folder, 'test.tfplan'), join(folder, 'plan')];
    expect((await run(python, unzip)).exitCode).toBe(0);
    applied = await terraform.apply();
  });

  afterAll(() => terraform?.close());

  test('it arrives where it is used', () => {
    expect(existsSync(join(folder, 'arrived'))).toBe(true);
  });

  test('it is not in the plan file', async () => {
    const plan = await readFiles(join(folder, 'plan'));
    expect(Object.keys(plan)).toEqual(expect.arrayContaining(['tfplan', 'tfstate']));
    expect(namesWithMarker(plan)).toEqual([]);
  });

  test('it is not in what Terraform shows of the plan', () => {
    expect(shown).toContain(ADDRESS);
    expect(shown).not.toContain(MARKER);
  });

  test('it is not in the state', async () => {
    expect(await terraform.stateList()).toEqual([ADDRESS]);
    const state = await readFile(join(folder, 'terraform.tfstate'), 'utf8');
    expect(state).not.toContain(MARKER);
  });

  test('it is not in what apply wrote, even where a program prints it', () => {
    expect(applied).toContain('Apply complete');
    expect(applied).not.toContain(MARKER);
  });

  test('it is not in the trace log, nor in any other file that Terraform left', async () => {
    const left = await readFiles(folder);
    expect(left['terraform.log']?.toString()).toContain('db_password');
    expect(namesWithMarker(left)).toEqual([]);
  });
});

/** The files below a folder, by name. */
async function readFiles(folder: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Object.fromEntries(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [relative(folder, path), await readFile(path)] as const;
      }),
    ),
  );
}

function namesWithMarker(files: Readonly<Record<string, Buffer>>): string[] {
  return Object.entries(files)
    .filter(([, bytes]) => bytes.includes(MARKER))
    .map(([name]) => name);
}
