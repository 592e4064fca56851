import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { formFaults, isObject } from './terraform-form.ts';

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

/**
 * Reads every stack of a synthesized folder (cdktf.out's layout), sorted by name.
 *
 * @throws SynthesizedFolderError that names the file and what is wrong with it
 */
export function readSynthesizedStacks(folder: string): readonly SynthesizedStack[] {
  const file = join(folder, 'manifest.json');
  const { stacks: listed } = Object(readJson(file)) as { stacks?: unknown };
  const stacks = isObject(listed)
    ? Object.entries(listed).sort(([one], [other]) => (one < other ? -1 : 1))
    : [];
  if (stacks.length === 0) throw new SynthesizedFolderError(`${file} names no stack`);
  return stacks.map(([name, stack]) => {
    const { synthesizedStackPath = `stacks/${name}/cdk.tf.json` } = Object(stack);
    // Folders of the audit are named after it, and the JSON may be anybody's.
    if (!/^\w[\w.-]*$/.test(name)) {
      throw new SynthesizedFolderError(
        `${file}: ${JSON.stringify(name)} is not a valid stack name, allowed are letters, digits, _, - and .`,
      );
    }
    if (typeof synthesizedStackPath !== 'string') {
      throw new SynthesizedFolderError(`${file} names no file of stack ${name}`);
    }
    if (normalize(synthesizedStackPath).split(/[/\\]/)[0] === '..') {
      throw new SynthesizedFolderError(
        `${file}: ${synthesizedStackPath} lies outside of the folder`,
      );
    }
    const path = join(folder, synthesizedStackPath);
    if (!path.endsWith('.json')) {
      throw new SynthesizedFolderError(`${path} is not JSON; synthesize without --hcl`);
    }
    const json = readJson(path);
    const faults = formFaults(json);
    if (faults.length > 0) {
      throw new SynthesizedFolderError(
        `${path} has not the form of Terraform's: ${faults.join('; ')}`,
      );
    }
    return { name, path, json: json as TerraformJson };
  });
}

function readJson(path: string): unknown {
  if (!existsSync(path)) {
    throw new SynthesizedFolderError(`${path} does not exist; run npm run synth first`);
  }
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SynthesizedFolderError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
