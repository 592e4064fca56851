import { LISTENER_RULES } from '../../../../audit/rules/workload/listener.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  CONFIG_MAP,
  CRON_JOB,
  DEPLOYMENT,
  INIT,
  MAIN,
  POD,
  SECRET,
} from '../../support/kubernetes-paths.ts';
import {
  alter,
  type Base,
  type Change,
  drop,
  type Plant,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const setting = (name: string, value: string): Change => set(CONFIG_MAP, `data.${name}`, value);
const without = (name: string): Change => drop(CONFIG_MAP, `data.${name}`);
const given = (name: string, value: string, base?: Base): Plant =>
  base
    ? [`${name}=${value}`, setting(name, value), base]
    : [`${name}=${value}`, setting(name, value)];
const missing = (name: string, base?: Base): Plant =>
  base ? [`no ${name}`, without(name), base] : [`no ${name}`, without(name)];
const environment = (name: string, value: string): Change =>
  set(DEPLOYMENT, `${MAIN}.env`, [{ name, value }]);

/** Copies in the bucket of the deliveries. */
const copies = (name: string, prefixOf: (data: Json) => string): Plant => [
  `copies ${name}`,
  (json) =>
    alter(CONFIG_MAP, 'data', (data: Json) => ({
      ...data,
      ROUTING_TARGETS: JSON.stringify([{ bucket: data.S3_BUCKET, prefix: prefixOf(data) }]),
    }))(json),
];

const DATABASE = { name: 'DB_NAME', value: 'another' };

function twice(): readonly object[] {
  return [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'LOG_LEVEL', value: 'warn' },
  ];
}

function onePort(ports: readonly object[]): unknown {
  return [...ports, { name: 'debug', container_port: 9229 }];
}

function samePort(json: Json): void {
  alter(CONFIG_MAP, 'data', ({ PORT, ...rest }: Json) => ({ ...rest, PORT, METRICS_PORT: PORT }))(
    json,
  );
}

function otherKey(data: Json): Json {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [`${key}0`, value]));
}

/** The Secret's volume becomes a folder of temporary files. */
function swapped(json: Json): void {
  alter(DEPLOYMENT, `${POD}.volume.1`, ({ name }: Json) => ({
    name,
    empty_dir: { size_limit: '1Mi' },
  }))(json);
}

const RULES_VOLUME = 'spec.template.spec.volume.3';
/** The Deployment that mounts a rule set, and not that of the console. */
const WITH_RULES = /"config_map":/;

