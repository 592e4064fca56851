import { describe, expect, it } from 'vitest';
import { type Blocks, canonicalBlocks, differences, unknownIn } from '../../audit/differences.ts';
import type { TerraformJson } from '../../src/synthesized/synthesized-stack.ts';

const STATEMENT = { Sid: 'Publish', Effect: 'Allow', Action: 'sns:Publish', Resource: '*' };
const policy = (...Statement: readonly object[]) => JSON.stringify({ Statement });

const BASE: TerraformJson = {
  resource: {
    aws_sns_topic: { events: { name: 'events', policy: policy(STATEMENT) } },
    aws_cloudwatch_metric_alarm: {
      lost: { threshold: 0, dimensions: { TopicName: '${aws_sns_topic.events.name}' } },
    },
    aws_s3_bucket_notification: {
      bucket: {
        topic: [
          { id: 'a', filter_prefix: 'a/', events: ['s3:ObjectCreated:*'] },
          { id: 'b', filter_prefix: 'b/', events: ['s3:ObjectCreated:*'] },
        ],
      },
    },
    kubernetes_deployment_v1: {
      web: {
        spec: { template: { spec: { container: [{ name: 'main', args: ['serve', '--fast'] }] } } },
      },
    },
    kubernetes_config_map_v1: { rules: { data: { 'rules.yaml': 'one\ntwo\nthree\n' } } },
  },
  output: { url: { value: 'https://files.example.gov/' } },
  variable: {
    image: { default: 'registry.example.gov:5000/etl/listener:1@sha256:ab' },
    oidc_thumbprint: { default: 'ab' },
  },
  locals: { prefixes: ['a/', 'b/'] },
  provider: { aws: [{ region: 'us-gov-west-1' }] },
};

/** The lines of what differs after a change of the JSON. */
// biome-ignore lint/suspicious/noExplicitAny: tests change JSON of any form.
function changesAfter(change: (json: any) => void): readonly string[] {
  const now = structuredClone(BASE);
  change(now);
  return differences(canonicalBlocks(BASE), canonicalBlocks(now)).map(
    ({ address, changes }) => `${address}: ${changes.join('. ')}`,
  );
}

