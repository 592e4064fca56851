import { describe, expect, it } from 'vitest';
import { kubernetesObjects } from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { fill, placeholdersOf } from '../../../../src/synthesized/views/placeholders.ts';
import { stackModelOf } from '../../../audit/support/stack-model.ts';

const CHECKSUM = 'sha256(jsonencode(kubernetes_config_map_v1.c.data))';

function placeholdersFor(data: Record<string, string>, output = {}) {
  const stack = stackModelOf({
    output,
    resource: { kubernetes_config_map_v1: { c: { metadata: { name: 'c' }, data } } },
  });
  return placeholdersOf(stack, kubernetesObjects({ stacks: [stack] }));
}

describe('a placeholder', () => {
  it('is named after the output that gives its value', () => {
    const output = { role: { value: '${aws_iam_role.r.arn}' } };
    expect(placeholdersFor({ A: 'x ${aws_iam_role.r.arn}' }, output)).toStrictEqual([
      { name: 'ROLE', expression: 'aws_iam_role.r.arn', output: 'role' },
    ]);
  });

  it('is named after its expression where no output gives it, or only a sensitive one', () => {
    const output = { secret: { value: '${aws_x_y.z.password}', sensitive: true } };
    expect(placeholdersFor({ A: '${aws_x_y.z.password}' }, output)).toStrictEqual([
      { name: 'AWS_X_Y_Z_PASSWORD', expression: 'aws_x_y.z.password' },
    ]);
  });

  it('of a checksum names the ConfigMap', () => {
    expect(placeholdersFor({ A: `\${${CHECKSUM}}` })).toMatchObject([
      { checksumOf: 'kubernetes_config_map_v1.c' },
    ]);
  });

  it('has a name of its own, and is listed once', () => {
    const found = placeholdersFor({
      A: '${aws_a_b.c.d}',
      B: '${aws_a_b.c_d.x}',
      C: '${aws_a_b.c.d}',
      D: '${aws_a_b.c.d_x}',
    });
    expect(found.map(({ name }) => name)).toEqual([
      'AWS_A_B_C_D',
      'AWS_A_B_C_D_X',
      'AWS_A_B_C_D_X_2',
    ]);
  });
});

describe('filling', () => {
  it('replaces each expression, however deep, and unescapes what is not one', () => {
    const manifest = {
      apiVersion: 'v1',
      kind: 'A',
      metadata: { name: 'a' },
      spec: [{ a: '<${x.y}> $${z} ${x.z}' }, { '$${k}': '%%{if a}' }],
    };
    expect(fill(manifest, (expression) => expression.toUpperCase()).spec).toStrictEqual([
      { a: '<X.Y> ${z} X.Z' },
      { '${k}': '%{if a}' },
    ]);
  });
});
