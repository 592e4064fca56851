import type { Audited } from '../rule.ts';
import type { KeyToPath } from './api-types.ts';
import { when } from './faults.ts';
import type { Listener } from './listeners.ts';
import { objectsIn } from './pods.ts';

/** What keeps a listener from reading the file that one of its variables names. */
export function fileFaults(
  { pod, spec }: Listener,
  name: string,
  path: string,
  audited: Audited,
): readonly string[] {
  const mount = (spec.volumeMounts ?? []).find(
    ({ mountPath, subPath }) =>
      (subPath !== undefined && mountPath === path) || path.startsWith(`${mountPath}/`),
  );
  const volume = pod.spec.volumes?.find((one) => one.name === mount?.name);
  if (mount === undefined || volume === undefined) {
    return [`${name} is ${path}, where no volume is mounted`];
  }
  const file = mount.subPath ?? path.slice(mount.mountPath.length + 1);
  const source = volume.secret ?? volume.configMap;
  if (source === undefined) {
    return when(
      volume.projected === undefined,
      `${name} is ${path}, in a volume that holds no Secret`,
    );
  }
  const items = source.items as readonly KeyToPath[] | undefined;
  const key = items ? items.find((item) => item.path === file)?.key : file;
  const sourceName = volume.secret?.secretName ?? volume.configMap?.name ?? '';
  const [kind, object] = ['Secret', 'ConfigMap'].flatMap((one) =>
    objectsIn(audited, pod.namespace, one)
      .filter(() => (one === 'Secret') === (volume.secret !== undefined))
      .filter(({ manifest }) => manifest.metadata.name === sourceName)
      .map((found) => [one, found] as const),
  )[0] ?? [undefined, undefined];
  const keys = object?.secretKeys ?? (object && Object.keys(object.manifest.data ?? {}));
  if (key === undefined)
    return [`${name} is ${path}, which no item of volume ${volume.name} makes`];
  // A Secret of others: its keys are the variables' names, as the settings demand.
  if (keys === undefined) {
    return when(
      key !== name.replace(/_FILE$/, ''),
      `${name} is ${path}; a Secret of others has the key ${name.replace(/_FILE$/, '')}`,
    );
  }
  return when(
    !keys.includes(key),
    `${name} is ${path}, but ${kind} ${sourceName} has no key ${key}`,
  );
}
