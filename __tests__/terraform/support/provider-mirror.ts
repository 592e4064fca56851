import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { arch, platform } from 'node:process';

const awsProvider = join('registry.terraform.io', 'hashicorp', 'aws');
const searchDepth = 3;

/**
 * A filesystem mirror (Terraform CLI configuration, "Provider Installation") that holds the AWS
 * provider. Looked for in this order: the folder that `TF_PLUGIN_MIRROR` names; the mirrors of the
 * user's own CLI configuration; the folders in which one is usually kept, three levels deep.
 *
 * @returns the mirror's folder, or undefined when Terraform must ask its registry
 * @throws Error when `TF_PLUGIN_MIRROR` names a folder without the AWS provider.
 */
export function findProviderMirror(
  environment: NodeJS.ProcessEnv = process.env,
  roots: readonly string[] = usualRoots(),
): string | undefined {
  const named = environment.TF_PLUGIN_MIRROR;
  if (named) {
    if (holdsAwsProvider(named)) return named;
    throw new Error(`TF_PLUGIN_MIRROR is ${named}, which has no folder ${awsProvider}`);
  }
  return (
    mirrorsOfCliConfig(environment).find(holdsAwsProvider) ??
    firstResult(roots, (root) => findBelow(root, searchDepth))
  );
}

/**
 * The newest AWS provider of a mirror that holds it unpacked.
 *
 * @param mirror - @default that of {@link findProviderMirror}
 * @returns the program's path, or undefined where there is no mirror, or one of packed files alone
 */
export function findAwsProvider(mirror = findProviderMirror()): string | undefined {
  if (mirror === undefined) return undefined;
  const target = `${platform}_${arch === 'x64' ? 'amd64' : arch}`;
  return globSync(join(mirror, awsProvider, '*', target, 'terraform-provider-aws_v*'))
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .at(-1);
}

function holdsAwsProvider(directory: string): boolean {
  return existsSync(join(directory, awsProvider));
}

function mirrorsOfCliConfig(environment: NodeJS.ProcessEnv): string[] {
  const file = environment.TF_CLI_CONFIG_FILE || join(homedir(), '.terraformrc');
  if (!existsSync(file)) return [];
  const mirrors = readFileSync(file, 'utf8').matchAll(
    /filesystem_mirror\s*\{[^}]*?path\s*=\s*"([^"]+)"/g,
  );
  return [...mirrors].flatMap(([, path]) => path ?? []);
}

function usualRoots(): string[] {
  return ['/opt', '/usr/share', '/usr/local/share', join(homedir(), '.terraform.d')];
}

function findBelow(directory: string, depth: number): string | undefined {
  if (holdsAwsProvider(directory)) return directory;
  if (depth === 0) return undefined;
  return firstResult(foldersOf(directory), (folder) => findBelow(folder, depth - 1));
}

function foldersOf(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  } catch {
    // A root that does not exist, or a folder that only its owner may read, holds no mirror of ours.
    return [];
  }
}

function firstResult<Item, Result>(
  items: readonly Item[],
  search: (item: Item) => Result | undefined,
): Result | undefined {
  for (const item of items) {
    const result = search(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
