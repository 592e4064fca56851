import type { Audited } from '../rule.ts';
import type { KeyToPath } from './api-types.ts';
import { containersOf, objectsOf, type Pod } from './pods.ts';

/** A place in a pod that names a ConfigMap or a Secret. */
export interface DataReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** Keys that must be there. */
  readonly keys: readonly string[];
  readonly optional: boolean;
  /** Where, for findings. */
  readonly place: string;
  /** How the data reaches the process. */
  readonly as: 'environment' | 'files';
}

const keysOf = (items: readonly KeyToPath[] | undefined) => (items ?? []).map(({ key }) => key);

/** Every ConfigMap and Secret that a pod takes data from. */
export function dataReferences(pod: Pod): readonly DataReference[] {
  return [...containersOf(pod).flatMap(environmentReferences), ...volumeReferences(pod)];
}

function environmentReferences({
  name: container,
  spec,
}: ReturnType<typeof containersOf>[number]): readonly DataReference[] {
  const make = (
    kind: DataReference['kind'],
    reference: { name?: string; key?: string; optional?: boolean } | undefined,
    place: string,
  ): readonly DataReference[] =>
    reference === undefined
      ? []
      : [
          {
            kind,
            name: reference.name ?? '',
            keys: reference.key === undefined ? [] : [reference.key],
            optional: reference.optional === true,
            place: `container ${container}, ${place}`,
            as: 'environment',
          },
        ];
  return [
    ...(spec.envFrom ?? []).flatMap(({ configMapRef, secretRef }) => [
      ...make('ConfigMap', configMapRef, 'envFrom'),
      ...make('Secret', secretRef, 'envFrom'),
    ]),
    ...(spec.env ?? []).flatMap(({ name, valueFrom }) => [
      ...make('ConfigMap', valueFrom?.configMapKeyRef, name),
      ...make('Secret', valueFrom?.secretKeyRef, name),
    ]),
  ];
}

function volumeReferences({ spec }: Pod): readonly DataReference[] {
  return (spec.volumes ?? []).flatMap(({ name: volume, configMap, secret, projected }) => {
    const place = `volume ${volume}`;
    const make = (
      kind: DataReference['kind'],
      name: string | undefined,
      source: { optional?: boolean; items?: readonly KeyToPath[] },
    ): DataReference => ({
      kind,
      name: name ?? '',
      keys: keysOf(source.items),
      optional: source.optional === true,
      place,
      as: 'files',
    });
    return [
      ...(configMap ? [make('ConfigMap', configMap.name, configMap)] : []),
      ...(secret ? [make('Secret', secret.secretName, secret)] : []),
      ...(projected?.sources ?? []).flatMap((source) => [
        ...(source.configMap ? [make('ConfigMap', source.configMap.name, source.configMap)] : []),
        ...(source.secret ? [make('Secret', source.secret.name, source.secret)] : []),
      ]),
    ];
  });
}

/** Names of Secrets that Ingresses of a namespace take certificates from. */
export function ingressSecrets(audited: Audited, namespace: string): readonly string[] {
  return objectsOf(audited, 'Ingress')
    .filter(({ manifest }) => manifest.metadata.namespace === namespace)
    .flatMap(({ manifest }) => manifest.spec?.tls ?? [])
    .map(({ secretName }: { secretName?: string }) => secretName ?? '');
}
