/** What an expression of Terraform refers to: `aws_sns_topic.events.arn` is `arn` of `aws_sns_topic.events`. */
export interface Reference {
  /** `<type>.<name>`, `data.<type>.<name>`, `var.<name>` or `local.<name>`. */
  readonly address: string;
  /** What follows the address, without the first dot, such as `metadata[0].name`; may be empty. */
  readonly attribute: string;
}

const REFERENCE =
  /\b(?:(data\.[a-z][a-z0-9_]*\.[\w-]+)|((?:var|local)\.[\w-]+)|([a-z][a-z0-9]*(?:_[a-z0-9]+)+\.[\w-]+))((?:\.[A-Za-z_][\w-]*|\[[^\]]*\])*)/g;

/** Whether a text holds an expression, or `${` or `%{` in their escaped form. */
export function isTemplate(text: string): boolean {
  return text.includes('${') || text.includes('%{');
}

/** A literal text in a template (the reverse of what {@link templateParts} does with one). */
export function asTemplate(literal: string): string {
  return literal.replaceAll(/[$%](?=\{)/g, '$&$&');
}

/** The text inside each `${ }` of a template; `$${` is not a template. Braces and quotes nest. */
export function expressionsIn(text: string): readonly string[] {
  return templateParts(text).flatMap((part) => (part.expression ? [part.text] : []));
}

/** A piece of a template: literal text, or the inside of a `${ }`. */
export interface TemplatePart {
  readonly expression: boolean;
  readonly text: string;
}

/** Takes a template apart (Terraform, "Strings and Templates"). */
export function templateParts(text: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = '';
  let at = 0;
  for (let next = text.indexOf('${'); next >= 0; next = text.indexOf('${', at)) {
    const escaped = text[next - 1] === '$' && next > at;
    literal += text.slice(at, escaped ? next - 1 : next);
    if (escaped) {
      literal += '${';
      at = next + 2;
    } else {
      if (literal !== '') parts.push({ expression: false, text: literal });
      literal = '';
      const end = endOfExpression(text, next + 2);
      parts.push({ expression: true, text: text.slice(next + 2, end) });
      at = end + 1;
    }
  }
  literal += text.slice(at);
  if (literal !== '') parts.push({ expression: false, text: literal });
  return parts.map((part) =>
    part.expression ? part : { ...part, text: part.text.replaceAll('%%{', '%{') },
  );
}

function endOfExpression(text: string, start: number): number {
  let depth = 1;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
      else if (text.startsWith('${', at)) {
        at = endOfExpression(text, at + 2);
      }
    } else if (character === '"') quoted = true;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return text.length;
}

/** Everything that the expressions inside a value, however deep, refer to. */
export function referencesIn(value: unknown): readonly Reference[] {
  if (typeof value === 'string') {
    return value.includes('${') ? expressionsIn(value).flatMap(referencesOf) : [];
  }
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value === 'object' && value !== null)
    return Object.values(value).flatMap(referencesIn);
  return [];
}

function referencesOf(expression: string): readonly Reference[] {
  return [...expression.matchAll(REFERENCE)].map(([, data, named, resource, rest = '']) => ({
    address: data ?? named ?? resource ?? '',
    attribute: rest.startsWith('.') ? rest.slice(1) : rest,
  }));
}

/** The one thing that a value is, as in `"${aws_sns_topic.events.arn}"`; undefined for any other value. */
export function referenceOf(value: unknown): Reference | undefined {
  if (typeof value !== 'string' || !value.startsWith('${')) return undefined;
  const [part, ...others] = templateParts(value);
  if (!part?.expression || others.length > 0) return undefined;
  const [reference] = referencesOf(part.text);
  const text = reference && [reference.address, reference.attribute].filter(Boolean).join('.');
  return text !== undefined && text.replaceAll('.[', '[') === part.text.trim()
    ? reference
    : undefined;
}
