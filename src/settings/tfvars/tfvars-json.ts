import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import {
  exactNumber,
  INEXACT_NUMBER,
  lineIndex,
  MAX_NESTING,
  NESTED_TOO_DEEP,
  setTwice,
  type TfvarsAssignment,
  type TfvarsFault,
  type TfvarsText,
  type TfvarsValue,
} from './tfvars-value.ts';

/** jsonc-parser's names of faults, as sentences. */
const MESSAGES: ReadonlyMap<string, string> = new Map([
  [
    'InvalidSymbol',
    'expected a JSON value: a string in double quotes, number, true, false, null, [] or {}',
  ],
  ['InvalidNumberFormat', 'the number is not a JSON number'],
  ['PropertyNameExpected', 'expected a name in double quotes; JSON has no trailing commas'],
  ['ValueExpected', 'expected a JSON value; JSON has no trailing commas'],
  ['ColonExpected', 'expected ":" after the name'],
  ['CommaExpected', 'expected "," before this'],
  ['CloseBraceExpected', 'a "{" is not closed'],
  ['CloseBracketExpected', 'a "[" is not closed'],
  ['EndOfFileExpected', 'nothing may follow the "}" that ends the object'],
  [
    'InvalidCommentToken',
    'JSON has no comments; a variable named "//" is ignored and can hold one',
  ],
  ['UnexpectedEndOfString', 'the string is not closed on its line'],
  ['UnexpectedEndOfNumber', 'the number is not a JSON number'],
  ['InvalidUnicode', 'an unknown escape in a string: \\u takes four hexadecimal digits'],
  ['InvalidEscapeCharacter', 'an unknown escape in a string'],
  ['InvalidCharacter', 'a control character in a string: write it as an escape, such as \\t'],
]);

/** A member of the file's object; `value` is missing where it could not be read. */
interface Property {
  readonly node: Node;
  readonly name: string;
  readonly line: number;
  readonly value: Node | undefined;
}

/** A fault before its place is known as a line. */
class JsonProblem extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Reads a `.tfvars.json` file: strict JSON, one object whose members are the variables. Strings
 * are literal: `${` is text, as in Terraform. A member `"//"` is a comment, as in Terraform.
 *
 * Source: "JSON Configuration Syntax" (Terraform).
 *
 * @returns never throws; `faults` is empty for a valid file
 */
export function readTfvarsJson(text: string): TfvarsText {
  const lineOf = lineIndex(text);
  if (text.startsWith('\ufeff')) return refused(1, 'save the file without a byte order mark');
  const deep = offsetNestedTooDeep(text);
  if (deep !== undefined) return refused(lineOf(deep), NESTED_TOO_DEEP);

  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  if (root?.type !== 'object') {
    return refused(lineOf(root?.offset ?? 0), 'expected a JSON object: {"name": value}');
  }

  const properties = trustedProperties(root, errors, lineOf);
  const faults = syntaxFaults(root, properties, errors, lineOf);
  const faulty = new Set(faults.map(({ variable }) => variable));
  const firstLines = new Map<string, number>();
  const assignments: TfvarsAssignment[] = [];
  for (const { name, line, value } of properties) {
    if (name === '//') continue;
    const firstLine = firstLines.get(name);
    firstLines.set(name, firstLine ?? line);
    if (firstLine !== undefined) {
      faults.push({ line, variable: name, message: setTwice(firstLine) });
      continue;
    }
    if (faulty.has(name) || value === undefined) continue;
    try {
      assignments.push({ name, line, value: literal(text, value) });
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error;
      faults.push({ line: lineOf(error.offset), variable: name, message: error.message });
    }
  }
  return { assignments, faults: faults.sort((a, b) => a.line - b.line) };
}

const refused = (line: number, message: string): TfvarsText => ({
  assignments: [],
  faults: [{ line, message }],
});

/**
 * The members that have a colon and the comma they need. Where a quote was forgotten the parser
 * takes a part of the value for a name, and no part of a secret may be reported as one.
 */
function trustedProperties(
  root: Node,
  errors: readonly ParseError[],
  lineOf: (offset: number) => number,
): Property[] {
  const errorOffsets = new Set(errors.map(({ offset }) => offset));
  return (root.children ?? [])
    .filter((node) => node.colonOffset !== undefined && !errorOffsets.has(node.offset))
    .map((node) => {
      const [name, value] = node.children ?? [];
      return { node, name: String(name?.value), line: lineOf(node.offset), value };
    });
}

/** The parser goes on after an error and then stumbles over its own guess: a variable's first counts. */
function syntaxFaults(
  root: Node,
  properties: readonly Property[],
  errors: readonly ParseError[],
  lineOf: (offset: number) => number,
): TfvarsFault[] {
  const faults: TfvarsFault[] = [];
  const reported = new Set<Property | undefined>();
  let next = 0;
  for (const { error, offset } of errors.toSorted((a, b) => a.offset - b.offset)) {
    while ((properties[next]?.node.offset ?? Number.POSITIVE_INFINITY) <= offset) next++;
    const isInside = offset < root.offset + root.length;
    const property = isInside ? properties[next - 1] : undefined;
    if (reported.has(property)) continue;
    reported.add(property);
    const message = MESSAGES.get(printParseErrorCode(error)) ?? 'not valid JSON';
    const line = lineOf(offset);
    faults.push(
      property === undefined ? { line, message } : { line, variable: property.name, message },
    );
  }
  return faults;
}

function literal(text: string, node: Node): TfvarsValue {
  const children = node.children ?? [];
  switch (node.type) {
    case 'array':
      return children.map((child) => literal(text, child));
    case 'object':
      return mapLiteral(text, children);
    case 'string':
      return stringLiteral(node);
    case 'number': {
      const number = exactNumber(text.slice(node.offset, node.offset + node.length));
      if (number === undefined) throw new JsonProblem(INEXACT_NUMBER, node.offset);
      return number;
    }
    case 'boolean':
      return node.value === true;
    default:
      return null;
  }
}

function mapLiteral(text: string, properties: readonly Node[]): TfvarsValue {
  const entries = new Map<string, TfvarsValue>();
  for (const { children, offset } of properties) {
    const [key, value] = children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = stringLiteral(key);
    if (entries.has(name)) throw new JsonProblem("a map's key is given twice", offset);
    entries.set(name, literal(text, value));
  }
  return Object.fromEntries(entries);
}

/** As Terraform keeps it (cty): NFC, and U+FFFD for half a surrogate pair. */
function stringLiteral(node: Node): string {
  return String(node.value).toWellFormed().normalize('NFC');
}

/** The parser recurses, so nesting is bounded before it runs. */
function offsetNestedTooDeep(text: string): number | undefined {
  let depth = -1; // The object of the variables itself is not a value.
  for (const { 0: token, index } of text.matchAll(/"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|[[\]{}]/g)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_NESTING) return index;
  }
  return undefined;
}
