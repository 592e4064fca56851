import type { LinearPattern } from './pattern.ts';
import { countCharacters, decodeText, type TextSet } from './text.ts';
import { UNORDERED } from './types/cell-type.ts';

export type BoundName = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum';

/** A limit that a value's order must keep. */
export interface Bound {
  readonly name: BoundName;
  /** Whether it is a least and not a greatest value. */
  readonly lower: boolean;
  /** Whether the limit itself is allowed. */
  readonly inclusive: boolean;
  readonly limit: number;
  /** The limit of an integer field, for values beyond 2^53, where doubles no longer tell neighbours apart. */
  readonly exact: bigint | undefined;
  /** As the schema's author wrote it. */
  readonly text: string;
}

/** What a field demands of a value that is not null and is of its type. */
export interface ValueConstraints {
  readonly bounds: readonly Bound[];
  /** Characters (code points). */
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly pattern: { readonly matcher: LinearPattern; readonly text: string } | undefined;
  /** Allowed texts. */
  readonly texts: TextSet | undefined;
  /** Allowed order values. */
  readonly values: ReadonlySet<number> | undefined;
}

/** Every constraint that the cell breaks, in words; undefined, without any allocation, when it breaks none. */
export function brokenConstraints(
  constraints: ValueConstraints,
  bytes: Uint8Array,
  start: number,
  end: number,
  value: number,
): string[] | undefined {
  let broken: string[] | undefined;
  for (const bound of constraints.bounds) {
    if (keepsBound(bound, value, bytes, start, end) || value === UNORDERED) continue;
    broken = broken ?? [];
    broken.push(`${bound.name} is ${bound.text}`);
  }
  const { minLength, maxLength, pattern, texts, values } = constraints;
  if (minLength !== undefined || maxLength !== undefined) {
    const length = countCharacters(bytes, start, end);
    if (minLength !== undefined && length < minLength) {
      broken = broken ?? [];
      broken.push(`minLength is ${minLength}, the value has ${length} characters`);
    }
    if (maxLength !== undefined && length > maxLength) {
      broken = broken ?? [];
      broken.push(`maxLength is ${maxLength}, the value has ${length} characters`);
    }
  }
  if (pattern !== undefined && !pattern.matcher.matches(bytes, start, end)) {
    broken = broken ?? [];
    broken.push(`pattern is ${pattern.text}`);
  }
  const listed =
    (texts === undefined || texts.has(bytes, start, end)) &&
    (values === undefined || values.has(value));
  if (!listed) {
    broken = broken ?? [];
    broken.push('enum does not list it');
  }
  return broken;
}

function keepsBound(
  bound: Bound,
  value: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (bound.exact !== undefined && !Number.isSafeInteger(value)) {
    const text = decodeText(bytes, start, end);
    // BigInt takes time that grows faster than the digits; so long a value is far beyond any limit.
    if (text.length <= 400 && /^[+-]?\d+$/.test(text)) {
      return compares(bound, BigInt(text.replace('+', '')), bound.exact);
    }
  }
  return compares(bound, value, bound.limit);
}

function compares<T extends number | bigint>(bound: Bound, value: T, limit: T): boolean {
  if (bound.lower) return bound.inclusive ? value >= limit : value > limit;
  return bound.inclusive ? value <= limit : value < limit;
}
