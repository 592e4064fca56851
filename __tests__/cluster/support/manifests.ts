import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../../support/run-main.ts';
import { run } from '../../support/run-program.ts';
import type { KubernetesResource } from './kubernetes-resource.ts';

/** The manifests of an environment, with a test's values for what only Terraform knows. */
export interface Manifests {
  /** The folder that the synthesis left behind. */
  readonly synthesized: string;
  /** For `kubectl apply --kustomize`. */
  readonly folder: string;
  /** What that applies. */
  readonly objects: readonly KubernetesResource[];
  remove(): void;
}

/** What `terraform output -json` would print. */
const OUTPUTS = {
  service_account_role_arn: 'arn:aws-us-gov:iam::123456789012:role/file-processing-sa',
  sns_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic',
};

/**
 * Synthesizes an environment as `npm run synth` does, and fills in the manifests by `manage manifests`.
 *
 * @param namespace to move everything to, as a kustomization on top of ours can @default ours
 */
export async function manifestsOf(environment: string, namespace?: string): Promise<Manifests> {
  const root = mkdtempSync(join(tmpdir(), 'manifests-'));
  const synthesized = join(root, 'cdktf.out');
  const filled = join(root, 'filled');
  const outputsFile = join(root, 'outputs.json');
  const remove = () => rmSync(root, { recursive: true });
  try {
    await node(['main.ts'], { ENVIRONMENT: environment, CDKTF_OUTDIR: synthesized });
    const outputs = Object.entries(OUTPUTS).map(([name, value]) => [name, { value }]);
    writeFileSync(outputsFile, JSON.stringify(Object.fromEntries(outputs)));
    await manage('manifests', [
      ...['--environment', environment, '--from', synthesized],
      ...['--outputs-file', outputsFile, '--output', filled],
    ]);
    const folder = namespace === undefined ? filled : overlay(root, namespace);
    return { synthesized, folder, objects: await objectsOf(folder), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Runs a command of `manage` without an AWS profile. @returns what it wrote */
export function manage(command: string, parameters: readonly string[]): Promise<string> {
  return node(['src/operations/main.ts', command, '--profile', '', ...parameters], {});
}

async function node(
  parameters: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(process.execPath, parameters, {
    directory: ROOT,
    environment: { ...process.env, ...variables },
  });
  if (exitCode !== 0) throw new Error(`${parameters.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

function overlay(root: string, namespace: string): string {
  const folder = join(root, 'overlay');
  mkdirSync(folder);
  const resources = ['../filled'];
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ namespace, resources }));
  return folder;
}

async function objectsOf(folder: string): Promise<KubernetesResource[]> {
  const { exitCode, stdout, stderr } = await run('kubectl', ['kustomize', folder]);
  if (exitCode !== 0) throw new Error(`kubectl kustomize failed:\n${stderr}`);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesResource);
}
