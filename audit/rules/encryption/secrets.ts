import { referenceOf, referencesIn } from '../../../src/synthesized/model/expression.ts';
import {
  blocksOf,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { isCustomObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import type { NumberOrText, PodSpec } from '../readers/kubernetes-api.ts';
import { rulesConfigMaps } from '../readers/listeners.ts';
import {
  dataReferences,
  jobTemplatesOf,
  objectsIn,
  objectsOf,
  podsOf,
  servingPods,
} from '../readers/pods.ts';
import { type Audited, type Rule, rule } from '../rule.ts';

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
  /(^|[_-])(password|passwd|secret|secret_?key|token|api_?key|access_key|private_key|credentials?)(_wo)?$/i;

/** Names that end like a secret's and are not one. */
const NOT_SECRET = new Set(['automount_service_account_token', 'http_tokens', 'secret', 'token']);

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

const SECRET_WORD = /(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL|API_?KEY)/i;
const SECRET_VALUE =
  /:\/\/[^/\s:@]+:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bpassword\s*=/i;

/** Names that are a secret's wherever a value is kept, though some stacks give them to something else. */
const KEPT_NOWHERE = /^(token|client_key)$/;

/**
 * A text without the secrets in it, of which only that they are there may be kept.
 *
 * @param name - what the text stands under; a reference to a secret stays under any name
 */
export function withoutSecrets(name: string, text: string): string {
  const mark = '(secret, not kept)';
  const isNamed =
    (SECRET_NAME.test(name) && !NOT_SECRET.has(name)) ||
    KEPT_NOWHERE.test(name) ||
    (/^[A-Z\d_]+$/.test(name) && SECRET_WORD.test(name) && !isHarmless(name, text));
  if (isNamed && text !== '' && referenceOf(text) === undefined) return mark;
  return [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*-----|$)/,
    /(?<=\bpassword\s*=\s*)[^\s;"&]+/i,
    ...SECRET_FORMS.map(([form]) => form),
  ].reduce(
    (rest, { source, flags }) => rest.replaceAll(new RegExp(source, `${flags}g`), () => mark),
    text,
  );
}

/** Arguments that put a Secret's data into Terraform's state, in clear text. */
const STORED = ['data', 'binary_data'] as const;
const WRITE_ONLY = ['data_wo', 'binary_data_wo'] as const;

function resourceOf(
  { model }: Audited,
  { stack, address }: { readonly stack: string; readonly address: string },
): Resource {
  const resource = model.stackOf({ stack }).at(address);
  if (resource === undefined) throw new Error(`There is no ${address} in stack ${stack}`);
  return resource;
}

function sensitiveVariables({ model }: Audited, stack: string): ReadonlySet<string> {
  const variables = Object.entries(model.stackOf({ stack }).json.variable ?? {});
  return new Set(
    variables
      .filter(([, { sensitive, ephemeral }]) => sensitive === true || ephemeral === true)
      .map(([name]) => `var.${name}`),
  );
}

/** The arguments without those that are Terraform's own, such as a precondition. */
function withoutTerraform(attributes: Resource['attributes']): unknown {
  const { lifecycle, depends_on, timeouts, ...rest } = attributes;
  return rest;
}

/** Every text of a manifest, under the nearest name: its key, or that of the environment variable. */
function textsOf(value: unknown, name = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[name, value]];
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(item, name));
  if (typeof value !== 'object' || value === null) return [];
  const record = value as Record<string, unknown>;
  return Object.entries(record).flatMap(([key, item]) =>
    textsOf(item, key === 'value' && typeof record.name === 'string' ? record.name : key),
  );
}

/** A path to a secret, or the name of one, is not a secret. */
function isHarmless(name: string, value: string): boolean {
  return (
    /(_FILE|_ARN|Name|Ref)$/.test(name) ||
    /^(true|false|\d{1,4})$/.test(value) ||
    (name.endsWith('-revision') && /^\d{1,7}$/.test(value)) ||
    value === ''
  );
}

function isBlank(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined || value === null;
  return Object.keys(value).length === 0;
}

interface SecretVolume {
  readonly name: string;
  readonly modes: readonly (NumberOrText | undefined)[];
}

function secretVolumes(spec: PodSpec): readonly SecretVolume[] {
  return (spec.volumes ?? []).flatMap(({ name, secret, projected }) => {
    const fromProjection = (projected?.sources ?? []).flatMap((source) => source.secret ?? []);
    if (secret) {
      const own = (secret.items ?? []).flatMap(({ mode }) => mode ?? []);
      return [{ name, modes: [secret.defaultMode, ...own] }];
    }
    return fromProjection.length > 0 ? [{ name, modes: [projected?.defaultMode] }] : [];
  });
}

