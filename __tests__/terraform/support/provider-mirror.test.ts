import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arch, platform } from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findAwsProvider, findProviderMirror } from './provider-mirror.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'provider-mirror-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function mirror(name: string): string {
  const path = join(directory, name);
  mkdirSync(join(path, 'registry.terraform.io', 'hashicorp', 'aws'), { recursive: true });
  return path;
}

/** Adds a version's program to a mirror, unpacked. */
function unpacked(mirrorFolder: string, version: string): string {
  const target = `${platform}_${arch === 'x64' ? 'amd64' : arch}`;
  const folder = join(mirrorFolder, 'registry.terraform.io/hashicorp/aws', version, target);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, `terraform-provider-aws_v${version}_x5`);
  writeFileSync(program, '');
  return program;
}

function cliConfig(...mirrors: string[]): string {
  const path = join(directory, 'terraform.tfrc');
  const blocks = mirrors.map(
    (folder) => `filesystem_mirror {\n path = ${JSON.stringify(folder)}\n}`,
  );
  writeFileSync(path, `provider_installation {\n${blocks.join('\n')}\n}\n`);
  return path;
}

test('TF_PLUGIN_MIRROR takes precedence over the CLI configuration', () => {
  const environment = {
    TF_PLUGIN_MIRROR: mirror('named'),
    TF_CLI_CONFIG_FILE: cliConfig(mirror('configured')),
  };
  expect(findProviderMirror(environment)).toBe(join(directory, 'named'));
});

test('a TF_PLUGIN_MIRROR without the AWS provider is an error that names it', () => {
  expect(() => findProviderMirror({ TF_PLUGIN_MIRROR: directory })).toThrow(
    `TF_PLUGIN_MIRROR is ${directory}, which has no folder registry.terraform.io/hashicorp/aws`,
  );
});

test('a mirror of the CLI configuration is taken when it holds the AWS provider', () => {
  const file = cliConfig(join(directory, 'absent'), mirror('configured'));
  expect(findProviderMirror({ TF_CLI_CONFIG_FILE: file })).toBe(join(directory, 'configured'));
});

test('a mirror three folders below a root is found by name', () => {
  const found = mirror('vendor/terraform/plugins');
  const environment = { TF_CLI_CONFIG_FILE: join(directory, 'absent') };
  expect(findProviderMirror(environment, [directory])).toBe(found);
});

test('a mirror deeper than three folders is not searched for', () => {
  mirror('a/b/c/d');
  const environment = { TF_CLI_CONFIG_FILE: join(directory, 'absent') };
  expect(findProviderMirror(environment, [directory])).toBeUndefined();
});

test('a root that does not exist is passed over', () => {
  const environment = { TF_CLI_CONFIG_FILE: join(directory, 'absent') };
  const found = mirror('second');
  expect(findProviderMirror(environment, [join(directory, 'first'), found])).toBe(found);
});

test("the newest provider of a mirror is taken, by number and not by the version's letters", () => {
  const folder = mirror('mirror');
  unpacked(folder, '5.99.1');
  const newest = unpacked(folder, '5.100.0');
  expect(findAwsProvider(folder)).toBe(newest);
});

test('a mirror of packed providers has no program to start', () => {
  const folder = mirror('packed');
  const packed =
    'registry.terraform.io/hashicorp/aws/terraform-provider-aws_6.25.0_linux_amd64.zip';
  writeFileSync(join(folder, packed), '');
  expect(findAwsProvider(folder)).toBeUndefined();
});
