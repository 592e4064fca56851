import { isObject } from '@file-processing/contract/json-object.ts';
import type { TerraformJson } from '../src/synthesized/synthesized-stack.ts';
import { parseJson } from './policy/policy-document.ts';
import { withoutSecrets } from './rules/encryption/secrets.ts';

/** Blocks of one stack in their canonical form, by address. */
export type Blocks = Readonly<Record<string, unknown>>;

/** Stands for a value that a plan fills: a new one is not a change of the infrastructure. The rules judge the value. */
const FILLED = '(filled by the plan)';

/** Variables that a plan fills whose defaults are not compared; of `image` the repository is. */
const PLAN_VARIABLES = ['aws_profile', 'db_password_revision', 'oidc_thumbprint'];

/** Members that stand for a text which is JSON, and for one of several lines, so that both can be compared inside. */
const JSON_TEXT = '(JSON)';
const LINES = '(lines)';

type Json = Readonly<Record<string, unknown>>;

/**
 * Everything that a stack's JSON says to Terraform, block by block and sorted: without cdktf's metadata, with placeholders for
 * what a plan fills, and without the value of any secret.
 *
 * @returns blocks by address, such as `aws_sns_topic.events`, `var.image`, `output.url` or `moved.aws_sns_topic.old`
 */
export function canonicalBlocks(json: TerraformJson): Blocks {
  const blocks = Object.entries(json).flatMap(([section, value]) => blocksIn(section, value));
  return Object.fromEntries(
    blocks
      .map(([address, block]) => [address, canonicalBlock(address, block)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

const PREFIXES: Readonly<Record<string, string>> = { variable: 'var', locals: 'local' };

function blocksIn(section: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (section === '//') return [];
  if (section === 'resource' || section === 'data') {
    const prefix = section === 'data' ? 'data.' : '';
    return Object.entries(Object(value) as Record<string, Json>).flatMap(([type, named]) =>
      Object.entries(named).map(([name, block]) => [`${prefix}${type}.${name}`, block] as const),
    );
  }
  if (section === 'terraform') return [[section, value]];
  if (section === 'variable') {
    return Object.entries(Object(value) as Record<string, Json>).map(
      ([name, block]) => [`var.${name}`, withPlaceholder(name, block)] as const,
    );
  }
  if (!Array.isArray(value) && isObject(value)) {
    const prefix = PREFIXES[section] ?? section;
    return Object.entries(value).flatMap(([name, block]) => numbered(`${prefix}.${name}`, block));
  }
  return [value].flat().map((block) => {
    const { from, to, id } = Object(block) as Json;
    return [`${section}.${String(from ?? to ?? id)}`, block] as const;
  });
}

/** The blocks of a provider, which may be several. */
function numbered(address: string, block: unknown): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(block) || !address.startsWith('provider.')) return [[address, block]];
  return block.map((one, at) => [at === 0 ? address : `${address}[${at}]`, one] as const);
}

function withPlaceholder(name: string, block: Json): Json {
  const { default: value } = block;
  if (name === 'image' && typeof value === 'string' && value !== '') {
    return { ...block, default: value.replace(/(:[^/@:]*)?(@[^/]*)?$/, ` ${FILLED}`) };
  }
  return PLAN_VARIABLES.includes(name) ? { ...block, default: FILLED } : block;
}

function nameOf(address: string): string {
  return address.slice(address.lastIndexOf('.') + 1);
}

/** @param name - what the value is called: its key, or what the `name` beside its `value` says */
function canonical(value: unknown, name: string): unknown {
  if (typeof value === 'string' || typeof value === 'number') return canonicalText(value, name);
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item, name));
    // To Terraform one block is the same as a list of one.
    return items.length === 1 && isObject(items[0]) ? items[0] : items;
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '//')
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, item]) => [key, canonical(item, nameIn(value, key, name))]),
  );
}

/** A default is called as its variable, the value of an environment variable as that. */
function nameIn(block: Json, key: string, name: string): string {
  if (name === SECRET_DATA) return name;
  if (key === 'value' && typeof block.name === 'string') return block.name;
  return ['default', 'value'].includes(key) ? name : key;
}

