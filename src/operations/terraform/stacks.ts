import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The stacks of an environment, by their names on the command line. */
export const STACK_NAMES = ['foundation-network', 'postgres-on-demand', 'file-processing'] as const;

/** Name of a stack. */
export type StackName = (typeof STACK_NAMES)[number];

/** The stack that a command works on when nobody names one. */
export const DEFAULT_STACK: StackName = 'file-processing';

/** Whether a text is the name of a stack. */
export function isStackName(text: string | undefined): text is StackName {
  return STACK_NAMES.some((name) => name === text);
}

type Blocks = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a command needs to know of a stack's Terraform JSON. */
export interface StackJson {
  readonly resource?: Blocks;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly locals?: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<
    Record<string, { readonly value?: unknown; readonly sensitive?: boolean }>
  >;
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
