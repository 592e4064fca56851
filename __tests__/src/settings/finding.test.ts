import { expect, it } from 'vitest';
import { formatFinding, nearestName, SettingsError } from '../../../src/settings/finding.ts';

it('names file, line, variable, value and what is allowed', () => {
  const finding = {
    file: 'a.tfvars',
    line: 3,
    variable: 'replicas',
    value: 0,
    message: 'must be more',
  };
  expect(formatFinding(finding)).toBe('a.tfvars:3: replicas = 0: must be more');
});

it('leaves out what is not known', () => {
  expect(formatFinding({ file: 'a.tfvars', message: 'is missing' })).toBe('a.tfvars: is missing');
});

it('cuts a long value', () => {
  const text = formatFinding({ file: 'a', variable: 'b', value: 'x'.repeat(500), message: 'm' });
  expect(text.length).toBeLessThan(150);
});

it.each([
  ['http://etl:p@ss/wo:rd@proxy.example:3128', '"http://…@proxy.example:3128"'],
  ['etl:secret@proxy.example:3128', '"…@proxy.example:3128"'],
  [['http://etl:secret@a', 'b'], '["http://…@a","b"]'],
  [{ PROXY: 'http://etl:secret@a' }, '{"PROXY":"http://…@a"}'],
])('hides user name and password of an address, in %j', (value, shown) => {
  expect(formatFinding({ file: 'a', variable: 'b', value, message: 'm' })).toBe(
    `a: b = ${shown}: m`,
  );
});

it.each([
  'registry.example/a:tag@sha256:12',
  'arn:aws:iam::123456789012:role/etl@b',
  'etl@example.gov',
])('shows %s, which is not an address with a password', (value) => {
  expect(formatFinding({ file: 'a', variable: 'b', value, message: 'm' })).toContain(value);
});

it('lists all faults in one error', () => {
  const error = new SettingsError([
    { file: 'a', message: 'one' },
    { file: 'b', message: 'two' },
  ]);
  expect(error.message).toBe('2 faults in the settings:\n  a: one\n  b: two');
});

it('lists faults by file and line, and after them what the file leaves out', () => {
  const places = [['b', 9], ['b'], ['a', 2], ['b', 3]] as const;
  const { message } = new SettingsError(
    places.map(([file, line]) => ({ file, ...(line && { line }), message: 'm' })),
  );
  expect(message.split('\n').slice(1)).toEqual(['  b:3: m', '  b:9: m', '  b: m', '  a:2: m']);
});

it('counts the faults beyond the first hundred', () => {
  const { message } = new SettingsError(Array(300_000).fill({ file: 'a', message: 'one' }));
  const lines = message.split('\n');
  expect(lines).toHaveLength(102);
  expect(lines.at(-1)).toBe('  and 299900 more');
});

it('lists the warnings after the faults, since a mistyped name may explain a missing one', () => {
  const error = new SettingsError([{ file: 'a', message: 'one' }], [{ file: 'b', message: 'two' }]);
  expect(error.message).toBe(
    '1 fault in the settings:\n  a: one\n1 warning in the settings:\n  b: two',
  );
});

const names = ['bucket_name', 'cluster_name', 'image'];

it('suggests the name that a mistyped one is near to', () => {
  expect(nearestName('buket_name', names)).toBe('bucket_name');
  expect(nearestName('clustername', names)).toBe('cluster_name');
});

it('suggests a long name of which a part is missing', () => {
  const long = 'cluster_endpoint_private_access_cidrs';
  expect(nearestName('cluster_endpoint_private_cidrs', [...names, long])).toBe(long);
});

it('suggests nothing when no name is near', () => {
  expect(nearestName('zzzzzz', names)).toBeUndefined();
  expect(nearestName('x', names)).toBeUndefined();
});