/** What all data of a Secret are called. */
const SECRET_DATA = 'secret_key';

function canonicalBlock(address: string, block: unknown): unknown {
  const manifest = Object(Object(block).manifest) as Json;
  const isSecret = address.startsWith('kubernetes_secret') || manifest.kind === 'Secret';
  if (!isSecret) return canonical(block, nameOf(address));
  const withData = (holder: unknown) =>
    Object.fromEntries(
      Object.entries(Object(holder) as Json).map(([key, value]) => [
        key,
        /^(binary_?|string_?)?data(_wo)?$/i.test(key) ? canonical(value, SECRET_DATA) : value,
      ]),
    );
  return canonical(
    manifest.kind === 'Secret'
      ? { ...Object(block), manifest: withData(manifest) }
      : withData(block),
    nameOf(address),
  );
}

function canonicalText(value: string | number, name: string): unknown {
  // Most texts are no JSON, and an error for each takes longer than the rest.
  const parsed = /^\s*[[{]/.test(String(value)) ? parseJson(value) : undefined;
  if (typeof parsed === 'object' && parsed !== null)
    return { [JSON_TEXT]: canonical(parsed, name) };
  const text = withoutSecrets(name, String(value));
  if (typeof value === 'number' && text === String(value)) return value;
  return text.includes('\n') ? { [LINES]: text.split('\n') } : text;
}

/** What differs in one block. */
export interface Difference {
  readonly address: string;
  /** Sentences without their full stop, each with the argument, what it is and what was accepted. */
  readonly changes: readonly string[];
}

/** What differs between accepted blocks of a stack and those of now, by address. What was moved is compared with what it was. */
export function differences(accepted: Blocks, now: Blocks): readonly Difference[] {
  const moves = movesBetween(accepted, now);
  const before = renamed(accepted, moves);
  const origins = new Map(moves.map(([from, to]) => [to, from]));
  const addresses = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return addresses.flatMap((address) => {
    const origin = origins.get(address);
    const changes = [
      ...(origin === undefined ? [] : [`Is what was accepted as ${origin}`]),
      ...blockChanges(before[address], now[address]),
    ];
    return changes.length === 0 ? [] : [{ address, changes }];
  });
}

function blockChanges(was: unknown, is: unknown): readonly string[] {
  if (was === undefined) return [`Is new, with ${leaves(is, '').join(', ')}`];
  if (is === undefined) return [`Is gone; accepted was ${leaves(was, '').join(', ')}`];
  return changesAt(isObject(was) && isObject(is) ? '' : 'Its value', was, is);
}

/** Old and new addresses of what `moved` blocks name, and of what is the same under another name. */
function movesBetween(accepted: Blocks, now: Blocks): readonly (readonly [string, string])[] {
  const isMove = (from: string, to: string) =>
    from in accepted && to in now && !(from in now) && !(to in accepted);
  const told = Object.entries(now)
    .filter(([address]) => address.startsWith('moved.'))
    .map(([, block]) => [String(Object(block).from), String(Object(block).to)] as const)
    .filter(([from, to]) => isMove(from, to));
  const taken = new Set(told.flat());
  const typeOf = (address: string) => address.slice(0, address.lastIndexOf('.'));
  const found = Object.keys(accepted).flatMap((from) => {
    if (taken.has(from) || from in now || !/^(data\.)?\w+_\w+\./.test(from)) return [];
    const to = Object.keys(now).find(
      (other) =>
        !taken.has(other) &&
        isMove(from, other) &&
        typeOf(other) === typeOf(from) &&
        JSON.stringify(now[other]) === JSON.stringify(accepted[from]),
    );
    if (to === undefined) return [];
    taken.add(to);
    return [[from, to] as const];
  });
  return [...told, ...found];
}

/** Blocks as they would be had they been accepted under their new addresses. */
function renamed(blocks: Blocks, moves: readonly (readonly [string, string])[]): Blocks {
  let text = JSON.stringify(blocks);
  for (const [from, to] of moves) {
    const address = new RegExp(`(?<![\\w.-])${from.replaceAll('.', '\\.')}(?![\\w-])`, 'g');
    text = text.replaceAll(address, () => to);
  }
  return JSON.parse(text) as Blocks;
}

function changesAt(path: string, was: unknown, is: unknown): readonly string[] {
  if (was === undefined) return [`${path} is new: ${shownIn(path, is)}`];
  if (is === undefined) return [`${path} is gone, accepted was ${shownIn(path, was)}`];
  if (isList(was) || isList(is)) return listChanges(path, [was].flat(), [is].flat());
  if (isObject(was) && isObject(is)) {
    return [...new Set([...Object.keys(was), ...Object.keys(is)])]
      .sort()
      .flatMap((key) => changesAt(within(path, key), was[key], is[key]));
  }
  if (isObject(was) || isObject(is)) {
    return [`${path} is ${leaves(is, '').join(', ')}; accepted was ${leaves(was, '').join(', ')}`];
  }
  if (String(was) === String(is)) return [];
  return [`${path} is ${aroundChange(is, was)}, accepted was ${aroundChange(was, is)}`];
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Path of a member; what stands for the inside of a text has no step of its own. */
function within(path: string, key: string): string {
  if (key === JSON_TEXT || key === LINES) return path;
  const step = /^[\w-]+$/.test(key) ? key : `["${key}"]`;
  return path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`;
}

function listChanges(
  path: string,
  was: readonly unknown[],
  is: readonly unknown[],
): readonly string[] {
  const before = was.map((item) => JSON.stringify(item));
  const after = is.map((item) => JSON.stringify(item));
  const lost = surplus(before, after);
  const gained = surplus(after, before);
  const label = identityOf(was, is);
  const changed = gained.flatMap((at) => {
    const name = label(is[at]);
    const old = name === undefined ? undefined : lost.find((one) => label(was[one]) === name);
    return old === undefined ? [] : [{ old, at, step: `${path}[${name}]` }];
  });
  // Of blocks without a name, one that was lost and one that was gained are taken for the same.
  const single = { old: lost[0] ?? 0, at: gained[0] ?? 0 };
  const isEdit =
    changed.length === 0 && lost.length === 1 && gained.length === 1 && isObject(is[single.at]);
  const pairs = isEdit ? [{ ...single, step: `${path}[${single.at}]` }] : changed;
  const step = (item: unknown, at: number) => `${path}[${label(item) ?? at}]`;
  const changes = [
    ...pairs.flatMap(({ old, at, step: name }) => changesAt(name, was[old], is[at])),
    ...lost
      .filter((at) => !pairs.some(({ old }) => old === at))
      .map((at) =>
        isObject(was[at])
          ? `${step(was[at], at)} is gone, accepted was ${shownIn('', was[at])}`
          : `${path} has lost ${shownIn('', was[at])}`,
      ),
    ...gained
      .filter((at) => !pairs.some((pair) => pair.at === at))
      .map((at) =>
        isObject(is[at])
          ? `${step(is[at], at)} is new: ${shownIn('', is[at])}`
          : `${path} has gained ${shownIn('', is[at])}`,
      ),
  ];
  if (changes.length > 0) return changes;
  // Also where a number became its text on the way: to Terraform that is the same item.
  const isSame = was.every((item, at) => changesAt('', item, is[at]).length === 0);
  return isSame ? [] : [`${path} is in another order: ${is.map(labelOf).join(', ')}`];
}

/** Indices of what is in one list more often than in another. */
function surplus(one: readonly string[], other: readonly string[]): readonly number[] {
  const left = [...other];
  return one.flatMap((item, at) => {
    const found = left.indexOf(item);
    if (found < 0) return [at];
    left.splice(found, 1);
    return [];
  });
}

/** Members by which people tell the blocks of a list apart, the best first. */
const NAMES = [
  ...['name', 'Sid', 'sid', 'id', 'key', 'mount_path', 'filter_prefix', 'device_name'],
  'resource_type',
];

function identityOf(...lists: readonly (readonly unknown[])[]) {
  const name = NAMES.find((member) =>
    lists.every((list) => {
      const texts = list.map((item) => isObject(item) && item[member]);
      return texts.every((text) => typeof text === 'string') && new Set(texts).size === list.length;
    }),
  );
  return (item: unknown) => (name === undefined ? undefined : String(Object(item)[name]));
}

function labelOf(item: unknown): string {
  if (!isObject(item)) return shownIn('', item);
  const name = NAMES.find((member) => typeof item[member] === 'string');
  return name === undefined ? shownIn('', item) : String(item[name]);
}

function shownIn(path: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inside = leaves(value, '');
  // One value needs no path of its own.
  return inside.length === 1 && path !== '' ? String(inside[0]) : inside.join(', ');
}

/** Every value inside another with its path, as `a.b = 1`. */
function leaves(value: unknown, path: string): readonly string[] {
  if (isList(value) && !value.some((item) => typeof item === 'object')) {
    return [`${path}${path && ' = '}${JSON.stringify(value)}`];
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    return [`${path}${path && ' = '}${JSON.stringify(value) ?? 'nothing'}`];
  }
  return Object.entries(value).flatMap(([key, item]) =>
    leaves(item, isList(value) ? `${path}[${key}]` : within(path, key)),
  );
}

/** Characters of a text that are shown; of a longer one the place where it differs. */
const SHOWN = 160;

function aroundChange(value: unknown, other: unknown): string {
  if (typeof value !== 'string' || value.length <= SHOWN) return JSON.stringify(value);
  const text = String(other);
  let start = 0;
  while (start < value.length && value[start] === text[start]) start += 1;
  let end = 0;
  const most = Math.min(value.length, text.length) - start;
  while (end < most && value.at(-1 - end) === text.at(-1 - end)) end += 1;
  const from = Math.max(0, start - 30);
  const to = Math.min(value.length, value.length - end + 30);
  return `${from > 0 ? '…' : ''}${JSON.stringify(value.slice(from, to))}${to < value.length ? '…' : ''}`;
}

/** Maps whose keys somebody chose, so that a new one is not an argument that nobody knows. */
const FREE_KEYS =
  /(^|\.)(tags|labels|match_labels|match_expressions|selector|data|dimensions|limits|requests|hard)$/;

/**
 * What of some blocks no others have: types, or arguments of known types.
 *
 * @param known - what somebody accepted
 * @returns such as `aws_iam_user` and `aws_sns_topic fifo_topic`, each once
 */
export function unknownIn(known: readonly Blocks[], blocks: Blocks): readonly string[] {
  const seen = new Set(known.flatMap((one) => [...usesIn(one)]));
  const unknown = [...usesIn(blocks)].filter((use) => !seen.has(use));
  // Of an unknown type, block or section the name is enough.
  return unknown.filter((use) => !unknown.some((other) => isInside(use, other))).sort();
}

function isInside(use: string, other: string): boolean {
  return use.startsWith(`${other}.`) || (!other.includes(' ') && use.startsWith(`${other} `));
}

function usesIn(blocks: Blocks): ReadonlySet<string> {
  const uses = new Set<string>();
  const add = (type: string, value: unknown, path: string) => {
    if (isList(value)) for (const item of value) add(type, item, path);
    else if (isObject(value) && !(JSON_TEXT in value || LINES in value || FREE_KEYS.test(path))) {
      for (const [key, item] of Object.entries(value)) {
        const inside = path === '' ? key : `${path}.${key}`;
        uses.add(`${type} ${inside}`);
        add(type, item, inside);
      }
    }
  };
  for (const [address, block] of Object.entries(blocks)) {
    const [first = '', second = ''] = address.split('.');
    // Their names are those of settings, and what they hold is seen where it is used.
    if (['output', 'local', 'var', 'check'].includes(first)) continue;
    const type = first === 'data' || first === 'provider' ? `${first}.${second}` : first;
    uses.add(type);
    add(type, block, '');
  }
  return uses;
}
