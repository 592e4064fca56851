import { isObject } from '@file-processing/contract/json-object.ts';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';

/** Where in a file something is, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A file of a rule set that could be read. */
export interface RuleFile {
  readonly value: Readonly<Record<string, unknown>>;
  /** Where a path into the value is, such as `tableSchema.fields[2].name`; of what is missing, where it would be. */
  placeOf(path: string): Place | undefined;
}

/** Why a file could not be read. */
export interface UnreadableFile {
  readonly message: string;
  readonly place?: Place;
}

/** A name that no value of a rule file is ever read by. */
const UNSAFE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads a file of a rule set: YAML 1.2 where its name ends in `.yaml` or `.yml`, else JSON.
 *
 * YAML stands for what JSON can say: no aliases, tags or keys that are not text, so that a file can't grow in memory and is
 * the same to every reader.
 *
 * @param name decides how it is read
 */
export function parseRuleFile(name: string, text: string): RuleFile | readonly UnreadableFile[] {
  const plain = withoutByteOrderMark(text);
  const isJson = !/\.ya?ml$/.test(name);
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  // Read anew for the places of a JSON file alone, which are seldom asked for.
  let parsed: Document.Parsed | undefined;
  const document = () => {
    parsed ??= parseDocument(plain, { lineCounter: lines, prettyErrors: false, merge: false });
    return parsed;
  };
  let value: unknown;
  if (isJson) {
    try {
      value = JSON.parse(plain);
    } catch (error) {
      return [{ message: `is not JSON: ${jsonFault(plain, error)}` }];
    }
  } else {
    const { errors, warnings } = document();
    const problems = [...errors, ...warnings, ...notJson(document())];
    if (problems.length > 0) {
      return problems.map(({ message, pos }) => ({
        message: `is not YAML that a rule set may hold: ${message}`,
        place: place(pos[0]),
      }));
    }
    value = document().toJS({ maxAliasCount: 0 });
  }
  if (!isObject(value))
    return [{ message: `is not ${isJson ? 'a JSON object' : 'a YAML mapping'}` }];
  return {
    value,
    placeOf: (path) => {
      const offset = offsetOf(document().contents, steps(path));
      return offset === undefined ? undefined : place(offset);
    },
  };
}

/** In one line; of what is no rule file at all, such as a delivery, nothing is quoted. */
function jsonFault(text: string, error: unknown): string {
  if (text.trim() === '') return 'it is empty';
  if (!/^\s*[{[]/.test(text)) return 'it does not begin with {';
  return String(error instanceof Error ? error.message : error).replace(/\s+/g, ' ');
}

/** The text of a file, which editors for Windows begin with a byte order mark, without it. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

interface Problem {
  readonly message: string;
  readonly pos: readonly [number, number];
}

function notJson(document: Document.Parsed): Problem[] {
  const problems: Problem[] = [];
  const visit = (node: unknown): void => {
    if (isAlias(node)) problems.push(problem(node, 'aliases are not allowed'));
    if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value)) {
      problems.push(problem(node, 'a number must be finite'));
    }
    if (isSeq(node)) node.items.forEach(visit);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      const name = nameOf(key);
      if (name === undefined) problems.push(problem(key, 'a key must be a text'));
      else if (UNSAFE_NAMES.has(name))
        problems.push(problem(key, `the key ${name} is not allowed`));
      visit(value);
    }
  };
  visit(document.contents);
  return problems;
}

function problem(node: unknown, message: string): Problem {
  const [start = 0, end = 0] = (node as Node | null)?.range ?? [];
  return { message, pos: [start, end] };
}

function nameOf(key: unknown): string | undefined {
  const { value } = (key ?? {}) as { readonly value?: unknown };
  return typeof value === 'string' ? value : undefined;
}

/** `a.b[2]` as its steps. */
function steps(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([text, index]) =>
    index === undefined ? text : Number(index),
  );
}

/** Goes as far as the path leads: what is missing is missing from there. */
function offsetOf(start: unknown, path: readonly (string | number)[]): number | undefined {
  let node = start;
  let offset = (start as Node | null)?.range?.[0];
  for (const step of path) {
    let next: unknown;
    if (isSeq(node) && typeof step === 'number') next = node.items[step];
    else if (isMap(node)) {
      const pair = node.items.find(({ key }) => nameOf(key) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
      continue;
    }
    if (next === undefined) break;
    offset = (next as Node).range?.[0] ?? offset;
    node = next;
  }
  return offset;
}
