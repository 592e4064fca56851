import type { StackModel } from '../model/model.ts';
import { appliedObjectsOf } from './kubernetes-manifests.ts';
import type { KubernetesObject, Manifest } from './kubernetes-object.ts';
import { fill, type Placeholder, placeholdersOf } from './placeholders.ts';
import { yamlOf } from './yaml.ts';

/** Texts of files by name. */
export type Files = Readonly<Record<string, string>>;

/** The file that lists what stands for values which only Terraform knows. */
export const PLACEHOLDERS_FILE = 'placeholders.json';

/**
 * A stack's Kubernetes objects as files for `kubectl apply --kustomize` and GitOps: one object a file,
 * a kustomization, and `placeholders.json` with what each `${NAME}` stands for.
 *
 * @returns no file for a stack without Kubernetes objects
 * @throws ManifestError with every resource and field that can't be shown
 */
export function manifestFiles(stack: StackModel): Files {
  const objects = appliedObjectsOf(stack);
  const placeholders = placeholdersOf(stack, objects);
  const names = new Map(placeholders.map(({ expression, name }) => [expression, name]));
  const files = filesOf(objects, (expression) => `\${${names.get(expression)}}`);
  if (objects.length === 0) return {};
  return { ...files, [PLACEHOLDERS_FILE]: placeholdersJson(placeholders) };
}

/**
 * The objects and the kustomization alone, with something in the place of each expression. A Secret
 * whose data is withheld has a file, but the kustomization leaves it out: applied without data, it
 * would take away what `kubectl apply` once put in, since both apply as one owner (Kubernetes,
 * "Server-Side Apply").
 */
export function filesOf(
  objects: readonly KubernetesObject[],
  valueFor: (expression: string) => string,
): Files {
  const files = new Map<string, string>();
  const applied: string[] = [];
  for (const object of objects) {
    const manifest = fill(object.manifest, valueFor);
    const short = `${manifest.kind.toLowerCase()}-${fileName(manifest.metadata.name)}.yaml`;
    const long = `${fileName(manifest.metadata.namespace ?? 'cluster')}-${short}`;
    const name = files.has(short) ? long : short;
    files.set(name, commented(object, manifest));
    if (!isWithheld(object)) applied.push(name);
  }
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: applied.sort(),
  };
  return { ...Object.fromEntries(files), 'kustomization.yaml': yamlOf(kustomization) };
}

/** Whether an object is a Secret whose values are nobody's to show. */
export function isWithheld({ secretKeys = [] }: KubernetesObject): boolean {
  return secretKeys.length > 0;
}

function commented({ stack, address, secretKeys }: KubernetesObject, manifest: Manifest): string {
  const { name, namespace } = manifest.metadata;
  const secret =
    secretKeys === undefined || secretKeys.length === 0
      ? []
      : [
          '# Its data is not here, so the kustomization leaves it out. To make it:',
          `# kubectl create secret generic ${name} --namespace ${namespace}${secretKeys.map((key) => ` --from-file=${key}=FILE`).join('')}`,
        ];
  return `${[`# ${address} of the stack ${stack}`, ...secret].join('\n')}\n${yamlOf(manifest)}`;
}

function placeholdersJson(placeholders: readonly Placeholder[]): string {
  const byName = placeholders.map(({ name, ...source }) => [name, source]);
  return `${JSON.stringify(Object.fromEntries(byName), undefined, 2)}\n`;
}

/** Names of RBAC objects may have characters that no file's name should have. */
function fileName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9.-]+/g, '-');
}
