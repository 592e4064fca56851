import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { TerraformJson } from '../../../../src/synthesized/synthesized-stack.ts';
import { manifestFiles } from '../../../../src/synthesized/views/manifest-files.ts';
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
    expect(parse(files['configmap-c.yaml'] ?? '').data).toEqual({
      A: '${TOPIC_ARN}',
      B: 'echo ${HOME}',
    });
    expect(JSON.parse(files['placeholders.json'] ?? '')).toEqual({
      TOPIC_ARN: { expression: 'aws_sns_topic.t.arn', output: 'topic_arn' },
    });
  });

  it('tell how to fill a Secret, which has no data', () => {
    expect(files['secret-s.yaml']).toContain(
      '# kubectl create secret generic s --namespace n --from-file=PASSWORD=FILE\n',
    );
    expect(parse(files['secret-s.yaml'] ?? '')).toEqual({
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
