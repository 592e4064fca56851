import { expect, it } from 'vitest';
import { withoutIgnored } from '../../../../src/synthesized/views/ignored-arguments.ts';

it.each([
  [
    'a block that is no list',
    ['spec[0].replicas'],
    { spec: { replicas: 1, a: 2 } },
    { spec: { a: 2 } },
  ],
  [
    'a block that is a list',
    ['spec[0].replicas'],
    { spec: [{ replicas: 1, a: 2 }] },
    { spec: [{ a: 2 }] },
  ],
  ['another block', ['c[1].a'], { c: [{ a: 1 }, { a: 2 }] }, { c: [{ a: 1 }, {}] }],
  [
    'a key with dots',
    ['metadata[0].labels["a"]'],
    { metadata: { labels: { a: 1, b: 2 } } },
    { metadata: { labels: { b: 2 } } },
  ],
  ['what is not there', ['spec[0].x.y'], { spec: { a: 1 } }, { spec: { a: 1 } }],
  ['nothing for "all"', 'all', { spec: { a: 1 } }, { spec: { a: 1 } }],
])('%s is left out', (_, ignore_changes, given, expected) => {
  const lifecycle = { ignore_changes };
  expect(withoutIgnored({ ...given, lifecycle })).toEqual({ ...expected, lifecycle });
});
