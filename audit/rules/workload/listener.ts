import { COMMANDS, MIGRATE, ROLES, SERVE } from '@file-processing/contract/listener-interface.ts';
import {
  LISTENER_VARIABLES,
  type ListenerVariable,
  ONE_BUCKET,
  overridesPod,
  PROXY_VARIABLES,
  readVariable,
  shortestRetentionDays,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import { areNear, readRoutingTargets } from '@file-processing/contract/routing.ts';
import { nearestName } from '../../../src/settings/finding.ts';
import { LONGEST_RETRY_SECONDS } from '../../../src/settings/http-retries.ts';
import {
  bucketsIn,
  fileFaults,
  type Listener,
  listenersIn,
  listenersOf,
  roleOf,
  rulesFaults,
  servers,
} from '../readers/listeners.ts';
import { containersOf, endingPods, podsOf, quantity } from '../readers/pods.ts';
import { type Audited, type Faults, type Rule, repeated, rule, shown } from '../rule.ts';
import { wantsFips } from '../terraform/settings.ts';
import variables from './listener-variables.json' with { type: 'json' };

const VARIABLES: Readonly<Record<string, ListenerVariable<unknown>>> = LISTENER_VARIABLES;

/** Variables whose value a mounted file may hold. */
const FILE_VARIABLES: readonly string[] = Object.entries(VARIABLES).flatMap(([name, { file }]) =>
  file ? [`${name}_FILE`] : [],
);

/** Variables of Node.js, the C library and the AWS SDK that a listener's pod may have as well. */
const RUNTIME_VARIABLES: readonly string[] = variables.ofRuntime;

/** Every name that a listener's environment may hold. */
const KNOWN_NAMES: readonly string[] = [
  ...Object.keys(VARIABLES),
  ...FILE_VARIABLES,
  ...PROXY_VARIABLES,
  ...RUNTIME_VARIABLES,
];

/** Whether the listener would start with a text; what it does not read it does not refuse. */
function accepts(name: string, text: string): boolean {
  return !(name in VARIABLES) || 'value' in readVariable(name as VariableName, text);
}

/** What is forgotten could be taken a second time, so that the listener does not start. */
function retentionFault(setting: Listener['setting']): string | false {
  const days = Number(setting('RETENTION_DAYS'));
  const shortest = shortestRetentionDays(Number(setting('SNS_MAX_AGE_SECONDS')));
  return (
    days < shortest && `RETENTION_DAYS is ${days}, which the listener refuses below ${shortest}`
  );
}

/** Memory of a process at rest, and of each file that it checks, in MiB: rounded up from measurements. */
const MEMORY_MIB = { base: 128, file: 32 } as const;

const DAY = 86_400;

/** A collector in the same pod. */
function isLocal(host: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(host);
}

function databaseFaults(
  { isSet, setting }: Listener,
  need: (...names: readonly VariableName[]) => readonly string[],
): Faults {
  if (isSet('DATABASE_URL')) return [];
  if (!isSet('DB_HOST')) return ['no database is named: neither DATABASE_URL nor DB_HOST is set'];
  return [
    ...need('DB_NAME', 'DB_USER'),
    isSet('DB_PASSWORD') === (setting('DB_IAM_AUTH') === 'true') &&
      'must sign in to the database by DB_PASSWORD_FILE or by DB_IAM_AUTH, one of both',
  ];
}

function jobListeners(audited: Audited): readonly Listener[] {
  const ending = endingPods(audited);
  return listenersOf(audited).filter(({ pod }) => ending.includes(pod));
}

/** What SDKs of OpenTelemetry read by themselves (OpenTelemetry specification, "SDK environment variables"). */
const OF_OPENTELEMETRY = new RegExp(variables.ofOpenTelemetry);

/** Rules on how the listener is told what to do. */
export const LISTENER_RULES: readonly Rule[] = [
  rule({
    id: 'listener-settings-are-known',
    subjects: listenersOf,
    faults: ({ environment, setting, spec }) => [
      retentionFault(setting),
      ...repeated((spec.env ?? []).map(({ name }) => name)).map((name) => `sets ${name} twice`),
      ...[...environment].flatMap(([name, value]) => {
        if (OF_OPENTELEMETRY.test(name) && !KNOWN_NAMES.includes(name)) return [];
        if (!KNOWN_NAMES.includes(name)) {
          const nearest = nearestName(name, KNOWN_NAMES);
          return [`the listener reads no ${name}${nearest ? `; is it ${nearest}?` : ''}`];
        }
        if (typeof value !== 'string' || value.includes('${')) return [];
        return [
          !accepts(name, value.trim()) && `${name} is ${shown(value)}, which the listener refuses`,
        ];
      }),
      ...(environment.has('S3_BUCKETS') ? ONE_BUCKET : [])
        .filter((name) => environment.has(name))
        .map((name) => `S3_BUCKETS and ${name} exclude each other`),
      ...FILE_VARIABLES.filter(
        (name) => environment.has(name) && environment.has(name.replace(/_FILE$/, '')),
      ).map((name) => `${name} and ${name.replace(/_FILE$/, '')} exclude each other`),
    ],
  }),
  rule({
    id: 'traces-are-not-readable-on-the-way',
    subjects: listenersOf,
    faults: ({ environment }) =>
      ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].flatMap((name) => {
        const value = environment.get(name);
        const url = typeof value === 'string' ? URL.parse(value) : null;
        if (url === null || url.protocol === 'https:') return [];
        const isInside = /\.svc(\.cluster\.local)?$/.test(url.hostname);
        return [
          !isInside && !isLocal(url.hostname) && `${name} is ${shown(value)}, which is neither`,
        ];
      }),
  }),
  rule({
    id: 'listener-settings-are-complete',
    subjects: listenersOf,
    faults: (listener) => {
      const { isSet, setting } = listener;
      const need = (...names: readonly VariableName[]) =>
        names.filter((name) => !isSet(name)).map((name) => `${name} is not set`);
      return [
        ...need('AWS_REGION', 'SNS_TOPIC_ARNS'),
        ...(isSet('S3_BUCKETS')
          ? bucketsIn(setting)
              .filter(({ prefixes }) => prefixes.length === 0)
              .map(({ name }) => `S3_BUCKETS names no prefixes of ${name}`)
          : need('S3_BUCKET', 'S3_PREFIXES')),
        ...(setting('WRITE_REPORTS') === 'true' ? need('REPORT_PREFIX') : []),
        ...databaseFaults(listener, need),
      ];
    },
  }),
  rule({
    id: 'copies-are-no-deliveries',
    subjects: listenersOf,
    faults: ({ setting }) => {
      const text = setting('ROUTING_TARGETS') ?? '';
      const targets = text === '' ? [] : readRoutingTargets(text);
      if (targets === undefined) return ['ROUTING_TARGETS is not allowed as it is'];
      const reports = setting('WRITE_REPORTS') === 'true' ? [setting('REPORT_PREFIX') ?? ''] : [];
      return targets.flatMap((target) =>
        bucketsIn(setting)
          .flatMap(({ name, prefixes }) =>
            [...prefixes, ...reports].map((prefix) => ({ bucket: name, prefix })),
          )
          .filter((other) => areNear(target, other))
          .map(
            ({ prefix }) =>
              `ROUTING_TARGETS: one of ${target.bucket}/${target.prefix} and ${prefix} lies inside the other`,
          ),
      );
    },
  }),
  rule({
    id: 'listener-is-not-weakened',
    subjects: listenersOf,
    faults: ({ environment, setting, pod }, { model, settings }) => {
      const age = Number(setting('SNS_MAX_AGE_SECONDS'));
      const level = setting('LOG_LEVEL') ?? '';
      const tls = setting('DB_SSL');
      const host = setting('DB_HOST') ?? '';
      return [
        /^(localhost|[\d.]+|\[.*)$/.test(host) &&
          `DB_HOST is ${host}: no certificate names it, so the server cannot be told from another`,
        ['postgres', 'rdsadmin', 'root'].includes(setting('DB_USER') ?? '') &&
          `DB_USER is ${shown(setting('DB_USER'))}, who may do everything in the database`,
        (setting('SNS_SIGNATURE_VERSIONS') ?? '').split(',').some((item) => item.trim() === '1') &&
          'SNS_SIGNATURE_VERSIONS accepts version 1, which is SHA-1',
        age > DAY && `SNS_MAX_AGE_SECONDS is ${age}: a message can be replayed for more than a day`,
        age < LONGEST_RETRY_SECONDS &&
          `SNS_MAX_AGE_SECONDS is ${age}: what SNS delivers at a later try, up to ${LONGEST_RETRY_SECONDS} s after, is refused`,
        environment.has('AWS_ENDPOINT_URL') &&
          'AWS_ENDPOINT_URL sends the calls of every client elsewhere than to AWS',
        environment.has('AWS_ENDPOINT_URL_SNS') &&
          "AWS_ENDPOINT_URL_SNS makes another SNS than AWS's trusted",
        setting('AWS_USE_FIPS_ENDPOINT') !== 'true' &&
          wantsFips({ settings }, model.stackOf(pod)) &&
          'AWS_USE_FIPS_ENDPOINT is not true: it calls other endpoints than the provider',
        environment.has('LOCAL_S3_ROOT') && 'LOCAL_S3_ROOT takes a folder for the bucket',
        tls !== undefined &&
          tls !== 'verify-full' &&
          `DB_SSL is ${shown(tls)}: the password goes to whoever answers; it must be verify-full`,
        setting('REPORT_VALUES') === 'true' &&
          'REPORT_VALUES is true: who may read reports in the bucket reads values of internal columns',
        ['debug', 'trace'].includes(level) && `LOG_LEVEL ${level} logs what messages hold`,
        ['fatal', 'silent'].includes(level) && `LOG_LEVEL ${level} leaves no audit trail`,
        ...[...environment.keys()]
          .filter((name) => overridesPod(name))
          .map(
            (name) =>
              `${name} takes precedence over the role, the trust or the runtime that the pod has`,
          ),
      ];
    },
  }),
  rule({
    id: 'listener-runs-its-command',
    subjects: listenersOf,
    faults: (listener, audited) => {
      const replaced =
        listener.spec.command !== undefined &&
        `command ${shown(listener.spec.command)} takes the place of the image's own`;
      if (!servers(audited).some(({ address }) => address === listener.address)) return [replaced];
      const args = listener.spec.args ?? [];
      const role = roleOf(listener);
      const peers = servers(audited)
        .filter(({ pod }) => pod.namespace === listener.pod.namespace)
        .map(roleOf);
      const migrations = [...listenersIn(audited, listener.pod), ...jobListeners(audited)].filter(
        ({ init, spec, pod }) =>
          (init || endingPods(audited).includes(pod)) && spec.args?.[0] === MIGRATE.command,
      );
      return [
        replaced,
        args[0] !== SERVE && `runs ${shown(args[0])}, which ends; it must be ${SERVE}`,
        args[0] === SERVE &&
          role === undefined &&
          `its role must be one of ${Object.keys(ROLES).join(', ')}`,
        role !== undefined &&
          !peers.some((peer) => peer?.judgesFiles) &&
          'no process in its namespace checks files',
        role !== undefined &&
          !listener.isSet('SQS_QUEUE_URL') &&
          !peers.some((peer) => peer?.takesMessages) &&
          'no process in its namespace takes messages',
        migrations.length === 0 &&
          !args.includes(MIGRATE.option) &&
          `nothing runs ${MIGRATE.command} before it: an old schema is refused`,
      ];
    },
  }),
  rule({
    id: 'listener-has-memory',
    subjects: servers,
    faults: ({ setting, spec }) => {
      const files = Number(setting('WORKER_CONCURRENCY'));
      const limit = quantity(spec.resources?.limits?.memory);
      const needed = MEMORY_MIB.base + files * MEMORY_MIB.file;
      return [
        limit !== undefined &&
          limit < needed * 2 ** 20 &&
          `WORKER_CONCURRENCY ${files} needs about ${needed}Mi of memory; its limit is ${spec.resources?.limits?.memory}`,
      ];
    },
  }),
  rule({
    id: 'pod-runs-one-version',
    subjects: (audited) => podsOf(audited).filter((pod) => listenersIn(audited, pod).length > 0),
    faults: (pod, audited) => {
      const listeners = listenersIn(audited, pod);
      const images = new Set(listeners.map(({ spec }) => spec.image));
      const strangers = containersOf(pod).filter(
        ({ name, spec }) =>
          images.has(spec.image) && !listeners.some((listener) => listener.name === name),
      );
      const environments = listeners.map(({ environment }) =>
        JSON.stringify([...environment].map(([name, value]) => [name, String(value)]).sort()),
      );
      return [
        images.size > 1 && `its containers come from ${images.size} images`,
        new Set(environments).size > 1 && 'its containers have different environments',
        ...strangers.map(({ name }) => `container ${name} runs the image without its environment`),
        ...listeners
          .filter(({ spec }) => !COMMANDS.includes(spec.args?.[0] ?? ''))
          .map(
            ({ name, spec }) =>
              `container ${name} runs ${shown(spec.args?.[0])}, which is not a command`,
          ),
        ...listeners
          .filter(({ init, spec }) => init && spec.args?.[0] === SERVE)
          .map(({ name }) => `container ${name} never ends, so the others never start`),
      ];
    },
  }),
  rule({
    id: 'listener-opens-its-ports',
    subjects: servers,
    faults: (listener) => {
      const ports = (listener.spec.ports ?? []).map(({ containerPort }) => Number(containerPort));
      const own = (['PORT', 'METRICS_PORT'] as const).map(
        (name) => [name, Number(listener.setting(name))] as const,
      );
      const needed = own.filter(
        ([name]) => name !== 'PORT' || roleOf(listener)?.takesMessages !== false,
      );
      const [port, metrics] = own.map(([, number]) => number);
      return [
        ...needed
          .filter(([, number]) => !Number.isNaN(number) && !ports.includes(number))
          .map(
            ([name, number]) =>
              `${name} is ${number}, which is not one of its ports (${ports.join(', ')})`,
          ),
        ...ports
          .filter((number) => !own.some(([, one]) => one === number))
          .map((number) => `nothing listens on its port ${number}`),
        ...own
          .filter(([, number]) => number < 1024)
          .map(([name, number]) => `${name} is ${number}, which only root may open`),
        port === metrics && `PORT and METRICS_PORT are both ${port}`,
      ];
    },
  }),
  rule({
    id: 'listener-files-are-mounted',
    subjects: listenersOf,
    faults: (listener, audited) =>
      [...listener.environment]
        .filter(([name]) => name.endsWith('_FILE') && name !== 'DB_SSL_CA_FILE')
        .flatMap(([name, path]) => fileFaults(listener, name, String(path), audited)),
  }),
  rule({
    id: 'listener-rules-are-mounted',
    subjects: servers,
    faults: (listener, audited) => rulesFaults(listener, audited),
  }),
];
