import { expect, it } from 'vitest';
import { withoutIgnored, withStandIns } from '../../../../src/synthesized/views/plan-values.ts';
import { stackModelOf } from '../../../audit/support/stack-model.ts';

it.each([
  [
    'a block that is not a list',
    ['spec[0].replicas'],
    { spec: { replicas: 1, a: 2 } },
    { spec: { a: 2 } },
  ],
  [
    'a block that is a list',
    ['spec[0].replicas'],
    { spec: [{ replicas: 1, a: 2 }] },
    { spec: [{ a: 2 }] },
  ],
  ['another block', ['c[1].a'], { c: [{ a: 1 }, { a: 2 }] }, { c: [{ a: 1 }, {}] }],
  [
    'a key with dots',
    ['metadata[0].labels["a"]'],
    { metadata: { labels: { a: 1, b: 2 } } },
    { metadata: { labels: { b: 2 } } },
  ],
  [
    'nothing that is fixed when an object is made',
    ['metadata[0].name', 'spec[0].load_balancer_class'],
    { metadata: { name: 'a' }, spec: { load_balancer_class: 'b' } },
    { metadata: { name: 'a' }, spec: { load_balancer_class: 'b' } },
  ],
  ['what is not there', ['spec[0].x.y'], { spec: { a: 1 } }, { spec: { a: 1 } }],
  ['nothing for "all"', 'all', { spec: { a: 1 } }, { spec: { a: 1 } }],
])('%s is left out', (_, ignore_changes, given, expected) => {
  const lifecycle = { ignore_changes };
  expect(withoutIgnored({ ...given, lifecycle })).toStrictEqual({ ...expected, lifecycle });
});

const stack = stackModelOf({
  resource: {
    aws_iam_openid_connect_provider: { eks: {} },
    aws_kms_key: { a: {}, b: {} },
    aws_s3_bucket: { box: { bucket: 'drop-box' } },
    aws_sqs_queue: { q: { name: 'queue' } },
    aws_vpc: { main: {} },
  },
});

it.each([
  ['${aws_sqs_queue.q.arn}', 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:queue'],
  ['${aws_s3_bucket.box.arn}/*', 'arn:aws-us-gov:s3:::drop-box/*'],
  [
    '${aws_iam_openid_connect_provider.eks.arn}',
    'arn:aws-us-gov:iam::123456789012:oidc-provider/eks',
  ],
  ['${data.aws_caller_identity.current.account_id}', '123456789012'],
  ['${aws_vpc.main.id}', /^vpc-\d{17}$/],
  ['${aws_kms_key.a.key_id}', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ['${timestamp()}', 'unknown'],
  ['no expression', 'no expression'],
  ['escaped $${aws_vpc.main.id}', 'escaped ${aws_vpc.main.id}'],
])('%s has a value of its form', (text, expected) => {
  const value = withStandIns(text, stack);
  if (typeof expected === 'string') expect(value).toBe(expected);
  else expect(value).toMatch(expected);
});

it('the same reference has the same value, another resource another', () => {
  const [one, again, other] = ['a', 'a', 'b'].map((key) =>
    withStandIns(`\${aws_kms_key.${key}.arn}`, stack),
  );
  expect(one).toBe(again);
  expect(one).not.toBe(other);
});
