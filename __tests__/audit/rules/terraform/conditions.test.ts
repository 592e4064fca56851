import { describe, expect, it } from 'vitest';
import { holdsAlways } from '../../../../audit/rules/terraform/conditions.ts';

/** The condition of an expression, as the JSON has it. */
const condition = (expression: string) => `\${${expression}}`;

describe('a condition holds always', () => {
  it.each([
    ['its own value', 'var.image == var.image', 'string'],
    ['a word that decides it', 'true || can(regex("^x$", var.image))', 'string'],
    ['a word behind it that decides it', 'length(self.ids) >= 2 || true', ''],
    ['a pattern of everything', 'can(regex(".*", var.image))', 'string'],
    ['a pattern of nothing', 'can(regex("^", var.image))', 'string'],
    ['a pattern of every character', 'can(regex("[\\\\s\\\\S]*", var.image))', 'string'],
    ['a length of nothing or more', 'length(var.image) >= 0', 'string'],
    ['a length of more than less than nothing', 'length(trimspace(var.image)) > -1', 'string'],
    ['a value and its opposite', 'var.x == "" || var.x != ""', 'string'],
    ['both sides of a number', 'var.n < 0 || var.n >= 0', 'number'],
    ['both truth values', 'var.b || !var.b', 'bool'],
    ['what a resource always has', 'aws_eks_cluster.this.version != ""', ''],
    ['what can always be read', 'can(var.x)', 'string'],
    ['what is tried until it works', 'try(regex("a", var.x), "b") != ""', 'string'],
    ['an item in a list of itself', 'contains([var.x], var.x)', 'string'],
    ['a function that is not evaluated, beside what decides', 'foo(var.x) || true', 'string'],
    ['what a split text always has', 'length(split(",", var.x)) >= 1', 'string'],
    ['the first part of a text', 'can(split(",", var.x)[0])', 'string'],
    ['the length of a digest', 'length(sha256(var.x)) == 64', 'string'],
    ['what can always be encoded', 'can(jsonencode(var.x))', 'string'],
    ['a template, beside what decides', '"${var.y}" == "" || true', 'string'],
    ['a name with hyphens, which is no difference', 'aws_x.a-b.id == aws_x.a-b.id', ''],
    ['both answers of a question', 'var.b ? true : 1 == 1', 'bool'],
  ])('for %s', (_, expression, type) => {
    expect(holdsAlways(condition(expression), type, false)).toBe(true);
  });

  it.each([true, 'true', condition('true')])('for %s itself', (literal) => {
    expect(holdsAlways(literal)).toBe(true);
  });
});

describe('a condition may be false', () => {
  it.each([
    ['a pattern', 'can(regex("^[\\\\w.@/+-]*$", var.aws_profile))', 'string'],
    ['nothing, or a pattern', 'var.x == "" || can(regex("^[0-9a-f]{40}$", var.x))', 'string'],
    ['a count', 'length(self.ids) == 1', ''],
    ['a least count', 'length(self.ids) >= 2', ''],
    ['a number', 'self.port == 5432', ''],
    ['a version', 'aws_eks_cluster.this.version == "1.35"', ''],
    ['one word that is forbidden', 'var.x != "forbidden"', 'string'],
    ['a beginning that is forbidden', '!startswith(var.x, "aws-")', 'string'],
    ['a pattern that is forbidden', '!can(regex("^aws", var.x))', 'string'],
    ['a few words', 'contains(["a", "b"], var.x)', 'string'],
    ['a length at most', 'length(var.x) <= 256', 'string'],
    ['a large bound', 'var.n <= 1000000000000', 'number'],
    ['two values', 'var.a == var.b', 'string'],
    ['a secret that is there', 'try(length(var.password) > 0, false)', ''],
    ['what may be null', 'var.password != null', 'string'],
    ['a loop, which is not evaluated', 'alltrue([for x in var.l : x > 1])', ''],
    ['a function that is not evaluated', 'can(cidrhost(var.x, 0))', 'string'],
    ['the second part of a text', 'can(split(",", var.x)[1])', 'string'],
    ['a part of a text', 'split(":", var.x)[0] == "arn"', 'string'],
    ['no expression', '(', ''],
    ['what only JavaScript knows', 'var.x === var.x', ''],
  ])('by %s', (_, expression, type) => {
    expect(holdsAlways(condition(expression), type)).toBe(false);
  });

  it.each([false, 'false', condition('false'), undefined])('as %s is', (literal) => {
    expect(holdsAlways(literal)).toBe(false);
  });
});
