import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { GO_MEMORY } from '../../support/go-memory.ts';
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
}

/** What `terraform output -json` would print. */
const OUTPUTS = {
  service_account_role_arn: 'arn:aws-us-gov:iam::123456789012:role/file-processing-sa',
  sns_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic',
};

/** Folders of one synthesis. */
interface Synthesis {
  readonly synthesized: string;
  readonly filled: string;
}

const ofThisWorker = new Map<string, Promise<Synthesis>>();

/**
 * Manifests as `npm run synth` and `manage manifests` make them, once a worker.
 *
 * @param namespace to move everything to, as a kustomization on top of ours can @default ours
 */
export async function manifestsOf(environment: string, namespace?: string): Promise<Manifests> {
  const made = ofThisWorker.get(environment) ?? synthesize(environment);
  ofThisWorker.set(environment, made);
  const { synthesized, filled } = await made;
  const folder = namespace === undefined ? filled : await overlay(filled, namespace);
  return { synthesized, folder, objects: await objectsOf(folder) };
}

async function synthesize(environment: string): Promise<Synthesis> {
  const root = await mkdtemp(join(tmpdir(), 'manifests-'));
  const synthesized = join(root, 'cdktf.out');
  const filled = join(root, 'filled');
  const outputsFile = join(root, 'outputs.json');
  await node(['main.ts'], { ENVIRONMENT: environment, CDKTF_OUTDIR: synthesized });
  const outputs = Object.entries(OUTPUTS).map(([name, value]) => [name, { value }]);
  await writeFile(outputsFile, JSON.stringify(Object.fromEntries(outputs)));
  await manage('manifests', [
    ...['--environment', environment, '--from', synthesized],
    ...['--outputs-file', outputsFile, '--output', filled],
  ]);
  return { synthesized, filled };
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

async function overlay(filled: string, namespace: string): Promise<string> {
  const folder = await mkdtemp(join(dirname(filled), 'overlay-'));
  const resources = ['../filled'];
  // They are the whole cluster's under one name, and another test has those of the same environment.
  const patches = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'].map((kind) => ({
    target: { kind },
    patch: JSON.stringify({
      ...{ $patch: 'delete', apiVersion: 'admissionregistration.k8s.io/v1' },
      ...{ kind, metadata: { name: 'any' } },
    }),
  }));
  const kustomization = { namespace, resources, patches };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  return folder;
}

async function objectsOf(folder: string): Promise<KubernetesResource[]> {
  const { exitCode, stdout, stderr } = await run('kubectl', ['kustomize', folder], {
    environment: { ...process.env, ...GO_MEMORY },
  });
  if (exitCode !== 0) throw new Error(`kubectl kustomize failed:\n${stderr}`);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesResource);
}
