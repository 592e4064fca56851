import { expect, test } from 'vitest';
import { areNear, readRoutingTargets, targetOf } from '../../contract/routing.ts';
import { readS3Event, reasonToIgnore } from '../../contract/s3-event.ts';

const TARGET = { bucket: 'checked-files', prefix: 'nm/' };
const read = (value: unknown) => readRoutingTargets(JSON.stringify(value));

test('targets are read, each with the account that has to own its bucket, where it says one', () => {
  const owned = { ...TARGET, prefix: 'az/', account: '123456789012' };
  expect(read([TARGET, owned])).toStrictEqual([TARGET, owned]);
});

test.each([
  ['no JSON', 'nm/'],
  ['no list', '{}'],
  ['an empty list', '[]'],
  ['a bucket that is none', '[{"bucket":"B","prefix":"nm/"}]'],
  ['no prefix', '[{"bucket":"checked-files"}]'],
  ['a prefix without a slash', '[{"bucket":"checked-files","prefix":"nm"}]'],
  ['all of a bucket', '[{"bucket":"checked-files","prefix":"/"}]'],
  ['an account that is none', '[{"bucket":"checked-files","prefix":"nm/","account":"1"}]'],
  ['something unknown', '[{"bucket":"checked-files","prefix":"nm/","key":"k"}]'],
])('%s is refused', (_, text) => {
  expect(readRoutingTargets(text)).toBeUndefined();
});

test('a target inside another one is refused, and one beside it is not', () => {
  expect(read([TARGET, { ...TARGET, prefix: 'nm/visits/' }])).toBeUndefined();
  expect(read([TARGET, { ...TARGET, prefix: 'nm-other/' }])).toHaveLength(2);
  expect(read([TARGET, { ...TARGET, bucket: 'other-files' }])).toHaveLength(2);
});

test('places of two buckets are never near each other', () => {
  expect(areNear(TARGET, { ...TARGET, bucket: 'other' })).toBe(false);
});

test('a target allows what lies below it, and nothing above', () => {
  const allowed = { targets: [TARGET] };
  expect(targetOf(allowed, { ...TARGET, prefix: 'nm/visits/' })).toBe(TARGET);
  expect(targetOf(allowed, { ...TARGET, prefix: 'n' })).toBeUndefined();
  expect(targetOf(allowed, { ...TARGET, bucket: 'other-files' })).toBeUndefined();
});

const filter = {
  buckets: [{ prefixes: [] }],
  reportPrefix: 'reports/',
  routingTargets: [TARGET],
};

test.each([
  ['checked-files', 'nm/accepted/a.csv', 'the key is below nm/, where files are routed to'],
  ['checked-files', 'nm-other/a.csv', undefined],
  ['drop-box', 'nm/accepted/a.csv', undefined],
])('a copy is not a delivery: %s/%s', (bucket, key, reason) => {
  expect(reasonToIgnore({ bucket, key, eventName: 'ObjectCreated:Copy' }, filter)).toBe(reason);
});

test('the event that S3 sends for a copy is ignored', () => {
  const s3 = { bucket: { name: 'checked-files' }, object: { key: 'nm/accepted/a.csv' } };
  const message = JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Copy', s3 }] });
  expect(readS3Event(message, filter)).toMatchObject({ kind: 'ignored' });
});
