import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../src/synthesized/views/kubernetes-object.ts';

/**
 * Writes what checkov reads of one stack: `plan.json`, and each Kubernetes object as
 * `manifests/<address>.yaml`.
 *
 * @param plan - the stack as plan-shaped JSON
 * @param objects - the stack's Kubernetes objects
 */
export function writeViews(
  folder: string,
  plan: unknown,
  objects: readonly KubernetesObject[],
): void {
  mkdirSync(join(folder, 'manifests'), { recursive: true });
  writeFileSync(join(folder, 'plan.json'), `${JSON.stringify(plan, undefined, 2)}\n`);
  for (const { address, manifest } of objects) {
    writeFileSync(join(folder, 'manifests', `${address}.yaml`), stringify(manifest));
  }
}
