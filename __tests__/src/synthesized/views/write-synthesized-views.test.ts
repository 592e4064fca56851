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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { TerraformJson } from '../../../../src/synthesized/synthesized-stack.ts';
import {
  manifestFiles,
  writeSynthesizedViews,
} from '../../../../src/synthesized/views/write-synthesized-views.ts';
import { modelOfJson, stackModelOf } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';

const filesOf = (json: TerraformJson) => manifestFiles(stackModelOf(json));

describe('the files of a stack', () => {
  const files = filesOf({
    output: { topic_arn: { value: '${aws_sns_topic.t.arn}' } },
    resource: {
      aws_sns_topic: { t: { name: 'topic' } },
      kubernetes_config_map_v1: {
        c: { metadata: { name: 'c' }, data: { A: '${aws_sns_topic.t.arn}', B: 'echo $${HOME}' } },
      },
      kubernetes_secret_v1: {
        s: { metadata: { name: 's', namespace: 'n' }, data_wo: { PASSWORD: '${var.password}' } },
      },
    },
  });

  it('are one an object, a kustomization without the Secret whose data is not here, and the placeholders', () => {
    expect(Object.keys(files)).toEqual([
      'configmap-c.yaml',
      'secret-s.yaml',
      'kustomization.yaml',
      'placeholders.json',
    ]);
    expect(parse(files['kustomization.yaml'] ?? '').resources).toEqual(['configmap-c.yaml']);
  });

  it('have named placeholders, which are listed with their source, and no other expression', () => {
    expect(parse(files['configmap-c.yaml'] ?? '').data).toStrictEqual({
      A: '${TOPIC_ARN}',
      B: 'echo ${HOME}',
    });
    expect(JSON.parse(files['placeholders.json'] ?? '')).toStrictEqual({
      TOPIC_ARN: { expression: 'aws_sns_topic.t.arn', output: 'topic_arn' },
    });
  });

  it('tell how to fill a Secret, which has no data', () => {
    expect(files['secret-s.yaml']).toContain(
      '# kubectl create secret generic s --namespace n --from-file=PASSWORD=FILE\n',
    );
    expect(parse(files['secret-s.yaml'] ?? '')).toStrictEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'n' },
    });
  });

  it('are none for a stack without Kubernetes objects', () => {
    expect(filesOf({ resource: { aws_sns_topic: { t: {} } } })).toEqual({});
  });

  it('do not collide where two namespaces have objects of one name', () => {
    const inNamespace = (namespace: string) => ({ metadata: { name: 'x', namespace } });
    const both = { a: inNamespace('one'), b: inNamespace('two') };
    expect(Object.keys(filesOf({ resource: { kubernetes_role: both } }))).toContain(
      'two-role-x.yaml',
    );
  });
});

it('the manifests of the environments are those that are recorded', async () => {
  const texts = (['etl-playground', 'complete'] as const).flatMap((environment) =>
    modelOfJson(environmentStacks(environment)).stacks.flatMap((stack) =>
      Object.entries(manifestFiles(stack)).map(
        ([name, text]) => `# ${environment}: ${stack.name}/${name}\n${text}`,
      ),
    ),
  );
  // One file, so that a change of both environments is one difference to look at.
  await expect(texts.join('---\n')).toMatchFileSnapshot('../../../golden/manifests.yaml');
});

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
