/**
 * Settings as Terraform's JSON has to hold them: every string there is a template (Terraform, "JSON Configuration
 * Syntax", "Expression Mapping"), so `${` and `%{` are doubled to stay the text that they are. Keys of maps too.
 * A stack passes all its settings through this before it uses any. The defaults of Terraform variables are the
 * one place that is not a template: what fills them has a pattern that admits neither.
 */
export function templateLiteral<T>(settings: T): T {
  return escaped(settings) as T;
}

function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/[$%](?=\{)/g, '$&$&');
  if (Array.isArray(value)) return value.map(escaped);
  if (value instanceof Map) return new Map([...value].map(escaped) as [unknown, unknown][]);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escaped(key), escaped(item)]),
  );
}
