import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { isObject } from '@file-processing/contract/json-object.ts';
import { type Blocks, canonicalBlocks, differences, unknownIn } from './differences.ts';
import { AuditError } from './errors.ts';
import { sha256 } from './evidence.ts';
import type { ACCEPTANCE_RULES, Finding, Look } from './findings.ts';

/** Folder of the accepted JSON below the checkout, with a folder for each environment. */
export const ACCEPTED_FOLDER = 'audit/accepted';

/** File that says who accepted what; beside it each stack has a file of its own. */
const ACCEPTANCE_FILE = 'acceptance.json';
const STACK_SUFFIX = '.tf.json';

/** One person's decision that some blocks are as they are meant to be. */
export interface Acceptance {
  readonly owner: string;
  readonly reason: string;
  /** Day (UTC), such as `2026-11-29`. */
  readonly date: string;
  /** Commit of the checkout; or `unversioned` and the digest of what was synthesized from. */
  readonly version: string;
  /** Who judged it then, such as `own rules` and `checkov 3.3.30`. */
  readonly judgedBy: readonly string[];
  /** `<stack>/<address>` of what was new or changed then, and nobody accepted anew since. */
  readonly accepted: readonly string[];
  /** `<stack>/<address>` of what was gone then, and is not there again. */
  readonly gone: readonly string[];
}

/** The JSON of one environment that somebody accepted. */
export interface AcceptedJson {
  /** Newest first; each block is in one of them. */
  readonly acceptances: readonly Acceptance[];
  /** By stack. */
  readonly stacks: Readonly<Record<string, Blocks>>;
}

/** What to do about a file that is not what was written. */
const RESTORE =
  'restore the folder from git, or look at what the audit finds and accept anew: npm run audit -- --accept --owner NAME --reason TEXT';

/**
 * Reads the accepted JSON of an environment; undefined where nobody accepted any.
 *
 * @throws AuditError where a file is missing, half written, or edited by hand
 */
export function readAccepted(root: string, environment: string): AcceptedJson | undefined {
  const folder = folderOf(root, environment);
  if (!existsSync(folder)) return undefined;
  const shown = (name: string) => `${ACCEPTED_FOLDER}/${environment}/${name}`;
  const refuse = (name: string, fault: string): never => {
    throw new AuditError(`${shown(name)} ${fault}`, { next: RESTORE });
  };
  const textOf = (name: string): string => {
    const path = join(folder, name);
    if (!existsSync(path)) return refuse(name, 'is missing');
    // Git may check it out with line ends of its own.
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  };
  const parsed = (name: string, text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch (error) {
      return refuse(name, `is not JSON: ${(error as Error).message}`);
    }
  };
  const text = textOf(ACCEPTANCE_FILE);
  const { acceptances, digests, digest } = Object(parsed(ACCEPTANCE_FILE, text)) as Record<
    string,
    unknown
  >;
  if (!isObject(digests) || !Array.isArray(acceptances) || digest !== ownDigest(acceptances)) {
    return refuse(ACCEPTANCE_FILE, 'was changed since it was written');
  }
  const stray = readdirSync(folder).filter(
    (name) => name !== ACCEPTANCE_FILE && digests[name] === undefined,
  );
  for (const name of stray) refuse(name, `is not a file that ${ACCEPTANCE_FILE} names`);
  const stacks = Object.entries(digests).map(([name, recorded]) => {
    const content = textOf(name);
    const blocks = parsed(name, content);
    if (!isObject(blocks) || sha256(content) !== recorded) {
      return refuse(name, 'was changed since it was accepted');
    }
    return [name.slice(0, -STACK_SUFFIX.length), blocks] as const;
  });
  const read = { acceptances: acceptances as Acceptance[], stacks: Object.fromEntries(stacks) };
  const accepted = new Set(read.acceptances.flatMap((one) => one.accepted));
  const nobodys = placesIn(read.stacks).find((place) => !accepted.has(place));
  if (nobodys !== undefined) refuse(ACCEPTANCE_FILE, `names nobody who accepted ${nobodys}`);
  return read;
}

/** Environments whose JSON somebody accepted, in order. */
export function acceptedEnvironments(root: string): readonly string[] {
  return foldersIn(join(root, ACCEPTED_FOLDER));
}

/** Names of the folders in a folder, in order; none where it is not there. */
export function foldersIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** What is accepted now, by whom, and why. */
export type Decision = Omit<Acceptance, 'accepted' | 'gone'>;

/**
 * Writes the JSON of a look as accepted. The file that names the others comes last, so that what is half written is an error.
 *
 * @param before - what was accepted until now; undefined for the first time, or where it can't be read
 */
