/**
 * Whether a key fits a pattern. `**` as a whole segment stands for any number of segments, none
 * included; `*` for any characters within a segment, `?` for one; everything else for itself.
 *
 * The time is at most the product of both lengths: a pattern comes from an operator, a key from
 * anybody who may deliver.
 */
export function matchesKey(pattern: string, key: string): boolean {
  return matchSequence(
    pattern.split('/'),
    key.split('/'),
    (item) => item === '**',
    (item, segment) =>
      matchSequence(
        [...item],
        [...segment],
        (character) => character === '*',
        (character, actual) => character === '?' || character === actual,
      ),
  );
}

/** {@link matchesKey} as a regular expression of PostgreSQL, which an index answers from where it begins with literals. */
export function keyExpression(pattern: string): string {
  const all = pattern.split('/');
  const segments = all.filter((segment, index) => segment !== '**' || all[index - 1] !== '**');
  const last = segments.length - 1;
  const endsAnywhere = segments[last] === '**';
  const parts = segments.slice(0, endsAnywhere ? last : undefined).map((segment, index) => {
    if (segment === '**') return '([^/]*/)*';
    return segmentExpression(segment) + (index < last ? '/' : '');
  });
  const text = parts.join('');
  if (!endsAnywhere) return `^${text}$`;
  // What the last one stands for may be nothing: then there is no slash before it either.
  return text === '' ? '^.*$' : `^${text.slice(0, -1)}(/.*)?$`;
}

function segmentExpression(segment: string): string {
  return segment
    .replace(/[^\p{L}\p{N}*?]/gu, (character) =>
      character > '\u007f' ? character : `\\${character}`,
    )
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}

/** Whether no key fits both patterns, as what they begin with tells. False says nothing. */
export function areApart(a: string, b: string): boolean {
  const [left = '', right = ''] = [a, b].map((pattern) => pattern.split(/[*?]/, 1)[0]);
  return !left.startsWith(right) && !right.startsWith(left);
}

/** Whether a text can be a pattern: no longer than a key of S3, `**` only as a whole segment. */
export function isKeyPattern(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  const segments = text.split('/');
  return (
    bytes >= 1 &&
    bytes <= 1024 &&
    segments.every((segment) => segment === '**' || !segment.includes('**'))
  );
}

/**
 * The more specific pattern first: one without wildcards, then more literal characters, then fewer
 * `**`, then fewer wildcards; the text decides between equals, so that the order is always the same.
 */
export function compareSpecificity(a: string, b: string): number {
  const [left, right] = [specificity(a), specificity(b)];
  return (
    Number(right.wildcards === 0) - Number(left.wildcards === 0) ||
    right.literals - left.literals ||
    left.anyDepth - right.anyDepth ||
    left.wildcards - right.wildcards ||
    (a < b ? -1 : a > b ? 1 : 0)
  );
}

function specificity(pattern: string): { literals: number; anyDepth: number; wildcards: number } {
  const segments = pattern.split('/');
  const wildcards = pattern.match(/[*?]+/g)?.length ?? 0;
  return {
    literals: pattern.replace(/[*?]/g, '').length,
    anyDepth: segments.filter((segment) => segment === '**').length,
    wildcards,
  };
}

/**
 * Matches a sequence against a pattern in which some items stand for any run of items. On a
 * mismatch only the last such item takes one more: an earlier one could gain nothing by it.
 */
function matchSequence(
  pattern: readonly string[],
  items: readonly string[],
  isRun: (item: string) => boolean,
  matchesOne: (patternItem: string, item: string) => boolean,
): boolean {
  let position = 0;
  let index = 0;
  let lastRun: { position: number; index: number } | undefined;
  while (index < items.length) {
    const expected = pattern[position];
    const item = items[index];
    if (expected !== undefined && isRun(expected)) {
      lastRun = { position, index };
      position += 1;
    } else if (expected !== undefined && item !== undefined && matchesOne(expected, item)) {
      position += 1;
      index += 1;
    } else if (lastRun) {
      lastRun.index += 1;
      position = lastRun.position + 1;
      index = lastRun.index;
    } else {
      return false;
    }
  }
  return pattern.slice(position).every(isRun);
}
