import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelOf } from '../model/model.ts';
import { readSynthesizedStacks } from '../synthesized-stack.ts';
import { type Files, manifestFiles } from './manifest-files.ts';
import { planOf } from './plan.ts';

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
  mkdirSync(folder, { recursive: true });
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
