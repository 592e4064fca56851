import { describe, expect, it } from 'vitest';
import { mermaidOf } from '../../../../src/synthesized/diagram/mermaid.ts';
import type { TerraformJson } from '../../../../src/synthesized/synthesized-stack.ts';
import { modelOfJson } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';

const draw = (resource: TerraformJson['resource']) => mermaidOf(modelOfJson({ s: { resource } }));

const POD_LABELS = { template: { metadata: { labels: { app: 'a' } }, spec: {} } };
const named = (name: string, spec: object = {}) => ({ metadata: { name, namespace: 'n' }, spec });

describe('the picture', () => {
  it('has a frame for each stack and role, and a box with type and name', () => {
    expect(draw({ aws_sns_topic: { events: {} } })).toBe(
      'flowchart LR\n  subgraph s["s"]\n    subgraph s_messaging["messaging"]\n      s_aws_sns_topic_events["sns topic<br/>events"]\n    end\n  end\n',
    );
  });

  it('draws resources that differ in the zone as one box', () => {
    expect(draw({ aws_subnet: { private_a: {}, private_b: {}, public_a: {} } })).toContain(
      '["subnet ×2<br/>private"]',
    );
  });

  it('draws messages from topic to subscription to queue', () => {
    const picture = draw({
      aws_sns_topic: { t: {} },
      aws_sqs_queue: { q: {} },
      aws_sns_topic_subscription: {
        s: { topic_arn: '${aws_sns_topic.t.arn}', endpoint: '${aws_sqs_queue.q.arn}' },
      },
    });
    expect(picture).toContain('s_aws_sns_topic_t --> s_aws_sns_topic_subscription_s\n');
    expect(picture).toContain('s_aws_sns_topic_subscription_s --> s_aws_sqs_queue_q\n');
  });

  it('draws an attachment as the arrow from role to policy', () => {
    const picture = draw({
      aws_iam_role: { r: {} },
      aws_iam_policy: { p: {} },
      aws_iam_role_policy_attachment: {
        x: { policy_arn: '${aws_iam_policy.p.arn}', role: '${aws_iam_role.r.name}' },
      },
    });
    expect(picture).toContain('s_aws_iam_role_r --> s_aws_iam_policy\n');
    expect(picture).not.toContain('attachment');
  });

  it('leaves details out', () => {
    const picture = draw({
      aws_kms_alias: { a: {} },
      aws_route: { r: {} },
      aws_sns_topic_policy: { p: {} },
      aws_vpc: { v: {} },
    });
    expect(picture.match(/\["/g)).toHaveLength(3);
  });

  it('draws keys by dashed arrows, and no resource policy', () => {
    const picture = draw({
      aws_kms_key: { k: { policy: '${aws_sns_topic.t.arn}' } },
      aws_sns_topic: { t: { kms_master_key_id: '${aws_kms_key.k.arn}' } },
    });
    expect(picture.match(/.*->.*/g)).toEqual(['  s_aws_sns_topic_t -.-> s_aws_kms_key']);
  });

  it('ties Kubernetes objects by selector and by name', () => {
    const picture = draw({
      kubernetes_service_v1: {
        s: named('s', { selector: { app: 'a' } }),
        other: named('o', { selector: { app: 'b' } }),
      },
      kubernetes_deployment_v1: {
        d: named('d', {
          template: {
            ...POD_LABELS.template,
            spec: { container: { name: 'c', env_from: { config_map_ref: { name: 'c' } } } },
          },
        }),
      },
      kubernetes_config_map_v1: { c: { metadata: { name: 'c', namespace: 'n' } } },
    });
    expect(picture.match(/.*->.*/g)).toEqual([
      '  s_kubernetes_deployment_v1_d --> s_kubernetes_config_map_v1_c',
      '  s_kubernetes_service_v1_s --> s_kubernetes_deployment_v1_d',
    ]);
  });

  it('follows a data source into the stack whose names it looks for', () => {
    const filter = [{ name: 'tag:Name', values: ['etl-private-*'] }];
    const picture = mermaidOf(
      modelOfJson({
        network: {
          resource: {
            aws_subnet: {
              private_a: { tags: { Name: 'etl-private-a' } },
              public_a: { tags: { Name: 'etl-public-a' } },
            },
          },
        },
        cluster: {
          data: { aws_subnets: { p: { filter } } },
          resource: { aws_eks_cluster: { c: { subnets: '${data.aws_subnets.p.ids}' } } },
        },
      }),
    );
    expect(picture.match(/.*->.*/g)).toEqual([
      '  cluster_aws_eks_cluster_c --> network_aws_subnet_private',
    ]);
  });

  it.each(['etl-playground', 'complete'] as const)(
    'of %s has few enough boxes to be read, each tied to another',
    (environment) => {
      const picture = mermaidOf(modelOfJson(environmentStacks(environment)));
      const boxes = [...picture.matchAll(/^ {6}(\w+)\["/gm)].map(([, id]) => id);
      expect(boxes.length).toBeLessThan(50);
      const loose = boxes.filter((id) => !new RegExp(`(^  ${id} |> ${id}$)`, 'm').test(picture));
      expect(loose).toEqual([]);
    },
  );
});
