import {
  isCustomObject,
  type KubernetesObject,
} from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { containersOf, namespaceOf, objectsOf, podsOf, servingPods } from '../readers/pods.ts';
import { type Audited, type Rule, repeated, rule, shown } from '../rule.ts';
import api from './api-words.json' with { type: 'json' };

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;

function isName(name: string): boolean {
  return (
    name.includes('${') || (name.length <= 253 && /^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/.test(name))
  );
}

function mostFrequent({ objects }: Audited, stack: string): string {
  const counts = new Map<string, number>();
  for (const object of objects.filter((one) => one.stack === stack)) {
    const namespace = namespaceOf(object);
    if (namespace !== '') counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0] ?? '';
}

/** Labels by which an object finds its own pods. */
function selectedBy({ spec }: KubernetesObject['manifest']): Readonly<Record<string, string>> {
  return spec?.selector?.matchLabels ?? {};
}

/** Labels that more than half of some objects have. */
function commonLabels(
  objects: readonly KubernetesObject[],
): readonly (readonly [string, string])[] {
  const counts = new Map<string, { readonly pair: readonly [string, string]; count: number }>();
  for (const { manifest } of objects) {
    for (const pair of Object.entries(manifest.metadata.labels ?? {})) {
      const entry = counts.get(pair.join('=')) ?? { pair, count: 0 };
      entry.count += 1;
      counts.set(pair.join('='), entry);
    }
  }
  return [...counts.values()]
    .filter(({ count }) => count > objects.length / 2)
    .map(({ pair }) => pair);
}

/** What the API takes in fields that know a few words only, by field, and for `type` by the field that it is in. */
const WORDS: Readonly<Record<string, readonly string[]>> = api.words;
const TYPES: Readonly<Record<string, readonly string[]>> = api.types;

const PORTS = ['port', 'containerPort', 'nodePort', 'hostPort', 'endPort'];

function valueFaults(value: unknown, holder: string, field: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => valueFaults(item, holder, field));
  if (typeof value === 'object' && value !== null) {
    // Keys below these are data, not fields.
    if (['annotations', 'labels', 'matchLabels', 'nodeSelector', 'selector'].includes(field)) {
      return field === 'selector' ? valueFaults(Object.entries(value), field, '') : [];
    }
    return Object.entries(value).flatMap(([key, item]) =>
      valueFaults(item, field === '' ? holder : field, key),
    );
  }
  const text = String(value);
  if (text.includes('${')) return [];
  const words = field === 'type' ? TYPES[holder] : WORDS[field];
  if (words && !words.includes(text)) {
    return [`${field} of ${holder} is ${shown(value)}; the API takes ${words.join(', ')}`];
  }
  const number = Number(value);
  const outside = !Number.isNaN(number) && (number < 1 || number > 65_535);
  return PORTS.includes(field) && outside
    ? [`${field} of ${holder} is ${shown(value)}; that is 1 to 65535`]
    : [];
}

/** Rules on objects of every kind. */
export const OBJECT_RULES: readonly Rule[] = [
  rule({
    id: 'values-are-valid',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }) => valueFaults(manifest.spec, manifest.kind, ''),
  }),
  rule({
    id: 'object-is-in-its-namespace',
    subjects: ({ objects }) =>
      objects.filter(({ manifest }) => manifest.metadata.namespace !== undefined),
    faults: (object, audited) => {
      const namespace = namespaceOf(object);
      const made = objectsOf(audited, 'Namespace')
        .filter(({ stack }) => stack === object.stack)
        .map(({ manifest }) => manifest.metadata.name);
      const home = made.length > 0 ? made : [mostFrequent(audited, object.stack)];
      return [
        (['', 'default'].includes(namespace) || namespace.startsWith('kube-')) &&
          `is in the namespace ${namespace || 'default'}, which is Kubernetes' own`,
        !home.includes(namespace) &&
          `is in namespace ${namespace}; its stack's is ${home.join(', ')}`,
      ];
    },
  }),
  rule({
    id: 'object-is-labelled',
    subjects: ({ objects }) => objects,
    faults: (object, audited) => {
      const common = commonLabels(audited.objects.filter(({ stack }) => stack === object.stack))
        // Terraform does not make it.
        .filter(([key]) => !isCustomObject(object) || key !== 'app.kubernetes.io/managed-by');
      const own = object.manifest.metadata.labels ?? {};
      // Pods of a Job must differ, and those of a Deployment that the Service is not for: it would send them messages.
      const pod = servingPods(audited).find(
        ({ manifest }) =>
          manifest === object.manifest &&
          common.every(([key, value]) => (selectedBy(manifest)[key] ?? value) === value),
      );
      return common.flatMap(([key, value]) => [
        own[key] !== value && `lacks the label ${key}=${value}`,
        pod !== undefined && pod.labels[key] !== value && `its pods lack the label ${key}=${value}`,
      ]);
    },
  }),
  rule({
    id: 'names-are-valid',
    subjects: ({ objects }) => objects,
    faults: (object, audited) => {
      const { name, labels = {} } = object.manifest.metadata;
      const pod = podsOf(audited).find(
        ({ stack, address }) => stack === object.stack && address === object.address,
      );
      const all = Object.entries({ ...labels, ...pod?.labels });
      const containers = pod ? containersOf(pod) : [];
      const ports = containers.flatMap(({ spec }) => spec.ports ?? []);
      return [
        !isName(name) && `its name ${shown(name)} is not a valid DNS name`,
        ...all
          .filter(([key, value]) => !LABEL_KEY.test(key) || !LABEL_VALUE.test(value))
          .map(([key, value]) => `its label ${key}=${value} is not allowed`),
        ...repeated(containers.map((container) => container.name)).map(
          (twice) => `has two containers named ${twice}`,
        ),
        ...containers
          .filter((container) => !DNS_LABEL.test(container.name))
          .map((container) => `its container name ${shown(container.name)} is not allowed`),
        ...ports
          .flatMap((port) => port.name ?? [])
          .filter((port) => !/^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(port))
          .map((port) => `its port name ${shown(port)} is not allowed`),
        ...repeated(
          ports.map(({ name: port, containerPort }) => port ?? String(containerPort)),
        ).map((port) => `has two ports ${port}`),
        ...repeated(
          ports.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`),
        ).map((port) => `has two ports ${port}`),
      ];
    },
  }),
  rule({
    id: 'environment-is-its-own',
    subjects: podsOf,
    faults: ({ spec }) => [
      spec.enableServiceLinks !== false &&
        `enableServiceLinks is ${shown(spec.enableServiceLinks)}, must be false`,
    ],
  }),
  rule({
    id: 'storage-is-encrypted',
    subjects: (audited) => objectsOf(audited, 'StorageClass', 'PersistentVolumeClaim'),
    faults: ({ manifest }, audited) => {
      if (manifest.kind === 'StorageClass') {
        return [
          String(manifest.parameters?.encrypted) !== 'true' &&
            `encrypted is ${shown(manifest.parameters?.encrypted)}, must be true`,
        ];
      }
      const name = manifest.spec?.storageClassName;
      const made = objectsOf(audited, 'StorageClass').some(
        (one) => one.manifest.metadata.name === name,
      );
      return [!made && `its storage class ${shown(name)} is not one of the stack's`];
    },
  }),
];
