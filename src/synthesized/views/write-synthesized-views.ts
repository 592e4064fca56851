import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { modelOf, type StackModel } from '../model/model.ts';
import { readSynthesizedStacks } from '../synthesized-stack.ts';
import { appliedObjectsOf, type KubernetesObject, type Manifest } from './kubernetes-manifests.ts';
import { fill, type Placeholder, placeholdersOf } from './placeholders.ts';
import { planOf } from './plan.ts';
import { yamlOf } from './yaml.ts';

/** Texts of files by name. */
export type Files = Readonly<Record<string, string>>;

/** The file that lists what stands for values which only Terraform knows. */
const PLACEHOLDERS_FILE = 'placeholders.json';

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
 * would remove what `kubectl apply` once put in, since both apply as one owner (Kubernetes,
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

/** Folders of the views in a synthesized folder. */
export const VIEWS = { manifests: 'manifests', plans: 'plans' } as const;

/**
 * Writes what else a synthesized folder shows, from its JSON and nothing else: each stack's Kubernetes
 * objects as `manifests/<stack>/` and its plan-shaped JSON as `plans/<stack>.json`. Views of an
 * earlier synthesis are removed. There are none for `cdktf synth --hcl`.
 *
 * @throws SynthesizedFolderError, ManifestError
 */
export function writeSynthesizedViews(folder: string): void {
  if (isHcl(folder)) {
    for (const view of Object.values(VIEWS)) {
      rmSync(join(folder, view), { recursive: true, force: true });
    }
    return;
  }
  const { stacks } = modelOf(readSynthesizedStacks(folder));
  const manifests = stacks.map((stack) => ({ stack, files: manifestFiles(stack) }));
  const withObjects = manifests.filter(({ files }) => Object.keys(files).length > 0);
  keepOnly(
    join(folder, VIEWS.manifests),
    withObjects.map(({ stack }) => stack.name),
  );
  for (const { stack, files } of withObjects) {
    writeFiles(join(folder, VIEWS.manifests, stack.name), files);
  }
  writeFiles(
    join(folder, VIEWS.plans),
    Object.fromEntries(
      stacks.map((stack) => [
        `${stack.name}.json`,
        `${JSON.stringify(planOf(stack), undefined, 1)}\n`,
      ]),
    ),
  );
}

/** Makes a folder hold these texts and nothing else: whatever it held before is removed. */
export function writeFiles(folder: string, files: Files): void {
  keepOnly(folder, Object.keys(files));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** Makes a folder, or removes from it what an earlier run left behind. */
function keepOnly(folder: string, names: readonly string[]): void {
  makeFolder(folder);
  for (const name of readdirSync(folder)) {
    if (!names.includes(name)) rmSync(join(folder, name), { recursive: true });
  }
}

function isHcl(folder: string): boolean {
  const { stacks = {} } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    readonly stacks?: Readonly<Record<string, { readonly synthesizedStackPath: string }>>;
  };
  return Object.values(stacks).some(({ synthesizedStackPath }) =>
    synthesizedStackPath.endsWith('.tf'),
  );
}
