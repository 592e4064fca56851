import { SECRET_RULES } from '../../../../audit/rules/aws/secret-rules.ts';
import { describePlants, type Plant } from '../../support/describe-plants.ts';
import { member } from '../../support/planter.ts';

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

describePlants(SECRET_RULES, {
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
        Object.assign(member(json, 'output'), { x: { value: `\${var.${name}}`, sensitive: true } });
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
});