describe('a difference', () => {
  it('is none where only metadata, spelling of a block or the order of members are others', () => {
    expect(
      changesAfter((json) => {
        json['//'] = { metadata: { version: '9' } };
        json.resource.aws_sns_topic.events['//'] = { metadata: { path: 'x' } };
        const { events } = json.resource.aws_sns_topic;
        json.resource.aws_sns_topic.events = { policy: events.policy, name: events.name };
        const pod = json.resource.kubernetes_deployment_v1.web.spec.template.spec;
        pod.container = pod.container[0];
        json.resource.aws_cloudwatch_metric_alarm.lost.threshold = '0';
        events.policy = JSON.stringify(JSON.parse(events.policy), undefined, 2);
      }),
    ).toEqual([]);
  });

  it('is none where a plan fills another value', () => {
    expect(
      changesAfter(({ variable }) => {
        variable.image.default = 'registry.example.gov:5000/etl/listener@sha256:cd';
        variable.oidc_thumbprint.default = 'cd';
      }),
    ).toEqual([]);
  });

  it('is an image from another repository, which is other code', () => {
    expect(
      changesAfter(({ variable }) => {
        variable.image.default = 'docker.io/stranger/listener:1';
      }),
    ).toEqual([
      'var.image: default is "docker.io/stranger/listener (filled by the plan)", accepted was "registry.example.gov:5000/etl/listener (filled by the plan)"',
    ]);
  });

  it('names resource, argument, old and new', () => {
    expect(
      changesAfter(({ resource }) => {
        resource.aws_cloudwatch_metric_alarm.lost.threshold = 5;
        resource.aws_cloudwatch_metric_alarm.lost.unit = 'Seconds';
        delete resource.aws_cloudwatch_metric_alarm.lost.dimensions.TopicName;
      }),
    ).toEqual([
      'aws_cloudwatch_metric_alarm.lost: dimensions.TopicName is gone, accepted was "${aws_sns_topic.events.name}". threshold is 5, accepted was 0. unit is new: "Seconds"',
    ]);
  });

  it('names the kind of resource whose tags a template changes', () => {
    const tagged = (tags: object) => ({
      resource: {
        aws_launch_template: {
          nodes: {
            tag_specifications: ['instance', 'volume'].map((kind) => ({
              resource_type: kind,
              tags: { Name: 'nodes', ...tags },
            })),
          },
        },
      },
    });
    const was = canonicalBlocks(tagged({}));
    expect(differences(was, canonicalBlocks(tagged({ Cost: '4711' })))).toEqual([
      {
        address: 'aws_launch_template.nodes',
        changes: [
          'tag_specifications[instance].tags.Cost is new: "4711"',
          'tag_specifications[volume].tags.Cost is new: "4711"',
        ],
      },
    ]);
  });

  it('in a policy is told by its path inside the text', () => {
    expect(
      changesAfter(({ resource }) => {
        resource.aws_sns_topic.events.policy = policy(
          { ...STATEMENT, Action: ['sns:Publish', 'sns:DeleteTopic'] },
          { Sid: 'Others', Effect: 'Allow', Principal: { AWS: '999999999999' } },
        );
      }),
    ).toEqual([
      'aws_sns_topic.events: policy.Statement[Publish].Action has gained "sns:DeleteTopic". policy.Statement[Others] is new: Effect = "Allow", Principal.AWS = "999999999999", Sid = "Others"',
    ]);
  });

  it('in a policy of one statement without a Sid is told of that statement', () => {
    const { Sid: _, ...anonymous } = STATEMENT;
    const was = { aws_x: canonicalBlocks({ locals: { p: policy(anonymous) } }) };
    const is = { aws_x: canonicalBlocks({ locals: { p: policy({ ...anonymous, Action: '*' }) } }) };
    expect(differences(was.aws_x, is.aws_x)).toEqual([
      {
        address: 'local.p',
        changes: ['Statement.Action is "*", accepted was "sns:Publish"'],
      },
    ]);
  });

  it('of order alone is one sentence', () => {
    expect(
      changesAfter(({ resource, locals }) => {
        resource.aws_s3_bucket_notification.bucket.topic.reverse();
        locals.prefixes.reverse();
      }),
    ).toEqual([
      'aws_s3_bucket_notification.bucket: topic is in another order: b, a',
      'local.prefixes: Its value is in another order: "b/", "a/"',
    ]);
  });

  it('of order is told also where a number became its text on the way', () => {
    const listeners = (...ports: readonly unknown[]) => ({
      'aws_x.one': { rule: ports.map((port) => ({ name: `to-${port}`, port })) },
    });
    expect(differences(listeners(1, 2), listeners(1, '2'))).toEqual([]);
    expect(differences(listeners(1, 2), listeners('2', 1))).toEqual([
      { address: 'aws_x.one', changes: ['rule is in another order: to-2, to-1'] },
    ]);
  });

  it('is a prefix that was removed, and an event that was', () => {
    expect(
      changesAfter(({ resource, locals }) => {
        resource.aws_s3_bucket_notification.bucket.topic.shift();
        resource.aws_s3_bucket_notification.bucket.topic[0].events = [];
        locals.prefixes.pop();
      }),
    ).toEqual([
      'aws_s3_bucket_notification.bucket: topic[b].events has lost "s3:ObjectCreated:*". topic[a] is gone, accepted was events = ["s3:ObjectCreated:*"], filter_prefix = "a/", id = "a"',
      'local.prefixes: Its value has lost "b/"',
    ]);
  });

  it('is an output, a variable, a provider or a setting that changed, came or went', () => {
    expect(
      changesAfter((json) => {
        json.output.url.value = 'https://stranger.example.org/';
        json.output.more = { value: 'x' };
        delete json.variable.oidc_thumbprint;
        json.provider.aws.push({ alias: 'other', region: 'us-gov-east-1' });
        json.terraform = { required_version: '>= 1.11.0' };
      }),
    ).toEqual([
      'output.more: Is new, with value = "x"',
      'output.url: value is "https://stranger.example.org/", accepted was "https://files.example.gov/"',
      'provider.aws[1]: Is new, with alias = "other", region = "us-gov-east-1"',
      'terraform: Is new, with required_version = ">= 1.11.0"',
      'var.oidc_thumbprint: Is gone; accepted was default = "(filled by the plan)"',
    ]);
  });

  it('of an object of Kubernetes names the container', () => {
    expect(
      changesAfter(({ resource }) => {
        const pod = resource.kubernetes_deployment_v1.web.spec.template.spec;
        pod.container[0].args = ['serve'];
        pod.container.push({ name: 'miner', image: 'x' });
      }),
    ).toEqual([
      'kubernetes_deployment_v1.web: spec.template.spec.container[main].args has lost "--fast". spec.template.spec.container[miner] is new: image = "x", name = "miner"',
    ]);
  });

  it('in a text of several lines names the lines', () => {
    expect(
      changesAfter(({ resource }) => {
        resource.kubernetes_config_map_v1.rules.data['rules.yaml'] = 'one\n2\nthree\n';
      }),
    ).toEqual([
      'kubernetes_config_map_v1.rules: data["rules.yaml"] has lost "two". data["rules.yaml"] has gained "2"',
    ]);
  });

  it('in a long text shows the place', () => {
    const long = (word: string) => `${'x'.repeat(200)}${word}${'y'.repeat(200)}`;
    const of = (word: string) => canonicalBlocks({ locals: { text: { a: long(word) } } });
    const [found] = differences(of('old'), of('new'));
    expect(found?.changes[0]).toMatch(/^a is …"x{30}newy{30}"…, accepted was …"x{30}oldy{30}"…$/);
  });

  it('is a resource that is new, or lost, with all that it holds', () => {
    expect(
      changesAfter(({ resource }) => {
        resource.aws_iam_user = { somebody: { name: 'x', tags: { a: 'b' } } };
        delete resource.aws_s3_bucket_notification;
        delete resource.kubernetes_deployment_v1;
      }),
    ).toEqual([
      'aws_iam_user.somebody: Is new, with name = "x", tags.a = "b"',
      expect.stringContaining('aws_s3_bucket_notification.bucket: Is gone; accepted was topic[0]'),
      expect.stringContaining('args = ["serve","--fast"]'),
    ]);
  });

  it('is a move, told by a block or by sameness, and what changed with it', () => {
    const renameTopic = (json: {
      resource: Record<string, Record<string, Record<string, unknown>>>;
    }) => {
      const { aws_sns_topic: topics = {}, aws_cloudwatch_metric_alarm: alarms = {} } =
        json.resource;
      const { events: topic = {} } = topics;
      json.resource.aws_sns_topic = { renamed: topic };
      const { lost = {} } = alarms;
      lost.dimensions = { TopicName: '${aws_sns_topic.renamed.name}' };
    };
    expect(changesAfter(renameTopic)).toEqual([
      'aws_sns_topic.renamed: Is what was accepted as aws_sns_topic.events',
    ]);
    expect(
      changesAfter((json) => {
        renameTopic(json);
        json.resource.aws_sns_topic.renamed.name = 'other';
        json.moved = [{ from: 'aws_sns_topic.events', to: 'aws_sns_topic.renamed' }];
      }),
    ).toEqual([
      'aws_sns_topic.renamed: Is what was accepted as aws_sns_topic.events. name is "other", accepted was "events"',
      'moved.aws_sns_topic.events: Is new, with from = "aws_sns_topic.events", to = "aws_sns_topic.renamed"',
    ]);
  });

  it.each(['module', 'import', 'removed', 'check', 'data', 'ephemeral'])(
    'is a block of the section %s',
    (section) => {
      const block = section === 'data' ? { external: { x: { program: ['sh'] } } } : { x: { a: 1 } };
      const list = ['import', 'removed'].includes(section);
      const found = changesAfter((json) => {
        json[section] = list ? [{ to: 'aws_x.y', id: '1' }] : block;
      });
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`^${section}\\..*: Is new, with`));
    },
  );
});

