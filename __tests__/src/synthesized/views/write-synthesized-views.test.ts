import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeSynthesizedViews } from '../../../../src/synthesized/views/write-synthesized-views.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'views-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Leaves in the folder what cdktf does for some stacks. */
function synthesized(stacks: Readonly<Record<string, object>>, file = 'cdk.tf.json'): void {
  const paths = Object.keys(stacks).map((name) => [
    name,
    { synthesizedStackPath: `stacks/${name}/${file}` },
  ]);
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ stacks: Object.fromEntries(paths) }),
  );
  for (const [name, resource] of Object.entries(stacks)) {
    mkdirSync(join(folder, 'stacks', name), { recursive: true });
    writeFileSync(join(folder, 'stacks', name, file), JSON.stringify({ resource }));
  }
}

const CONFIG_MAP = { kubernetes_config_map_v1: { a: { metadata: { name: 'a' } } } };

function everyFile(): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .filter((path) => !path.startsWith('stacks'))
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
}

it('each stack gets its plan, and its manifests where it has any', () => {
  synthesized({ cluster: CONFIG_MAP, network: { aws_vpc: { main: {} } } });
  writeSynthesizedViews(folder);
  expect(Object.keys(everyFile())).toEqual([
    'manifest.json',
    'manifests/cluster/configmap-a.yaml',
    'manifests/cluster/kustomization.yaml',
    'manifests/cluster/placeholders.json',
    'plans/cluster.json',
    'plans/network.json',
  ]);
});

it('what an earlier synthesis left behind is removed', () => {
  synthesized({ cluster: CONFIG_MAP, network: { aws_vpc: { main: {} } } });
  writeSynthesizedViews(folder);
  const role = { kubernetes_role: { r: { metadata: { name: 'r' } } } };
  synthesized({ other: role, network: CONFIG_MAP });
  synthesized({ network: role });
  writeSynthesizedViews(folder);
  expect(Object.keys(everyFile())).toEqual([
    'manifest.json',
    'manifests/network/kustomization.yaml',
    'manifests/network/placeholders.json',
    'manifests/network/role-r.yaml',
    'plans/network.json',
  ]);
});

it('a second run writes the same to the byte', () => {
  synthesized({ cluster: CONFIG_MAP });
  writeSynthesizedViews(folder);
  const first = everyFile();
  writeSynthesizedViews(folder);
  expect(everyFile()).toEqual(first);
});

it('there are none for HCL, and old ones are removed', () => {
  synthesized({ cluster: CONFIG_MAP });
  writeSynthesizedViews(folder);
  synthesized({ cluster: CONFIG_MAP }, 'cdk.tf');
  writeSynthesizedViews(folder);
  expect(existsSync(join(folder, 'manifests'))).toBe(false);
  expect(existsSync(join(folder, 'plans'))).toBe(false);
});