function secretMounts(spec: PodSpec) {
  const names = secretVolumes(spec).map(({ name }) => name);
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
    .flatMap(({ volumeMounts }) => volumeMounts ?? [])
    .filter(({ name, readOnly }) => names.includes(name) && readOnly !== true);
}

/** Rules on secrets, and on what depends on their data. */
export const SECRET_RULES: readonly Rule[] = [
  rule({
    id: 'no-literal-secret',
    title: 'No secret is written into the JSON',
    reason:
      'The synthesized JSON is an artefact that many read; a secret in it is known from then on.',
    control: 'IA-5(7)',
    severity: 'high',
    subjects: ({ model }) => model.stacks.flatMap(blocks),
    faults: ({ value, key }) => literalSecrets(value, key),
  }),
  rule({
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
    faults: ({ variable }) => [
      variable.sensitive !== true && 'must be sensitive',
      variable.ephemeral !== true && 'must be ephemeral, or it is kept in the plan',
      variable.default !== undefined &&
        variable.default !== null &&
        'must have no default but null',
    ],
  }),
  rule({
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
        /nonsensitive\(/.test(text) && 'lays a sensitive value open with nonsensitive()',
        /kubernetes_secret[\w.]*\.data|aws_iam_access_key/.test(text) && 'shows a secret',
      ];
    },
  }),
  rule({
    id: 'no-secret-in-clear-text',
    title:
      'No password, token or key is in a ConfigMap, an environment, an argument or an annotation',
    reason:
      "ConfigMaps, pod templates and Terraform's state are read by many more people than Secrets are, and are not encrypted as they are.",
    control: 'IA-5(7)',
    severity: 'high',
    subjects: (audited) => audited.objects.filter(({ manifest }) => manifest.kind !== 'Secret'),
    faults: (object, audited) => {
      const attributes = isCustomObject(object)
        ? object.manifest
        : resourceOf(audited, object).attributes;
      const sensitive = sensitiveVariables(audited, object.stack);
      const leaked = referencesIn(withoutTerraform(attributes))
        .map(({ address }) => address)
        .filter((address) => sensitive.has(address));
      return [
        ...new Set(leaked.map((address) => `holds the sensitive ${address}`)),
        ...textsOf(object.manifest)
          .filter(
            ([name, value]) =>
              SECRET_VALUE.test(value) || (SECRET_WORD.test(name) && !isHarmless(name, value)),
          )
          .map(([name]) => `${name} looks like a secret in clear text`),
      ];
    },
  }),
  rule({
    id: 'secret-is-write-only',
    title: 'A Secret is filled by write-only arguments from an ephemeral variable',
    reason:
      "`data` lands in Terraform's plan and state in clear text. A write-only argument without a revision silently makes an empty Secret.",
    control: 'SC-28',
    severity: 'high',
    subjects: (audited) => objectsOf(audited, 'Secret'),
    faults: (object, audited) => {
      const { attributes } = resourceOf(audited, object);
      const stack = audited.model.stackOf(object);
      const sensitive = sensitiveVariables(audited, object.stack);
      return [
        !['Opaque', undefined].includes(object.manifest.type as string | undefined) &&
          `type ${String(object.manifest.type)} asks for keys of its own, or makes a token for the API`,
        ...referencesIn(object.manifest.metadata)
          .filter(({ address }) => sensitive.has(address))
          .map(({ address }) => `its metadata holds the sensitive ${address}`),
        ...STORED.filter((name) => !isBlank(attributes[name])).map(
          (name) => `${name} is kept in Terraform's state; use data_wo`,
        ),
        WRITE_ONLY.every((name) => isBlank(attributes[name])) && 'holds no data',
        ...WRITE_ONLY.filter((name) => !isBlank(attributes[name])).flatMap((name) => {
          const values = Object.entries(attributes[name] as Record<string, unknown>);
          return [
            attributes[`${name}_revision`] === undefined &&
              `${name}_revision is left out: the provider then writes nothing`,
            ...values.flatMap(([key, value]) => {
              const reference = referenceOf(value);
              const variable =
                stack.json.variable?.[reference?.address.replace(/^var\./, '') ?? ''];
              if (reference === undefined) {
                return [
                  `the value of ${key} must be a reference to one variable, and nothing else`,
                ];
              }
              if (variable === undefined) {
                return [`the value of ${key} is ${reference.address}, which the state holds`];
              }
              const guarded = blocksOf(valueAt(attributes, 'lifecycle.precondition')).some(
                (block) => referencesIn(block).some(({ address }) => address === reference.address),
              );
              return [
                (variable.ephemeral !== true || variable.sensitive !== true) &&
                  `${reference.address} must be ephemeral and sensitive`,
                typeof variable.default === 'string' &&
                  variable.default !== '' &&
                  `${reference.address} has a default, so the secret stands in the configuration`,
                variable.default === null &&
                  !guarded &&
                  `no precondition refuses a missing ${reference.address}: the apply ends in a crash`,
              ];
            }),
          ];
        }),
        object.manifest.immutable === true && 'is immutable: it can never get a new password',
      ];
    },
  }),
  rule({
    id: 'secrets-come-as-files',
    title: 'Secrets reach containers as files, not as environment variables',
    reason:
      'Environment variables are inherited by child processes and end in crash reports (CIS Amazon EKS Benchmark, "Prefer using secrets as files").',
    control: 'SC-28',
    severity: 'medium',
    subjects: podsOf,
    faults: (pod) =>
      dataReferences(pod)
        .filter(({ kind, as }) => kind === 'Secret' && as === 'environment')
        .map(({ name, place }) => `${place}: Secret ${name} becomes environment variables`),
  }),
  rule({
    id: 'secret-files-are-readable',
    title: "Files of a Secret can be read by the container's group and by nobody else",
    reason:
      'They belong to root: without fsGroup, or without the bit for the group, the process may not read them; with the bits for others every process may.',
    control: 'AC-3',
    severity: 'medium',
    subjects: (audited) => podsOf(audited).filter(({ spec }) => secretVolumes(spec).length > 0),
    faults: ({ spec }) => [
      spec.securityContext?.fsGroup === undefined &&
        'has no fsGroup, so its process may not read the files of the Secret',
      ...secretVolumes(spec).flatMap(({ name, modes }) =>
        modes.flatMap((mode) => {
          const bits = Number(mode ?? 0o644);
          const octal = `0${bits.toString(8)}`;
          return [
            (bits & 0o007) !== 0 && `volume ${name}: mode ${octal} is open to everybody`,
            (bits & 0o040) === 0 && `volume ${name}: mode ${octal} does not let the group read`,
            (bits & 0o133) !== 0 &&
              (bits & 0o007) === 0 &&
              `volume ${name}: mode ${octal} is more than reading`,
          ];
        }),
      ),
      ...secretMounts(spec).map(
        (mount) => `the Secret at ${mount.mountPath} is mounted writable; set readOnly`,
      ),
    ],
  }),
  rule({
    id: 'pods-restart-on-change',
    title: 'A changed ConfigMap or Secret restarts the pods that read it',
    reason:
      'The environment is read once, at the start: without an annotation that changes with the data, the pods go on with the old settings or the old password. A rule set, and the template of its Jobs, the listener follows by itself.',
    control: 'CM-3',
    severity: 'high',
    subjects: servingPods,
    faults: (pod, audited) => {
      const annotations = valueAt(
        resourceOf(audited, pod).attributes,
        'spec.template.metadata.annotations',
      );
      const followed = new Set(referencesIn(annotations).map(({ address }) => address));
      const references = dataReferences(pod);
      const ownRules = [
        ...rulesConfigMaps(audited, pod),
        ...jobTemplatesOf(audited).map(({ manifest }) => manifest.metadata.name),
      ];
      const used = objectsIn(audited, pod.namespace, 'ConfigMap', 'Secret').filter(({ manifest }) =>
        references.some(
          ({ kind, name }) => kind === manifest.kind && name === manifest.metadata.name,
        ),
      );
      return used.flatMap((object) => {
        const { kind, metadata } = object.manifest;
        const isFollowed = kind === 'ConfigMap' && ownRules.includes(metadata.name);
        const changes =
          kind === 'ConfigMap'
            ? [object.address]
            : referencesIn([
                resourceOf(audited, object).attributes.data_wo_revision,
                resourceOf(audited, object).attributes.binary_data_wo_revision,
              ]).map(({ address }) => address);
        return [
          !isFollowed &&
            (changes.length === 0 || !changes.every((address) => followed.has(address))) &&
            `no annotation of the pod template follows ${kind} ${metadata.name}` +
              (kind === 'Secret' ? ' (its data_wo_revision)' : ''),
          kind === 'ConfigMap' &&
            object.manifest.immutable === true &&
            `ConfigMap ${metadata.name} is immutable: no setting can ever change`,
        ];
      });
    },
  }),
];
