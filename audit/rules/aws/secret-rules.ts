import { referencesIn } from '../../../src/synthesized/model/expression.ts';
import { type StackModel, valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { faultsOf } from './attributes.ts';

/** Forms of secrets that need no name beside them. */
const SECRET_FORMS: readonly (readonly [RegExp, string])[] = [
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, 'an AWS access key'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"]+:[^\s/@"]+@/i, 'a URL with a password'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}\b/, 'a GitHub token'],
  [/\bxox[abprs]-[\w-]{10,}/, 'a Slack token'],
  [/\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/, 'a JSON web token'],
];

const SECRET_NAME =
  /(^|[_-])(password|passwd|secret|secret_?key|token|api_?key|access_key|private_key|credentials?)$/i;

/** Names that end like a secret's and are none. */
const NOT_SECRET = new Set(['automount_service_account_token', 'http_tokens', 'secret', 'token']);

/** The JSON is committed, uploaded and read by scanners. */
export const noLiteralSecret: Rule = rule({
  id: 'no-literal-secret',
  title: 'No secret is written into the JSON',
  reason:
    'The synthesized JSON is an artefact that many read; a secret in it is known from then on.',
  control: 'IA-5(7)',
  severity: 'high',
  subjects: ({ model }) => model.stacks.flatMap(blocks),
  faults: ({ value, key }) => literalSecrets(value, key),
});

/** Variables that carry secrets. */
export const secretVariable: Rule = rule({
  id: 'secret-variable',
  title: 'A variable that carries a secret is sensitive, ephemeral and without a default',
  reason:
    'Only an ephemeral variable stays out of the plan and the state, only a sensitive one out of the logs, and a default is a secret in the JSON.',
  control: 'IA-5(7)',
  severity: 'high',
  subjects: ({ model }) =>
    model.stacks.flatMap((stack) => {
      const carried = new Set(
        stack.resources
          .filter(({ type }) => /^kubernetes_secret(_v1)?$/.test(type))
          .flatMap(({ attributes }) =>
            ['data', 'binary_data', 'data_wo', 'binary_data_wo'].flatMap((name) =>
              referencesIn(attributes[name]),
            ),
          )
          .map(({ address }) => address),
      );
      return Object.entries(stack.json.variable ?? {})
        .filter(([name, variable]) =>
          [
            carried.has(`var.${name}`),
            SECRET_NAME.test(name),
            variable.sensitive === true,
            variable.ephemeral === true,
          ].some(Boolean),
        )
        .map(([name, variable]) => ({ stack: stack.name, address: `var.${name}`, variable }));
    }),
  faults: ({ variable }) =>
    faultsOf(
      [variable.sensitive !== true, 'must be sensitive'],
      [variable.ephemeral !== true, 'must be ephemeral, or it is kept in the plan'],
      [
        variable.default !== undefined && variable.default !== null,
        'must have no default but null',
      ],
    ),
});

/** Outputs end up in logs and in the state. */
export const outputsNoSecret: Rule = rule({
  id: 'outputs-no-secret',
  title: 'No output shows a secret',
  reason: 'Outputs are printed after every apply and kept in the state.',
  control: 'SI-11',
  severity: 'high',
  subjects: ({ model }) =>
    model.stacks.flatMap(({ name, json }) =>
      Object.entries(json.output ?? {}).map(([key, output]) => ({
        stack: name,
        address: `output.${key}`,
        output,
      })),
    ),
  faults: ({ stack, output }, { model }) => {
    const { json } = model.stackOf({ stack });
    const text = JSON.stringify(output.value) ?? '';
    return [
      ...referencesIn(output.value)
        .filter(({ address }) => {
          const variable = json.variable?.[address.replace(/^var\./, '')];
          return variable?.sensitive === true || variable?.ephemeral === true;
        })
        .map(({ address }) => `shows ${address}`),
      ...faultsOf(
        [/nonsensitive\(/.test(text), 'lays a sensitive value open with nonsensitive()'],
        [/kubernetes_secret[\w.]*\.data|aws_iam_access_key/.test(text), 'shows a secret'],
      ),
    ];
  },
});

function literalSecrets(value: unknown, key: string): readonly string[] {
  if (typeof value === 'string') {
    const forms = SECRET_FORMS.filter(([form]) => form.test(value)).map(
      ([, what]) => `${key} holds ${what}`,
    );
    const named =
      SECRET_NAME.test(key) && !NOT_SECRET.has(key) && value !== '' && !value.startsWith('${');
    return named ? [...forms, `${key} is written as a literal`] : forms;
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    literalSecrets(item, Array.isArray(value) ? key : name),
  );
}

function blocks({ name, json, resources, data }: StackModel) {
  const named = (prefix: string, parts: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(parts).map(([key, value]) => ({
      stack: name,
      address: `${prefix}.${key}`,
      key,
      value,
    }));
  return [
    ...[...resources, ...data].map(({ stack, address, attributes }) => ({
      stack,
      address,
      key: '',
      value: attributes as unknown,
    })),
    ...named('provider', json.provider),
    ...named('local', json.locals),
    ...Object.entries(json.output ?? {}).map(([key, output]) => ({
      stack: name,
      address: `output.${key}`,
      key,
      value: output.value,
    })),
    ...Object.entries(json.variable ?? {}).map(([key, variable]) => ({
      stack: name,
      address: `var.${key}`,
      key,
      value: variable.default,
    })),
    {
      stack: name,
      address: 'terraform.backend',
      key: '',
      value: valueAt(json.terraform, 'backend'),
    },
  ];
}

/** Rules on secrets. */
export const SECRET_RULES: readonly Rule[] = [noLiteralSecret, secretVariable, outputsNoSecret];
