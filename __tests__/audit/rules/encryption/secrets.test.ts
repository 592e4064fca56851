import { SECRET_RULES } from '../../../../audit/rules/encryption/secrets.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  annotation,
  CONFIG_MAP,
  DEPLOYMENT,
  MAIN,
  POD,
  SECRET,
  SERVICE,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import { all, alter, argumentOf, type Change, drop, set } from '../../support/kubernetes-plants.ts';
import { member } from '../../support/planter.ts';
import type { Json } from '../../support/renamed-stack.ts';

const password =
  (edit: (variable: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) => {
    const variables = Object.values(member(stackWith('aws_sns_topic'), 'variable')) as Record<
      string,
      unknown
    >[];
    edit(variables.find(({ sensitive }) => sensitive === true) ?? {});
  };
// Made up of two parts, so that nobody takes this file for a leak.
const ACCESS_KEY = `AK${'IAIOSFODNN7EXAMPLE'}`;

const _CLUSTER = 'aws_eks_cluster';
const VOLUME = `${POD}.volume.1.secret`;
const ANNOTATIONS = `${TEMPLATE}.metadata.annotations`;

function environment(name: string, value: string): Change {
  return set(DEPLOYMENT, `${MAIN}.env`, [{ name, value }]);
}

/** Puts the reference to the password's variable somewhere else. */
function leak(path: string): Change {
  return (json) =>
    set(CONFIG_MAP, path, Object.values(argumentOf(json, SECRET, 'data_wo') as Json)[0])(json);
}

function moveTo(name: string): Change {
  return all(
    (json) => set(SECRET, name, argumentOf(json, SECRET, 'data_wo'))(json),
    drop(SECRET, 'data_wo'),
  );
}

function literal(data: Json): Json {
  return Object.fromEntries(Object.keys(data).map((key) => [key, 'horse']));
}

function longer(data: Json): Json {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, `${value}horse`]));
}

/** Changes the variable that the Secret is filled from. */
function variable(change: Json): Change {
  return (json) => {
    const [value] = Object.values(argumentOf(json, SECRET, 'data_wo') as Json);
    const [, name = ''] = /var\.(\w+)/.exec(String(value)) ?? [];
    const variables = json.variable as Record<string, Json>;
    variables[name] = { ...variables[name], ...change };
  };
}

function frozen(annotations: Json): Json {
  return Object.fromEntries(Object.keys(annotations).map((key) => [key, 'always the same']));
}

function without(pattern: RegExp): (annotations: Json) => Json {
  return (annotations) =>
    Object.fromEntries(
      Object.entries(annotations).filter(([, value]) => !pattern.test(String(value))),
    );
}

