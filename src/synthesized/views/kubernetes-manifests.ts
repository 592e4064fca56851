import { isObject } from '@file-processing/contract/json-object.ts';
import { CUSTOM_OBJECTS } from '../../settings/common-variables.ts';
import type { Model, Resource, StackModel } from '../model/model.ts';
import type { Attributes } from '../synthesized-stack.ts';
import {
  DATA_MAPS,
  entryFor,
  kubernetesKind,
  LISTS,
  NAMES,
  NOT_SENT,
  SCALARS,
  type ScalarType,
  SECRET_DATA,
  SECRET_REVISIONS,
  SENT_DEFAULTS,
} from './kubernetes-fields.ts';
import { withoutIgnored } from './plan-values.ts';

/** A Kubernetes object as its API takes it, and the resource that it was made from. */
export interface KubernetesObject {
  readonly stack: string;
  /** Address of the `kubernetes_*` resource, or of an item of the local `custom_objects`. */
  readonly address: string;
  readonly manifest: Manifest;
  /** Keys of a Secret's data. The data itself is never in the manifest. */
  readonly secretKeys?: readonly string[];
}

/** A Kubernetes manifest. Values that only Terraform knows are strings with `${...}` in them. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own fields.
  readonly [field: string]: any;
}

/** A field that is not of a shape which the tables know. */
export interface FieldFault {
  /** Path in the Terraform JSON, such as `spec.template.spec.container[0].image`. */
  readonly field: string;
  readonly fault: string;
}

/** Names from the kind down to a field, and how errors show the way. */
interface Place {
  readonly path: readonly string[];
  readonly shown: string;
}

/**
 * Converts a block of a `kubernetes_*` resource to the fields of the Kubernetes API.
 *
 * @param block - with every reference resolved that can be
 * @param path - names from the kind down to the block, such as `['Deployment']`
 * @param faults - gets what can't be converted
 */
export function fieldsOf(
  block: unknown,
  path: readonly string[],
  faults: FieldFault[],
): Record<string, unknown> {
  return convertBlock(block, { path, shown: '' }, faults);
}

function convertBlock(block: unknown, place: Place, faults: FieldFault[]): Record<string, unknown> {
  if (!isObject(block)) {
    faults.push({ field: place.shown, fault: `must be a block, is ${JSON.stringify(block)}` });
    return {};
  }
  const withDefaults = { ...entryFor(SENT_DEFAULTS, place.path), ...withoutNulls(block) };
  return Object.fromEntries(
    Object.entries(withDefaults).flatMap(([name, value]) => {
      const field = convertField(value, within(place, name), faults);
      return field === undefined ? [] : [field];
    }),
  );
}

/** Name and value in the API; undefined for what is empty there. */
function convertField(
  value: unknown,
  place: Place,
  faults: FieldFault[],
): readonly [string, unknown] | undefined {
  const { path, shown } = place;
  const name = entryFor(NAMES, path) ?? camelCase(path.at(-1) ?? '');
  const wrong = (fault: string) => void faults.push({ field: shown, fault });

  if (path.at(-1) === 'dynamic') return wrong('makes blocks that only Terraform knows');
  if (entryFor(DATA_MAPS, path)) {
    if (!isObject(value)) return wrong(`must be a map, is ${JSON.stringify(value)}`);
    return [name, textMap(value, place, faults)];
  }
  const list = Array.isArray(value) ? value.filter((item) => item !== null) : undefined;
  if (list?.length === 0) return undefined;
  if (list?.some(isObject) || isObject(value)) {
    const blocks = list ?? [value];
    const listName = entryFor(LISTS, path);
    if (listName) {
      return [listName, blocks.map((block, at) => convertBlock(block, item(place, at), faults))];
    }
    if (blocks.length === 1) return [name, convertBlock(blocks[0], place, faults)];
    return wrong(`takes one block, has ${blocks.length}; is it a list that LISTS doesn't know?`);
  }
  const type = entryFor(SCALARS, path);
  const scalar = (one: unknown, at: string) => convertScalar(one, type, at, faults);
  return [
    name,
    list ? list.map((one, at) => scalar(one, `${shown}[${at}]`)) : scalar(value, shown),
  ];
}

function textMap(
  map: Readonly<Record<string, unknown>>,
  { shown }: Place,
  faults: FieldFault[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(withoutNulls(map)).map(([key, value]) => [
      key,
      convertScalar(value, 'text', `${shown}["${key}"]`, faults),
    ]),
  );
}

/** Converts as Terraform does: `"2"` to 2, `"true"` to true, and back. */
function convertScalar(
  value: unknown,
  type: ScalarType | undefined,
  field: string,
  faults: FieldFault[],
): unknown {
  if (typeof value === 'object') {
    faults.push({ field, fault: `must be one value, is ${JSON.stringify(value)}` });
    return undefined;
  }
  if (type === undefined || (typeof value === 'string' && value.includes('${'))) return value;
  const text = String(value);
  const wrong = (allowed: string) => {
    faults.push({ field, fault: `must be ${allowed}, is ${JSON.stringify(value)}` });
    return value;
  };
  switch (type) {
    case 'text':
      return text;
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : wrong('a whole number');
    case 'integer or text':
      return /^\d+$/.test(text) ? Number(text) : text;
    case 'octal':
      return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : wrong('octal digits such as 0440');
    case 'boolean':
      return /^(true|false)$/.test(text) ? text === 'true' : wrong('true or false');
  }
}

