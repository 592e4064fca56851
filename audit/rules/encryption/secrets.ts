import { referenceOf, referencesIn } from '../../../src/synthesized/model/expression.ts';
import { blocksOf, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { isCustomObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import type { PodSpec } from '../readers/kubernetes-api.ts';
import { rulesConfigMaps } from '../readers/listeners.ts';
import {
  dataReferences,
  jobTemplatesOf,
  objectsIn,
  objectsOf,
  podsOf,
  servingPods,
} from '../readers/pods.ts';
import { nameIn, namingBlocks, outputsOf, partsOf } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import secrets from './secrets.json' with { type: 'json' };

/** Forms of secrets that need no name beside them. */
const SECRET_FORMS = secrets.forms.map(({ pattern, what }) => [new RegExp(pattern), what] as const);

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
      SECRET_NAME.test(key) && !NOT_SECRET.has(key) && !/^(|true|false|\$\{.*)$/s.test(value);
    return named ? [...forms, `${key} is written as a literal`] : forms;
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    literalSecrets(item, Array.isArray(value) ? key : name),
  );
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
  readonly modes: readonly (number | undefined)[];
}

function secretVolumes(spec: PodSpec): readonly SecretVolume[] {
  return (spec.volumes ?? []).flatMap(({ name = '', secret, projected }) => {
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
    .filter(({ name = '', readOnly }) => names.includes(name) && readOnly !== true);
}

/** Rules on secrets, and on what depends on their data. */
export const SECRET_RULES: readonly Rule[] = [
  rule({
    id: 'no-literal-secret',
    subjects: ({ model }) => model.stacks.flatMap(namingBlocks),
    faults: ({ address, value }) =>
      literalSecrets(
        address.startsWith('output.') ? valueAt(value, 'value') : value,
        nameIn(address),
      ),
  }),
  rule({
    id: 'secret-variable',
    subjects: ({ model }) =>
      model.stacks.flatMap((stack) => {
        const carried = new Set(
          stack.resources
            .filter(({ type }) => /^kubernetes_secret(_v1)?$/.test(type))
            .flatMap(({ attributes }) =>
              [...STORED, ...WRITE_ONLY].flatMap((name) => referencesIn(attributes[name])),
            )
            .map(({ address }) => address),
        );
        return partsOf(stack.name, 'var', stack.json.variable).filter(
          ({ address, name, value: { sensitive, ephemeral } }) =>
            carried.has(address) ||
            SECRET_NAME.test(name) ||
            sensitive === true ||
            ephemeral === true,
        );
      }),
    faults: ({ value: variable }) => [
      variable.sensitive !== true && 'must be sensitive',
      variable.ephemeral !== true && 'must be ephemeral, or it is kept in the plan',
      variable.default !== undefined &&
        variable.default !== null &&
        'must have no default but null',
    ],
  }),
  rule({
    id: 'outputs-no-secret',
    subjects: ({ model }) => outputsOf(model),
    faults: ({ stack, value: output }, { model }) => {
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
    subjects: podsOf,
    faults: (pod) =>
      dataReferences(pod)
        .filter(({ kind, as }) => kind === 'Secret' && as === 'environment')
        .map(({ name, place }) => `${place}: Secret ${name} becomes environment variables`),
  }),
  rule({
    id: 'secret-files-are-readable',
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
