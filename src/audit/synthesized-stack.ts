import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments of one block of Terraform JSON. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Blocks by type and name. */
export type NamedBlocks = Readonly<Record<string, Readonly<Record<string, Attributes>>>>;

/** A stack's Terraform JSON (Terraform, "JSON Configuration Syntax"). */
export interface TerraformJson {
  readonly resource?: NamedBlocks;
  readonly data?: NamedBlocks;
  readonly variable?: Readonly<Record<string, Attributes>>;
  readonly locals?: Attributes;
  readonly output?: Readonly<Record<string, Attributes>>;
  readonly provider?: Readonly<Record<string, readonly Attributes[]>>;
  readonly terraform?: Attributes;
}

/** One synthesized stack. */
export interface SynthesizedStack {
  readonly name: string;
  /** Its file, for findings. */
  readonly path: string;
  readonly json: TerraformJson;
}

/** A folder is not what `npm run synth` leaves behind. */
export class SynthesizedFolderError extends Error {
  override readonly name = 'SynthesizedFolderError';
}

interface Manifest {
  readonly stacks?: Readonly<Record<string, { readonly synthesizedStackPath?: string }>>;
}

/**
 * Reads every stack of a synthesized folder (cdktf.out's layout), sorted by name.
 *
 * @throws SynthesizedFolderError that names the file and what is wrong with it
 */
export function readSynthesizedStacks(folder: string): readonly SynthesizedStack[] {
  const manifest = readJson<Manifest>(join(folder, 'manifest.json'));
  const stacks = Object.entries(manifest.stacks ?? {}).sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  if (stacks.length === 0) {
    throw new SynthesizedFolderError(`${join(folder, 'manifest.json')} names no stack`);
  }
  return stacks.map(([name, { synthesizedStackPath }]) => {
    const path = join(folder, synthesizedStackPath ?? `stacks/${name}/cdk.tf.json`);
    if (!path.endsWith('.json')) {
      throw new SynthesizedFolderError(`${path} is not JSON; synthesize without --hcl`);
    }
    return { name, path, json: readJson<TerraformJson>(path) };
  });
}

function readJson<T>(path: string): T {
  if (!existsSync(path)) {
    throw new SynthesizedFolderError(`${path} does not exist; run npm run synth first`);
  }
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new SynthesizedFolderError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
