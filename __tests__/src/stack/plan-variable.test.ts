import { TerraformStack, Testing } from 'cdktf';
import { describe, expect, it } from 'vitest';
import { text } from '../../../src/settings/variable.ts';
import { planVariable, secretVariable } from '../../../src/stack/plan-variable.ts';

function variableOf(make: (stack: TerraformStack) => unknown) {
  const stack = new TerraformStack(Testing.app(), 'test');
  make(stack);
  return JSON.parse(Testing.synth(stack)).variable.name;
}

describe('planVariable', () => {
  const name = text({
    description: 'A name.',
    default: '',
    example: 'a/b',
    allowed: 'a path',
    pattern: /^\w+\/"\w$/,
  });

  it('has the value of the tfvars file as its default', () => {
    expect(variableOf((stack) => planVariable(stack, 'name', name, 'a/"b'))).toMatchObject({
      type: 'string',
      description: 'A name.',
      default: 'a/"b',
      nullable: false,
    });
  });

  it("has Terraform check the variable's pattern, and let the empty default through", () => {
    expect(variableOf((stack) => planVariable(stack, 'name', name, '')).validation).toStrictEqual([
      {
        condition: '${var.name == "" || can(regex("^\\\\w+/\\"\\\\w$", var.name))}',
        error_message: 'name must be a path.',
      },
    ]);
  });
});

describe('secretVariable', () => {
  it('is ephemeral, sensitive and null unless given', () => {
    const secret = text({ description: 'A secret.', default: '', example: '', sensitive: true });
    const { default: value, ...rest } = variableOf((stack) =>
      secretVariable(stack, 'name', secret),
    );
    expect(rest).toMatchObject({ ephemeral: true, sensitive: true });
    expect(value).toBeNull();
  });
});