describeRules(SECRET_RULES, {
  plants: {
    'pods-restart-on-change': [
      [
        'a ConfigMap of files that the listener does not follow',
        ({ drop }) => drop('kubernetes_config_map_v1', 'data.RULES_LOCATION', /RULES_LOCATION/),
      ],
    ],
    'no-literal-secret': [
      [
        'an access key',
        ({ stackWith }) =>
          Object.assign(member(stackWith('aws_vpc'), 'locals'), {}) &&
          Object.assign(stackWith('aws_vpc'), { locals: { x: ACCESS_KEY } }),
      ],
      [
        'a password in a ConfigMap',
        ({ set }) => set('kubernetes_config_map_v1', 'data.DB_PASSWORD', 'hunter2'),
      ],
      [
        'a URL with a password',
        ({ set }) =>
          set(
            'kubernetes_config_map_v1',
            'data.DATABASE_URL',
            'postgres://etl:hunter2@db.example.gov/etl',
          ),
      ],
      [
        'a secret key of the provider',
        ({ stackWith }) =>
          Object.assign(
            (member(stackWith('aws_vpc'), 'provider').aws as unknown as object[])[0] ?? {},
            { secret_key: 'x' },
          ),
      ],
      [
        'a password as a default',
        password((variable) => {
          variable.default = 'postgres://etl:hunter2@db.example.gov/etl';
        }),
      ],
      [
        'a private key in user data',
        ({ set }) => set('aws_launch_template', 'user_data', '-----BEGIN RSA PRIVATE KEY-----'),
      ],
      [
        'a token in an output',
        ({ stackWith }) =>
          Object.assign(member(stackWith('aws_vpc'), 'output'), { api_token: { value: 'x' } }),
      ],
      [
        'a literal in a Secret',
        ({ set }) => set('kubernetes_secret_v1', 'data_wo.DB_PASSWORD', 'hunter2'),
      ],
    ],
    'secret-variable': [
      [
        'a password that is shown',
        password((variable) => {
          delete variable.sensitive;
        }),
      ],
      [
        'a password that is kept',
        password((variable) => {
          variable.ephemeral = false;
        }),
      ],
      [
        'a password with a default',
        password((variable) => {
          variable.default = 'hunter2';
        }),
      ],
      [
        'a password as a plain variable',
        password((variable) => {
          delete variable.sensitive;
          delete variable.ephemeral;
        }),
      ],
    ],
    'outputs-no-secret': [
      [
        'a password',
        ({ stackWith }) => {
          const json = stackWith('aws_sns_topic');
          const [name] = Object.entries(member(json, 'variable')).find(
            ([, variable]) => Object(variable).sensitive,
          ) ?? [''];
          Object.assign(member(json, 'output'), {
            x: { value: `\${var.${name}}`, sensitive: true },
          });
        },
      ],
      [
        'a password laid open',
        ({ stackWith }) =>
          Object.assign(member(stackWith('aws_vpc'), 'output'), {
            x: { value: '${nonsensitive(local.x)}' },
          }),
      ],
    ],
  },
  objects: {
    'no-secret-in-clear-text': [
      ['a password in the ConfigMap', set(CONFIG_MAP, 'data.DB_PASSWORD', 'correct horse')],
      ['the variable of the password in the ConfigMap', leak('data.DB_PASSWORD')],
      ['the variable of the password under another name', leak('data.MAX_FAULTS')],
      [
        'an address with a password',
        set(CONFIG_MAP, 'data.DATABASE_URL', 'postgresql://me:horse@db.example.gov/etl'),
      ],
      ['an access key', set(CONFIG_MAP, 'data.NOTE', `AKIA${'ABCDEFGH'.repeat(2)}`)],
      ['a token in the environment', environment('API_TOKEN', 'horse')],
      ['a password as an argument', set(DEPLOYMENT, `${MAIN}.args`, ['serve', 'password=horse'])],
      ['a password in an annotation', set(SERVICE, annotation('db-password'), 'horse')],
      ['a private key', set(CONFIG_MAP, 'data.NOTE', '-----BEGIN PRIVATE KEY-----\nMIIE')],
    ],
    'secret-is-write-only': [
      ['a type with keys of its own', set(SECRET, 'type', 'kubernetes.io/basic-auth')],
      ['a token for the API', set(SECRET, 'type', 'kubernetes.io/service-account-token')],
      [
        'the password in an annotation',
        (json) => {
          const [password] = Object.values(argumentOf(json, SECRET, 'data_wo') as Json);
          set(SECRET, annotation('note'), password)(json);
        },
      ],

      ['data in the state', moveTo('data')],
      ['binary data in the state', moveTo('binary_data')],
      ['no revision', drop(SECRET, 'data_wo_revision')],
      ['a literal', alter(SECRET, 'data_wo', literal)],
      ['a literal behind the variable', alter(SECRET, 'data_wo', longer)],
      ['a password with a default', variable({ default: 'horse' })],
      ['a variable that is stored', variable({ ephemeral: false })],
      ['a variable that is shown', variable({ sensitive: false })],
      ['no precondition', drop(SECRET, 'lifecycle.precondition')],
      ['no data', drop(SECRET, 'data_wo')],
      ['an immutable Secret', set(SECRET, 'immutable', true)],
    ],
    'secrets-come-as-files': [
      [
        'a Secret as the environment',
        set(DEPLOYMENT, `${MAIN}.env_from.1`, { secret_ref: { name: 'any' } }),
      ],
      [
        'a key as a variable',
        set(DEPLOYMENT, `${MAIN}.env`, [
          { name: 'DB_USER', value_from: { secret_key_ref: { name: 'any', key: 'user' } } },
        ]),
      ],
    ],
    'secret-files-are-readable': [
      ['files for everybody', set(DEPLOYMENT, `${VOLUME}.default_mode`, '0444')],
      ['no mode', drop(DEPLOYMENT, `${VOLUME}.default_mode`)],
      ['files for root alone', set(DEPLOYMENT, `${VOLUME}.default_mode`, '0400')],
      ['files that the group may write', set(DEPLOYMENT, `${VOLUME}.default_mode`, '0660')],
      ['no group', drop(DEPLOYMENT, `${POD}.security_context.fs_group`)],
      ['a mount that may be written', drop(DEPLOYMENT, `${MAIN}.volume_mount.1.read_only`)],
      [
        'no group, and a Secret of others',
        drop(DEPLOYMENT, `${POD}.security_context.fs_group`),
        'existingSecret',
      ],
    ],
    'pods-restart-on-change': [
      ['no annotation', set(DEPLOYMENT, ANNOTATIONS, {})],
      ['an annotation that never changes', alter(DEPLOYMENT, ANNOTATIONS, frozen)],
      ['an annotation of the revision alone', alter(DEPLOYMENT, ANNOTATIONS, without(/sha256/))],
      ['an annotation of the settings alone', alter(DEPLOYMENT, ANNOTATIONS, without(/var\./))],
      ['a revision of its own', set(SECRET, 'data_wo_revision', 2)],
      ['an immutable ConfigMap', set(CONFIG_MAP, 'immutable', true)],
    ],
  },
});