export function writeAccepted(
  root: string,
  environment: string,
  { look, before, decision }: AcceptedWriting,
): void {
  const stacks = canonicalStacks(look);
  const folder = folderOf(root, environment);
  mkdirSync(folder, { recursive: true });
  const texts = Object.entries(stacks).map(
    ([stack, blocks]) => [`${stack}${STACK_SUFFIX}`, jsonText(blocks)] as const,
  );
  for (const [name, text] of texts) replaceFile(join(folder, name), text);
  const acceptances = acceptancesAfter(before, stacks, decision);
  replaceFile(
    join(folder, ACCEPTANCE_FILE),
    jsonText({
      acceptances,
      digests: Object.fromEntries(texts.map(([name, text]) => [name, sha256(text)])),
      digest: ownDigest(acceptances),
    }),
  );
  const kept = [ACCEPTANCE_FILE, ...texts.map(([name]) => name)];
  for (const name of readdirSync(folder).filter((one) => !kept.includes(one))) {
    rmSync(join(folder, name), { recursive: true });
  }
}

/** What {@link writeAccepted} writes. */
export interface AcceptedWriting {
  readonly look: Look;
  readonly before: AcceptedJson | undefined;
  readonly decision: Decision;
}

function acceptancesAfter(
  before: AcceptedJson | undefined,
  stacks: AcceptedJson['stacks'],
  decision: Decision,
): readonly Acceptance[] {
  const places = placesIn(stacks);
  const changed = changedPlaces(before?.stacks ?? {}, stacks);
  const accepted = changed.filter((place) => places.includes(place));
  const gone = changed.filter((place) => !places.includes(place));
  const earlier = (before?.acceptances ?? []).map((one) => ({
    ...one,
    accepted: one.accepted.filter((place) => places.includes(place) && !changed.includes(place)),
    gone: one.gone.filter((place) => !places.includes(place)),
  }));
  if (changed.length === 0 && before !== undefined) return earlier;
  return [
    { ...decision, accepted, gone },
    ...earlier.filter((one) => one.accepted.length + one.gone.length > 0),
  ];
}

/** The JSON of a look in its canonical form, by stack. */
export function canonicalStacks({ model }: Pick<Look, 'model'>): AcceptedJson['stacks'] {
  return Object.fromEntries(model.stacks.map(({ name, json }) => [name, canonicalBlocks(json)]));
}

function placesIn(stacks: AcceptedJson['stacks']): readonly string[] {
  return Object.entries(stacks).flatMap(([stack, blocks]) =>
    Object.keys(blocks).map((address) => `${stack}/${address}`),
  );
}

function changedPlaces(
  before: AcceptedJson['stacks'],
  now: AcceptedJson['stacks'],
): readonly string[] {
  const both = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return both.flatMap((stack) => {
    const [was = {}, is = {}] = [before[stack], now[stack]];
    const addresses = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
    return addresses
      .filter((address) => JSON.stringify(was[address]) !== JSON.stringify(is[address]))
      .map((address) => `${stack}/${address}`);
  });
}

/** What is accepted where an environment's JSON is judged. */
export interface AcceptedState {
  /** @default nobody accepted any */
  readonly accepted: AcceptedJson | undefined;
  /** Of all environments, for what is known at all. */
  readonly known: readonly AcceptedJson[];
}

/** Findings on what nobody accepted. The first look alone is compared: the second region is nobody's. */
export function judgeAccepted(
  environment: string,
  look: Look,
  { accepted, known }: AcceptedState,
): readonly Finding[] {
  const stacks = canonicalStacks(look);
  const finding = (rule: keyof typeof ACCEPTANCE_RULES, place: string, message: string) => ({
    ...({ by: 'audit', severity: 'medium', regions: [look.region] } as const),
    ...{ rule, place, message },
  });
  if (accepted !== undefined) {
    const names = [...new Set([...Object.keys(accepted.stacks), ...Object.keys(stacks)])].sort();
    return names.flatMap((stack) =>
      differences(accepted.stacks[stack] ?? {}, stacks[stack] ?? {}).map(({ address, changes }) =>
        finding('differs-from-accepted', `${stack}/${address}`, sentences(changes)),
      ),
    );
  }
  const blocks = known.flatMap((one) => Object.values(one.stacks));
  const unknown = Object.entries(stacks).flatMap(([stack, own]) =>
    unknownIn(blocks, own).map((use) => `${stack}: ${use}`),
  );
  const count = placesIn(stacks).length;
  return [
    finding(
      'not-yet-accepted',
      `${Object.keys(stacks)[0] ?? ''}/terraform`,
      sentences([
        `Nobody accepted the ${count} blocks of environment ${environment} yet`,
        unknown.length === 0
          ? 'All their types and arguments are in JSON that somebody accepted for another environment'
          : `No accepted JSON has these of their types and arguments:\n${unknown.join('\n')}`,
      ]),
    ),
  ];
}

function sentences(texts: readonly string[]): string {
  return `${texts.join('.\n')}.`;
}

/** SHA-256 in hexadecimal of all files in some folders, which stands for a commit outside of git. */
export function digestOfFolders(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders.filter(existsSync)) {
    const files = readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
    for (const file of files) hash.update(`${relative(folder, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function folderOf(root: string, environment: string): string {
  return join(root, ACCEPTED_FOLDER, environment);
}

function ownDigest(acceptances: unknown): string {
  return sha256(JSON.stringify(acceptances));
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
