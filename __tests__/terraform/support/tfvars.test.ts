import { expect, test } from 'vitest';
import { withValues } from './tfvars.ts';

const TFVARS = 'name   = "one"\nname_prefix = "two"\nlist = [\n  "a",\n]\n';

test('a value is replaced where it stands, and no name that only begins like it', () => {
  expect(withValues(TFVARS, { name: 'three' })).toBe(
    TFVARS.replace('name   = "one"', 'name = "three"'),
  );
});

test('a variable that is not assigned yet is appended', () => {
  expect(withValues(TFVARS, { flag: false, zones: ['a', 'b'] })).toBe(
    `${TFVARS}flag = false\nzones = ["a","b"]\n`,
  );
});

test('an assignment over several lines is refused', () => {
  expect(() => withValues(TFVARS, { list: [] })).toThrow('list goes over several lines');
});
