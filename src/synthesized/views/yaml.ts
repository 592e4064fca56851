/** What JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Plain in every version of YAML, unless it is one of {@link WORDS}. */
const PLAIN = /^[A-Za-z/](?:[\w./@=,+-]|:(?=[\w./]))*$/;

/** YAML 1.1 takes them for a boolean or null, which kubectl still follows. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

/** Characters that JSON leaves as they are and YAML 1.2 does not print ("Character Set"). */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * A value as YAML in block style, two spaces a level. It is a part of YAML that JSON needs: loading a
 * whole library would take longer than the rest of the synthesis's views.
 */
export function yamlOf(value: JsonValue): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: JsonValue): readonly string[] {
  if (isList(value)) {
    if (value.length === 0) return ['[]'];
    return value.flatMap((item) => {
      const [first = '', ...others] = lines(item);
      return [`- ${first}`, ...others.map((line) => `  ${line}`)];
    });
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).flatMap(([key, field]) =>
      field === undefined ? [] : [{ key: scalar(key), field, below: lines(field) }],
    );
    if (fields.length === 0) return ['{}'];
    return fields.flatMap(({ key, field, below }) =>
      nests(field) ? [`${key}:`, ...below.map((line) => `  ${line}`)] : [`${key}: ${below[0]}`],
    );
  }
  return [scalar(value)];
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (PLAIN.test(value) && !WORDS.test(value)) return value;
  return JSON.stringify(value).replaceAll(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function nests(value: JsonValue): boolean {
  if (isList(value)) return value.length > 0;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).some((field) => field !== undefined)
  );
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
