import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { isObject } from '@file-processing/contract/json-object.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * What keeps a JSON value from being Terraform's (Terraform, "JSON Configuration Syntax"): paths with
 * what must be there. Whoever reads on may then rely on the form of blocks; arguments are left to rules.
 */
export function formFaults(json: unknown): readonly string[] {
  if (!isObject(json)) return ['it must be an object'];
  return [
    ...['resource', 'data'].flatMap((mode) =>
      entriesOf(json[mode], mode).flatMap(({ path, value, name, faults }) => [
        ...faults,
        ...(faults.length > 0 || isType(name) ? [] : [`${path} is not a type`]),
        ...entriesOf(value, path).flatMap((block) => [
          ...block.faults,
          ...(block.faults.length > 0 || isIdentifier(block.name)
            ? []
            : [`${block.path} is not a name`]),
          ...(isObject(block.value) ? metaFaults(block.value, block.path) : []),
          ...(isObject(block.value) || block.faults.length > 0 ? [] : mustBe(block.path)),
        ]),
      ]),
    ),
    ...['variable', 'output'].flatMap((kind) =>
      entriesOf(json[kind], kind).flatMap(({ path, value, faults }) => [
        ...faults,
        ...(isObject(value) || faults.length > 0 ? [] : mustBe(path)),
      ]),
    ),
    ...['locals', 'terraform'].flatMap((kind) =>
      json[kind] === undefined || isObject(json[kind]) ? [] : mustBe(kind),
    ),
    ...entriesOf(json.provider, 'provider').flatMap(({ path, value, faults }) => [
      ...faults,
      ...(faults.length > 0 || [value].flat().every(isObject) ? [] : mustBe(path)),
    ]),
  ];
}

function isType(name: string): boolean {
  return isIdentifier(name) && !(name in Object.prototype);
}

/** Terraform, "Syntax", identifiers. They also become names of files. */
function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(name);
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly value: unknown;
  readonly faults: readonly string[];
}

/** Members of an object that may be left out; one entry with a fault where it is not an object. */
function entriesOf(value: unknown, path: string): readonly Entry[] {
  if (value === undefined) return [];
  if (!isObject(value)) return [{ name: '', path, value: undefined, faults: mustBe(path) }];
  return Object.entries(value).map(([name, member]) => ({
    name,
    path: `${path}.${name}`,
    value: member ?? null,
    faults: [],
  }));
}

/** Arguments that every block may have. */
function metaFaults(block: Json, path: string): readonly string[] {
  const { depends_on, lifecycle, tags } = block;
  const isExpression = typeof tags === 'string' && tags.includes('${');
  return [
    ...(depends_on === undefined || Array.isArray(depends_on)
      ? []
      : [`${path}.depends_on must be a list`]),
    ...([lifecycle ?? {}].flat().every(isObject) ? [] : mustBe(`${path}.lifecycle`)),
    ...(isExpression || isObject(tags ?? {}) ? [] : mustBe(`${path}.tags`)),
  ];
}

function mustBe(path: string): readonly string[] {
  return [`${path} must be an object`];
}

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
  readonly moved?: readonly Attributes[];
  readonly removed?: readonly Attributes[];
  readonly import?: readonly Attributes[];
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