describeRules(LISTENER_RULES, {
  plants: {
    'traces-are-not-readable-on-the-way': [
      [
        'a collector elsewhere, by http',
        ({ set }) =>
          set(
            CONFIG_MAP,
            'data.OTEL_EXPORTER_OTLP_ENDPOINT',
            'http://otlp.example.gov:4318',
            /S3_/,
          ),
      ],
      [
        'the whole address of one',
        ({ set }) =>
          set(
            CONFIG_MAP,
            'data.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
            'http://otlp.example.gov',
            /S3_/,
          ),
      ],
    ],
    'listener-rules-are-mounted': [
      [
        'a folder elsewhere',
        ({ set }) => set(CONFIG_MAP, 'data.RULES_LOCATION', '/rules', /RULES_LOCATION/),
      ],
      ['no volume', ({ drop }) => drop(DEPLOYMENT, RULES_VOLUME, WITH_RULES)],
      [
        'a folder of temporary files',
        ({ change }) =>
          change(
            DEPLOYMENT,
            RULES_VOLUME,
            (volume) => ({ name: (volume as Json).name, empty_dir: { size_limit: '1Mi' } }),
            WITH_RULES,
          ),
      ],
      [
        'a file alone',
        ({ set }) =>
          set(DEPLOYMENT, `${MAIN}.volume_mount.3.sub_path`, 'mappings..a.yaml', WITH_RULES),
      ],
      [
        'some of the files',
        ({ set }) =>
          set(
            DEPLOYMENT,
            `${RULES_VOLUME}.config_map.items`,
            [{ key: 'a', path: 'mappings/a.yaml' }],
            WITH_RULES,
          ),
      ],
      [
        'keys that stand for no file',
        ({ set }) => set(CONFIG_MAP, 'data', { 'a.yaml': 'name: a' }, /monitoring_files/),
      ],
    ],
  },
  objects: {
    'listener-settings-are-known': [
      given('SNS_SIGNATURE_VERSION', '2'),
      given('LOG_LEVL', 'info'),
      given('PORT', 'http'),
      given('DB_PORT', '0'),
      given('DB_SSL', 'verify-ca'),
      given('REPORT_PREFIX', '/reports'),
      given('WRITE_REPORTS', 'yes'),
      given('S3_BUCKET', 'Not_A_Bucket'),
      given('SHUTDOWN_SECONDS', '25s'),
      given('WORKER_CONCURRENCY', '0'),
      given('RETENTION_DAYS', '41'),
      given('RETENTION_DAYS', 'for ever'),
      given('DB_PASSWORD', '${var.anything}'),
      ['a variable that is set twice', set(DEPLOYMENT, `${MAIN}.env`, twice())],
      ['a variable of its own that is wrong', environment('LOG_LEVEL', 'loud')],
      ['a prefix before every name', set(DEPLOYMENT, `${MAIN}.env_from.0.prefix`, 'APP_')],
    ],
    'listener-settings-are-complete': [
      ...['AWS_REGION', 'S3_BUCKET', 'S3_PREFIXES', 'SNS_TOPIC_ARNS'].map((name) => missing(name)),
      ...['DB_HOST', 'DB_NAME', 'DB_USER', 'DB_PASSWORD_FILE'].map((name) => missing(name)),
      missing('REPORT_PREFIX'),
      given('WRITE_REPORTS', 'true', 'noReports'),
      missing('DATABASE_URL_FILE', 'existingSecret'),
      missing('DB_PASSWORD_FILE', 'existingPassword'),
      missing('DB_IAM_AUTH', 'iam'),
      ['an empty ConfigMap', drop(CONFIG_MAP, 'data')],
      ['a ConfigMap of one line', set(CONFIG_MAP, 'data', { LOG_LEVEL: 'info' })],
    ],
    'copies-are-no-deliveries': [
      copies('inside where clients deliver', ({ S3_PREFIXES }) => `${S3_PREFIXES}checked/`),
      copies('around it', ({ S3_PREFIXES }) => `${S3_PREFIXES}`),
      copies('among reports', ({ REPORT_PREFIX }) => `${REPORT_PREFIX}checked/`),
      copies('anywhere', () => '/'),
    ],
    'listener-is-not-weakened': [
      given('DB_HOST', 'localhost'),
      given('DB_HOST', '10.0.0.5'),
      [
        'plain endpoints beside a provider with FIPS endpoints',
        (json) => {
          const [provider] = (json.provider as unknown as { aws: object[] }).aws;
          Object.assign(provider ?? {}, { use_fips_endpoint: true });
        },
      ],
      given('REPORT_VALUES', 'true'),
      given('DB_USER', 'postgres'),
      given('DB_USER', 'rdsadmin'),

      given('SNS_SIGNATURE_VERSIONS', '1,2'),
      given('SNS_SIGNATURE_VERSIONS', '1'),
      given('SNS_MAX_AGE_SECONDS', '864000'),
      given('SNS_MAX_AGE_SECONDS', '60'),
      given('DB_SSL', 'disable'),
      given('DB_SSL', 'require'),
      given('AWS_ENDPOINT_URL', 'http://sns.example.org'),
      given('AWS_ENDPOINT_URL_SNS', 'http://sns.example.org'),
      given('LOCAL_S3_ROOT', '/tmp'),
      given('LOG_LEVEL', 'debug'),
      given('LOG_LEVEL', 'trace'),
      given('LOG_LEVEL', 'silent'),
      given('NODE_TLS_REJECT_UNAUTHORIZED', '0'),
      given('AWS_ROLE_ARN', 'arn:aws-us-gov:iam::123456789012:role/other'),
      given('NODE_OPTIONS', '--inspect=0.0.0.0'),
      ['what the container sets itself', environment('DB_SSL', 'disable')],
    ],
    'listener-runs-its-command': [
      ['a migration by a shell', set(DEPLOYMENT, `${INIT}.command`, ['sh', '-c'])],
      [
        'a CronJob by a shell',
        set(CRON_JOB, 'spec.job_template.spec.template.spec.container.0.command', ['sh', '-c']),
        'reconciliation',
      ],

      ['another command', set(DEPLOYMENT, `${MAIN}.args`, ['migrate'])],
      ['no command', drop(DEPLOYMENT, `${MAIN}.args`)],
      ['an intake alone', set(DEPLOYMENT, `${MAIN}.args`, ['serve', '--role', 'intake'])],
      ['a worker alone', set(DEPLOYMENT, `${MAIN}.args`, ['serve', '--role=worker'])],
      ['an unknown role', set(DEPLOYMENT, `${MAIN}.args`, ['serve', '--role', 'all'])],
      ['no migration', drop(DEPLOYMENT, `${POD}.init_container`)],
      ['another program', set(DEPLOYMENT, `${MAIN}.command`, ['sh', '-c', 'sleep 1d'])],
    ],
    'listener-has-memory': [
      given('WORKER_CONCURRENCY', '32'),
      ['too small a limit', set(DEPLOYMENT, `${MAIN}.resources.limits.memory`, '128Mi')],
    ],
    'pod-runs-one-version': [
      [
        'a migration of another version',
        alter(DEPLOYMENT, `${INIT}.image`, (image) => `${image}0`),
      ],
      ['a migration without its settings', drop(DEPLOYMENT, `${INIT}.env_from`)],
      ['a listener without its settings', drop(DEPLOYMENT, `${MAIN}.env_from`)],
      ['a migration of another database', set(DEPLOYMENT, `${INIT}.env`, [DATABASE])],
      ['a migration that serves', set(DEPLOYMENT, `${INIT}.args`, ['serve'])],
      ['a misspelt command', set(DEPLOYMENT, `${INIT}.args`, ['migrat'])],
    ],
    'listener-opens-its-ports': [
      given('PORT', '8081'),
      given('METRICS_PORT', '9091'),
      ['another port of the container', set(DEPLOYMENT, `${MAIN}.port.0.container_port`, 8081)],
      ['another port for metrics', set(DEPLOYMENT, `${MAIN}.port.1.container_port`, 9091)],
      ['no port for metrics', drop(DEPLOYMENT, `${MAIN}.port.1`)],
      ['a port that nobody listens on', alter(DEPLOYMENT, `${MAIN}.port`, onePort)],
      given('PORT', '80'),
      ['one port for both', samePort],
    ],
    'listener-files-are-mounted': [
      given('DB_PASSWORD_FILE', '/run/secrets/password'),
      ['a file of another name', alter(CONFIG_MAP, 'data.DB_PASSWORD_FILE', (path) => `${path}0`)],
      ['another folder', set(DEPLOYMENT, `${MAIN}.volume_mount.1.mount_path`, '/elsewhere')],
      ['another folder before', set(DEPLOYMENT, `${INIT}.volume_mount.1.mount_path`, '/else')],
      ['no mount', drop(DEPLOYMENT, `${MAIN}.volume_mount.1`)],
      ['another key of the Secret', alter(SECRET, 'data_wo', otherKey)],
      ['an item of another path', alter(SECRET, 'data_wo', otherKey)],
      given('DATABASE_URL_FILE', '/tmp/url', 'existingSecret'),
      ['the folder of temporary files', swapped],
      [
        'a key that a Secret of others does not have',
        alter(CONFIG_MAP, 'data.DB_PASSWORD_FILE', (path: string) => path.replace(/\w+$/, 'PASS')),
        'existingPassword',
      ],
    ],
  },
  buckets: {
    'listener-settings-are-known': [
      [
        'one bucket beside several',
        ({ set }) => set('kubernetes_config_map_v1', 'data.S3_PREFIXES', 'late/'),
      ],
      [
        'a bucket that is there twice',
        ({ json }) =>
          json('kubernetes_config_map_v1', 'data.S3_BUCKETS', (list) => {
            const buckets = list as unknown as unknown[];
            buckets.push(buckets[0]);
          }),
      ],
    ],
    'listener-settings-are-complete': [
      [
        'a bucket of which everything is checked',
        ({ json }) =>
          json('kubernetes_config_map_v1', 'data.S3_BUCKETS', (list) => {
            Object.assign((list as unknown as object[])[1] ?? {}, { prefixes: [] });
          }),
      ],
    ],
  },
});
