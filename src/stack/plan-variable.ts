import { TerraformVariable } from 'cdktf';
import type { Construct } from 'constructs';
import type { Variable } from '../settings/variable.ts';

/**
 * Makes the Terraform `variable` of a setting that only fills a value. Its default is what the tfvars
 * file says, so `-var` and `TF_VAR_…` work without a new synth.
 */
export function planVariable<T>(
  scope: Construct,
  name: string,
  variable: Variable<T>,
  value: T,
): TerraformVariable {
  return new TerraformVariable(scope, name, {
    type: variable.type,
    description: variable.description,
    default: value,
    nullable: false,
    ...(variable.pattern && {
      validation: [
        {
          condition: conditionOf(name, variable.pattern, variable.default === ''),
          errorMessage: `${name} must be ${variable.allowed}.`,
        },
      ],
    }),
  });
}

/**
 * Makes the Terraform `variable` of a secret: ephemeral, so that it reaches neither plan nor state,
 * and null unless given, so that import and destroy need no secret.
 */
export function secretVariable(
  scope: Construct,
  name: string,
  variable: Variable<string>,
): TerraformVariable {
  const terraformVariable = new TerraformVariable(scope, name, {
    type: variable.type,
    description: variable.description,
    sensitive: true,
  });
  // cdktf has no property for the one, and no way to write null for the other.
  terraformVariable.addOverride('ephemeral', true);
  terraformVariable.addOverride('default', null);
  return terraformVariable;
}

/** Terraform's form of a pattern; its RE2 knows the same syntax as long as there are no look-arounds. */
function conditionOf(name: string, pattern: RegExp, allowEmpty: boolean): string {
  const literal = pattern.source
    .replaceAll('\\/', '/')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
  const matches = `can(regex("${literal}", var.${name}))`;
  return allowEmpty ? `\${var.${name} == "" || ${matches}}` : `\${${matches}}`;
}