describe('the canonical form', () => {
  const SECRETS: readonly (readonly [string, string, unknown])[] = [
    ['of a password', 'hunter2', { aws_db_instance: { d: { password: 'hunter2' } } }],
    ['of a write-only password', 'hunter2', { aws_db_instance: { d: { password_wo: 'hunter2' } } }],
    ['of a numeric password', '31337', { aws_rds_cluster: { d: { master_password: 31337 } } }],
    [
      'inside an expression',
      'hunter2',
      { aws_db_instance: { d: { password: '${join("", ["hunter2"])}' } } },
    ],
    ['of a Secret', 'c2VjcmV0', { kubernetes_secret_v1: { s: { data: { key: 'c2VjcmV0' } } } }],
    [
      'of a Secret in a free manifest',
      'c2VjcmV0',
      {
        kubernetes_manifest: { s: { manifest: { kind: 'Secret', stringData: { k: 'c2VjcmV0' } } } },
      },
    ],
    [
      'of a Secret in write-only data',
      'c2VjcmV0',
      { kubernetes_secret_v1: { s: { data_wo: { key: 'c2VjcmV0' } } } },
    ],
    [
      'of a variable of a container',
      'hunter2',
      { kubernetes_pod_v1: { p: { env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] } } },
    ],
    ['in a URL', 'hunter2', { aws_x: { u: { url: 'postgres://etl:hunter2@db/etl' } } }],
    ['in a script', 'hunter2', { aws_x: { u: { user_data: 'a\npassword = hunter2\nb' } } }],
    [
      'in a private key',
      'MIIE',
      { aws_x: { k: { pem: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----' } } },
    ],
    [
      'in a policy',
      'AKIAABCDEFGHIJKLMNOP',
      { aws_x: { k: { p: '{"k":"AKIAABCDEFGHIJKLMNOP"}' } } },
    ],
  ];

  it.each(SECRETS)('holds no value %s, but that there is one', (_, secret, resource) => {
    const text = JSON.stringify(canonicalBlocks({ resource } as TerraformJson));
    expect(text).not.toContain(secret);
    expect(text).toContain('(secret, not kept)');
  });

  it('holds no default of a variable for a secret', () => {
    const text = JSON.stringify(
      canonicalBlocks({ variable: { db_password: { default: 'hunter2' } } }),
    );
    expect(text).not.toContain('hunter2');
  });

  it('keeps a reference to a secret, so that another one is a difference', () => {
    const blocks = canonicalBlocks({
      resource: { kubernetes_secret_v1: { s: { data_wo: { PASSWORD: '${var.db_password}' } } } },
    });
    expect(JSON.stringify(blocks)).toContain('${var.db_password}');
  });

  it('hides nothing beside a secret', () => {
    const text = JSON.stringify(
      canonicalBlocks({ locals: { script: 'curl evil\npassword = hunter2\nsecond' } }),
    );
    expect(text).toContain('curl evil');
    expect(text).toContain('second');
  });

  it('is the same for any order of the blocks', () => {
    const { resource = {}, ...rest } = BASE;
    const reversed = {
      resource: Object.fromEntries(Object.entries(resource).reverse()),
      ...Object.fromEntries(Object.entries(rest).reverse()),
    };
    expect(JSON.stringify(canonicalBlocks(reversed))).toBe(JSON.stringify(canonicalBlocks(BASE)));
  });
});

describe('what no accepted JSON has', () => {
  const known: readonly Blocks[] = [canonicalBlocks(BASE)];
  const unknown = (resource: object) =>
    unknownIn(known, canonicalBlocks({ resource } as TerraformJson));

  it('is a type, without all its arguments', () => {
    expect(unknown({ aws_iam_user: { x: { name: 'x' } } })).toEqual(['aws_iam_user']);
  });

  it('is an argument, without what is inside of it', () => {
    expect(
      unknown({
        aws_sns_topic: { x: { name: 'y', tracing: { mode: 'x' } } },
        kubernetes_deployment_v1: {
          x: { spec: { template: { spec: { container: [{ name: 'y', tty: true }] } } } },
        },
      }),
    ).toEqual([
      'aws_sns_topic tracing',
      'kubernetes_deployment_v1 spec.template.spec.container.tty',
    ]);
  });

  it('is not a label, a key of data or a dimension', () => {
    expect(
      unknown({
        aws_cloudwatch_metric_alarm: { x: { dimensions: { Other: 'x' } } },
        kubernetes_config_map_v1: { x: { data: { other: 'x' } } },
      }),
    ).toEqual([]);
  });
});
