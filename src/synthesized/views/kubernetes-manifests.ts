import type { Model, Resource, StackModel } from '../model/model.ts';
import type { Attributes } from '../synthesized-stack.ts';
import { withoutIgnored } from './ignored-arguments.ts';
import { type FieldFault, fieldsOf } from './kubernetes-conversion.ts';
import { NOT_SENT, SECRET_DATA, SECRET_REVISIONS } from './kubernetes-fields.ts';
import { kubernetesKind } from './kubernetes-kinds.ts';
import type { KubernetesObject, Manifest } from './kubernetes-object.ts';

/** Some `kubernetes_*` resources can't be shown as manifests; the message names each and why. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/** Arguments that make several objects, or none, of one resource. */
const MULTIPLIERS = ['count', 'for_each'];

/**
 * The Kubernetes objects of all stacks, as the provider sends them to the API.
 *
 * @throws ManifestError with every resource and field that it doesn't know
 */
export function kubernetesObjects(model: Model): readonly KubernetesObject[] {
  return collect(model.stacks);
}

/**
 * The Kubernetes objects of one stack, as the provider sends them to the API.
 *
 * @throws ManifestError with every resource and field that it doesn't know
 */
export function kubernetesObjectsOf(stack: StackModel): readonly KubernetesObject[] {
  return collect([stack]);
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

function collect(
  stacks: readonly StackModel[],
  prepare: (attributes: Attributes) => Attributes = (attributes) => attributes,
): readonly KubernetesObject[] {
  const faults: string[] = [];
  const objects = stacks.flatMap((stack) =>
    stack.resources
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
  );
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
