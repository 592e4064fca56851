import { expect, test } from 'vitest';
import { isNotified, localSettings } from '../../../listener/local/synthesized-settings.ts';
import { type SynthesizedStack, synthesizedStack } from '../support/synthesized-stack.ts';

async function settingsOf(change: (resource: SynthesizedStack['resource']) => void = () => {}) {
  const stack = await synthesizedStack();
  change(stack.resource);
  return localSettings(stack);
}

test('topic, bucket and filters are those of the stack', async () => {
  expect(await settingsOf()).toMatchObject({
    topicArn: 'arn:aws-us-gov:sns:us-gov-west-1:000000000000:file-processing-topic',
    region: 'us-gov-west-1',
    buckets: [
      { name: 'etl-ba-research-client-etl', filters: [{ prefix: 'from_client/', suffix: '' }] },
    ],
  });
});

test('the environment is that of the ConfigMap, without database and topic', async () => {
  const { environment } = await settingsOf();
  expect(environment).toMatchObject({ PORT: '8080', SHUTDOWN_SECONDS: '25' });
  expect(Object.keys(environment).filter((name) => /^DB_|^SNS_TOPIC/.test(name))).toEqual([]);
});

test('the proxy, the FIPS endpoints and the mounted rules of the cloud are not for this machine', async () => {
  const cloud = {
    AWS_USE_FIPS_ENDPOINT: 'true',
    HTTP_PROXY: 'http://proxy.example.gov:3128',
    HTTPS_PROXY: 'http://proxy.example.gov:3128',
    NO_PROXY: 'localhost',
    NODE_USE_ENV_PROXY: '1',
    RULES_LOCATION: '/etc/file-processing/rules',
  };
  const { environment } = await settingsOf((resource) => {
    Object.assign(resource.kubernetes_config_map_v1.config.data, cloud);
  });
  expect(Object.keys(environment).filter((name) => name in cloud)).toEqual([]);
});

test.each([
  ['eu-central-1', 'arn:aws:sns:eu-central-1:'],
  ['us-gov-east-1', 'arn:aws-us-gov:sns:us-gov-east-1:'],
  ['cn-north-1', 'arn:aws-cn:sns:cn-north-1:'],
])('the partition follows the region %s', async (region, beginning) => {
  const { topicArn } = await settingsOf((resource) => {
    resource.kubernetes_config_map_v1.config.data.AWS_REGION = region;
  });
  expect(topicArn.startsWith(beginning)).toBe(true);
});

test('a changed ConfigMap changes the environment', async () => {
  const { environment } = await settingsOf((resource) => {
    resource.kubernetes_config_map_v1.config.data.WORKER_CONCURRENCY = '7';
  });
  expect(environment.WORKER_CONCURRENCY).toBe('7');
});

test('changed topic, bucket and filters are followed', async () => {
  const settings = await settingsOf((resource) => {
    resource.aws_sns_topic.file_processing.name = 'other-topic';
    resource.aws_s3_bucket_notification = {
      bucket: {
        bucket: 'other-bucket',
        topic: [{ filter_prefix: 'year%3D1/a+b/' }, { filter_suffix: '.csv' }],
      },
    };
  });
  expect(settings.topicArn.endsWith(':other-topic')).toBe(true);
  expect(settings.buckets).toStrictEqual([
    {
      name: 'other-bucket',
      filters: [
        { prefix: 'year=1/a b/', suffix: '' },
        { prefix: '', suffix: '.csv' },
      ],
    },
  ]);
});

test('without a notification, bucket and filters are those of the ConfigMap', async () => {
  const { buckets } = await settingsOf((resource) => {
    delete resource.aws_s3_bucket_notification;
    Object.assign(resource.kubernetes_config_map_v1.config.data, {
      S3_BUCKET: 'map-bucket',
      S3_PREFIXES: 'a/,b/',
      S3_SUFFIX: '.csv',
    });
  });
  expect(buckets).toStrictEqual([
    {
      name: 'map-bucket',
      filters: [
        { prefix: 'a/', suffix: '.csv' },
        { prefix: 'b/', suffix: '.csv' },
      ],
    },
  ]);
});

test('of several buckets each has the filters of its notification, else those of the ConfigMap', async () => {
  const { buckets } = await settingsOf((resource) => {
    resource.aws_s3_bucket_notification = {
      bucket_one: { bucket: 'one', topic: [{ filter_prefix: 'a+b/' }] },
    };
    const { data } = resource.kubernetes_config_map_v1.config;
    delete data.S3_BUCKET;
    delete data.S3_PREFIXES;
    data.S3_BUCKETS =
      '[{"name":"one","prefixes":["a b/"]},{"name":"two","prefixes":["c/"],"suffix":".csv"}]';
  });
  expect(buckets).toStrictEqual([
    { name: 'one', filters: [{ prefix: 'a b/', suffix: '' }] },
    { name: 'two', filters: [{ prefix: 'c/', suffix: '.csv' }] },
  ]);
});

test('everything that does not fit is named at once', async () => {
  const broken = settingsOf((resource) => {
    resource.aws_sns_topic.file_processing.name = '';
    resource.kubernetes_config_map_v1.config.data.REPORT_PREFIX = '${local.prefix}';
  });
  await expect(broken).rejects.toThrow(/REPORT_PREFIX.*aws_sns_topic\.file_processing\.name/);
});

test.each([null, [], {}, 'text'])('%j is not a stack', (stack) => {
  expect(() => localSettings(stack)).toThrow('kubernetes_config_map_v1.config.data is missing');
});

test.each([
  ['from/a.csv', true],
  ['from/a.txt', false],
  ['other/a.csv', false],
  ['b/anything', true],
])('%s has an event notification: %s', (key, notified) => {
  const filters = [
    { prefix: 'from/', suffix: '.csv' },
    { prefix: 'b/', suffix: '' },
  ];
  expect(isNotified(filters, key)).toBe(notified);
});
