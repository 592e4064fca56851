import type { TerraformElement } from 'cdktf';
import { escapedText } from '../settings/tfvars/hcl-strings.ts';

/** A value of Terraform's JSON configuration syntax. */
type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Whether the value under a path of names, such as `resource/aws_vpc/main/timeouts`, is a block. */
export type IsBlock = (path: string) => boolean;

/** Arguments whose value is not a text: references and types stand without quotes in HCL. */
const BARE_ARGUMENTS =
  /^(variable\/[^/]+\/type|moved\/(from|to)|removed\/from|.*\/(depends_on|lifecycle\/(ignore_changes|replace_triggered_by)))$/;

/** Blocks of Terraform itself, which no provider's schema has. */
const META_BLOCK =
  /^(variable\/[^/]+\/validation|check\/[^/]+\/assert|.*\/lifecycle|.*\/lifecycle\/(pre|post)condition)$/;

/** Labels that follow the keyword of a top-level block. */
const LABELS: Readonly<Record<string, 0 | 1 | 2>> = {
  terraform: 0,
  locals: 0,
  moved: 0,
  removed: 0,
  provider: 1,
  variable: 1,
  output: 1,
  check: 1,
  data: 2,
  resource: 2,
};

/**
 * The same configuration in HCL's native syntax (Terraform, "JSON Configuration Syntax", read
 * backwards). JSON does not tell a block from an argument that is an object: `isBlock` does.
 *
 * @throws Error for a top-level block that our stacks do not have
 */
export function hclText(configuration: object, isBlock: IsBlock): string {
  const blocks = Object.entries(configuration as JsonObject)
    .filter(([keyword]) => keyword !== '//')
    .flatMap(([keyword, content]) => topLevel(keyword, content, isBlock));
  return `${blocks.join('\n\n')}\n`;
}

function topLevel(keyword: string, content: JsonValue, isBlock: IsBlock): string[] {
  const labels = LABELS[keyword];
  if (labels === undefined) throw new Error(`${keyword} can't be written as HCL yet`);
  return labelled(content, labels).flatMap(({ names, body }) => {
    const header = [keyword, ...names.map((name) => JSON.stringify(name))].join(' ');
    const path = [keyword, ...names].join('/');
    return bodies(body).map((one) => block(header, one, path, isBlock, 0));
  });
}

interface Labelled {
  readonly names: readonly string[];
  readonly body: JsonValue;
}

function labelled(content: JsonValue, labels: number, names: readonly string[] = []): Labelled[] {
  if (labels === 0) return [{ names, body: content }];
  return Object.entries(content as JsonObject).flatMap(([name, inner]) =>
    labelled(inner, labels - 1, [...names, name]),
  );
}

/** A block that may be repeated is a list in JSON. */
function bodies(value: JsonValue): readonly JsonObject[] {
  return (Array.isArray(value) ? value : [value]) as readonly JsonObject[];
}

function block(
  header: string,
  body: JsonObject,
  path: string,
  isBlock: IsBlock,
  depth: number,
): string {
  const lines = Object.entries(body).flatMap(([name, value]) =>
    member(name, value, `${path}/${name}`, isBlock, depth + 1),
  );
  const indent = '  '.repeat(depth);
  if (lines.length === 0) return `${indent}${header} {}`;
  return `${indent}${header} {\n${lines.join('\n')}\n${indent}}`;
}

function member(
  name: string,
  value: JsonValue,
  path: string,
  isBlock: IsBlock,
  depth: number,
): string[] {
  if (path === 'terraform/backend') {
    return labelled(value, 1).flatMap(({ names: [type], body }) =>
      bodies(body).map((one) => block(`backend "${type}"`, one, path, isBlock, depth)),
    );
  }
  if (path === 'terraform/required_providers' || META_BLOCK.test(path) || isBlock(path)) {
    // A block that is an expression has no form in HCL but a dynamic block, which we never make.
    return bodies(value).map((body) => block(name, body, path, isBlock, depth));
  }
  const text = BARE_ARGUMENTS.test(path) ? bare(value) : expression(value, depth);
  return [`${'  '.repeat(depth)}${name} = ${text}`];
}

function bare(value: JsonValue): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}

function expression(value: JsonValue, depth: number): string {
  if (typeof value === 'string') return templateText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = '  '.repeat(depth + 1);
  const lines = Array.isArray(value)
    ? value.map((item) => `${inner}${expression(item, depth + 1)},`)
    : Object.entries(value).map(
        ([key, item]) => `${inner}${templateText(key)} = ${expression(item, depth + 1)}`,
      );
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (lines.length === 0) return `${open}${close}`;
  return `${open}\n${lines.join('\n')}\n${'  '.repeat(depth)}${close}`;
}

/**
 * A text of the JSON syntax, which is a template, as HCL writes it: what stands between the
 * expressions is escaped, the expressions are not; one expression alone needs no quotes.
 */
export function templateText(template: string): string {
  const parts = partsOf(template);
  const [only] = parts;
  if (parts.length === 1 && only?.kind === 'expression' && template.startsWith('${')) {
    return only.text.slice(2, -1);
  }
  const escaped = parts.map(({ kind, text }) => (kind === 'expression' ? text : escapedText(text)));
  return `"${escaped.join('')}"`;
}

interface TemplatePart {
  readonly kind: 'literal' | 'expression';
  readonly text: string;
}

/** Splits a template into its literals and its expressions, each of them with its braces. */
function partsOf(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = '';
  for (let at = 0; at < template.length; ) {
    const opening = template.slice(at, at + 3);
    if (opening === '$${' || opening === '%%{') {
      literal += opening;
      at += opening.length;
    } else if (opening.startsWith('${') || opening.startsWith('%{')) {
      const end = endOfExpression(template, at + 2);
      if (literal !== '') parts.push({ kind: 'literal', text: literal });
      parts.push({ kind: 'expression', text: template.slice(at, end) });
      literal = '';
      at = end;
    } else {
      literal += template[at];
      at += 1;
    }
  }
  if (literal !== '') parts.push({ kind: 'literal', text: literal });
  return parts;
}

/** Where an expression ends whose first character is at `start`: after its closing brace. */
function endOfExpression(text: string, start: number): number {
  let open = 1;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfString(text, at + 1);
    else if (text[at] === '{') open += 1;
    else if (text[at] === '}') open -= 1;
    if (open === 0) return at + 1;
  }
  throw new Error(`The expression in ${JSON.stringify(text)} has no end`);
}

/** Where a text in an expression has its closing quote; it may hold expressions of its own. */
function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '"') return at;
    if (text[at] === '\\') at += 1;
    else if (text.startsWith('${', at) && text[at - 1] !== '$') {
      at = endOfExpression(text, at + 2) - 1;
    }
  }
  throw new Error(`The text in ${JSON.stringify(text)} has no end`);
}

/**
 * Paths of everything in an element that its provider's schema calls a block, such as
 * `resource/aws_flow_log/vpc/timeouts`: cdktf knows them only in its form for HCL.
 */
export function blockPathsOf(element: TerraformElement): string[] {
  return pathsBelow(element.toHclTerraform(), '');
}

function pathsBelow(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsBelow(item, path));
  if (typeof value !== 'object' || value === null) return [];
  if ('value' in value && ('isBlock' in value || 'is_block' in value)) {
    // In a provider cdktf has changed the case of its own marks too.
    const { isBlock, is_block: alsoIsBlock } = value as Readonly<Record<string, unknown>>;
    return [...(isBlock || alsoIsBlock ? [path] : []), ...pathsBelow(value.value, path)];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    pathsBelow(inner, path === '' ? name : `${path}/${name}`),
  );
}