/** To Terraform, null is the same as left out. */
function withoutNulls(block: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== null));
}

function within({ path, shown }: Place, name: string): Place {
  return { path: [...path, name], shown: shown === '' ? name : `${shown}.${name}` };
}

function item({ path, shown }: Place, at: number): Place {
  return { path, shown: `${shown}[${at}]` };
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Some `kubernetes_*` resources can't be shown as manifests; the message names each and why. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/** Arguments that make several objects, or none, of one resource. */
const MULTIPLIERS = ['count', 'for_each'];

/**
 * The Kubernetes objects of some stacks, as the provider sends them to the API.
 *
 * @throws ManifestError with every resource and field that it doesn't know
 */
export function kubernetesObjects({ stacks }: Pick<Model, 'stacks'>): readonly KubernetesObject[] {
  return collect(stacks);
}

/**
 * The same without what Terraform ignores once an object is there (`ignore_changes`), such as the
 * number of replicas that an autoscaler looks after: applying the manifest again must not take it back.
 *
 * @throws ManifestError with every resource and field that it doesn't know
 */
export function appliedObjectsOf(stack: StackModel): readonly KubernetesObject[] {
  return collect([stack], withoutIgnored);
}

/** Whether Terraform does not make an object: then nothing of Terraform's order or state is about it. */
export function isCustomObject({ address }: Pick<KubernetesObject, 'address'>): boolean {
  return address.startsWith(`local.${CUSTOM_OBJECTS}[`);
}

/** Those of them that Terraform does not make, in the order in which they are put in place. */
export function customObjectsOf(stack: StackModel): readonly KubernetesObject[] {
  const listed = stack.resolve(stack.json.locals?.[CUSTOM_OBJECTS] ?? []) as readonly Manifest[];
  return listed.map((manifest, at) => ({
    stack: stack.name,
    address: `local.${CUSTOM_OBJECTS}[${at}]`,
    manifest,
  }));
}

function collect(
  stacks: readonly StackModel[],
  prepare: (attributes: Attributes) => Attributes = (attributes) => attributes,
): readonly KubernetesObject[] {
  const faults: string[] = [];
  const objects = stacks.flatMap((stack) => [
    ...stack.resources
      .filter(({ type }) => type.startsWith('kubernetes_'))
      .flatMap((resource) => {
        const found: FieldFault[] = [];
        const prepared = { ...resource, attributes: prepare(resource.attributes) };
        const object = objectOf(stack, prepared, found);
        faults.push(
          ...found.map(({ field, fault }) =>
            [`${stack.name}/${resource.address}`, field, fault].filter(Boolean).join(': '),
          ),
        );
        return object ?? [];
      }),
    ...customObjectsOf(stack),
  ]);
  if (faults.length > 0) {
    throw new ManifestError(
      `${faults.length} ${faults.length === 1 ? 'place' : 'places'} can't be shown as manifests:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
  }
  return objects;
}

function objectOf(
  stack: StackModel,
  { type, address, attributes }: Resource,
  faults: FieldFault[],
): KubernetesObject | undefined {
  const place = { stack: stack.name, address };
  for (const field of MULTIPLIERS.filter((name) => attributes[name] !== undefined)) {
    faults.push({ field, fault: 'makes a number of objects that only Terraform knows' });
  }
  if (type === 'kubernetes_manifest') {
    return { ...place, manifest: stack.resolve(attributes.manifest) as Manifest };
  }
  const kind = kubernetesKind(type);
  if (kind === undefined) {
    faults.push({
      field: '',
      fault: `${type} is of an unknown kind; add it to kubernetes-kinds.ts`,
    });
    return undefined;
  }
  const isSecret = kind.kind === 'Secret';
  const withheld: readonly string[] = isSecret ? [...SECRET_DATA, ...SECRET_REVISIONS] : [];
  const sent = Object.fromEntries(
    Object.entries(attributes).filter(
      ([name]) => !NOT_SENT.has(name) && !MULTIPLIERS.includes(name) && !withheld.includes(name),
    ),
  );
  const { metadata, ...fields } = fieldsOf(stack.resolve(sent), [kind.kind], faults);
  const manifest = {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: metadataOf(metadata, kind.namespaced, faults),
    ...fields,
  };
  return isSecret ? { ...place, manifest, secretKeys: keysOf(attributes) } : { ...place, manifest };
}

/** Name and namespace come first; the provider's default namespace is `default`. */
function metadataOf(
  metadata: unknown,
  namespaced: boolean,
  faults: FieldFault[],
): Manifest['metadata'] {
  const given = (metadata ?? {}) as Record<string, unknown>;
  const { name, namespace = 'default', generateName, ...others } = given;
  if (typeof name !== 'string' || generateName !== undefined) {
    faults.push({ field: 'metadata.name', fault: 'must be given; a generated name is not known' });
  }
  return { name: String(name), ...(namespaced && { namespace: String(namespace) }), ...others };
}

function keysOf(attributes: Resource['attributes']): readonly string[] {
  const data = SECRET_DATA.map((name) => attributes[name]);
  return data.flatMap((map) => (typeof map === 'object' && map !== null ? Object.keys(map) : []));
}
