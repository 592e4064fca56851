import { expect, it } from 'vitest';
import { templateLiteral } from '../../../src/stack/template-literal.ts';

it.each([
  ['an expression', '${file("/etc/hostname")}', '$${file("/etc/hostname")}'],
  ['a directive', '%{if true}x%{endif}', '%%{if true}x%%{endif}'],
  ['what is doubled already', '$${x}', '$$${x}'],
  ['a sign alone', '50 % of $5 {x}', '50 % of $5 {x}'],
])('doubles the sign of %s', (_, text, literal) => {
  expect(templateLiteral(text)).toBe(literal);
});

it('goes through the texts of a rule set', () => {
  expect(templateLiteral(new Map([['mappings/a.yaml', '${v}']]))).toEqual(
    new Map([['mappings/a.yaml', '$${v}']]),
  );
});

it('goes through lists and maps, keys among them, and leaves all other values', () => {
  expect(
    templateLiteral({ '${k}': ['${v}', 1], nested: { flag: true, none: null } }),
  ).toStrictEqual({ '$${k}': ['$${v}', 1], nested: { flag: true, none: null } });
});
