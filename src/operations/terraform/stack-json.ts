import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

type Blocks = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a command needs to know of a stack's Terraform JSON. */
export interface StackJson {
  readonly resource?: Blocks;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly variable?: Readonly<Record<string, { readonly sensitive?: boolean }>>;
}

/** Reads the JSON of a synthesized stack. */
export async function readStackJson(stackFolder: string): Promise<StackJson> {
  return JSON.parse(await readFile(join(stackFolder, 'cdk.tf.json'), 'utf8')) as StackJson;
}

/** Addresses of everything that a stack manages. */
export function addressesOf({ resource = {} }: StackJson): readonly string[] {
  return Object.entries(resource).flatMap(([type, named]) =>
    Object.keys(named).map((name) => `${type}.${name}`),
  );
}

/** Whether an address is that of a Kubernetes object, for which the cluster's API must answer. */
export function isKubernetes(address: string): boolean {
  return address.startsWith('kubernetes_');
}
