import { EXIT, OperationError } from '../operation-error.ts';
import type { StackJson } from './stacks.ts';

/**
 * Reads one `--var name=value` and adds it to those before.
 *
 * @throws OperationError when it has no name or no `=`
 */
export function addVariable(
  assignment: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_][\w-]*)=(.*)$/s.exec(assignment) ?? [];
  if (name === undefined || value === undefined) {
    // Not the value: it may be a secret that somebody mistyped.
    throw new OperationError('--var must be name=value', {
      next: "give it as in --var image='registry.example.gov/file-processing@sha256:…'",
      code: EXIT.usage,
    });
  }
  return { ...before, [name]: value };
}

/**
 * Holds `--var` against the variables of a stack.
 *
 * @throws OperationError for an unknown name, and for a secret, which would show in the process list
 */
export function checkVariables(
  variables: Readonly<Record<string, string>>,
  { variable: known = {} }: StackJson,
): void {
  const isSecret = (name: string) =>
    known[name]?.sensitive === true || /password|secret|token/.test(name);
  const faults = Object.keys(variables).flatMap((name) => {
    if (isSecret(name)) {
      return [`--var ${name} would show a secret to every process; give it as TF_VAR_${name}`];
    }
    return name in known ? [] : [`--var ${name} is not a variable that only fills a value`];
  });
  if (faults.length === 0) return;
  const allowed = Object.keys(known).filter((name) => !isSecret(name));
  throw new OperationError(faults.join('\n'), {
    next: `${allowed.join(', ')} can be set by --var; everything else is set in the tfvars file`,
    code: EXIT.usage,
  });
}

/**
 * Variables that the stack's Secrets are made of and that nobody has given: every plan of it would fail at its end, or make a
 * Secret that pods don't start with.
 */
export function missingSecrets(
  { resource = {} }: StackJson,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const written = Object.values(resource.kubernetes_secret_v1 ?? {}).map((secret) =>
    JSON.stringify((secret as { readonly data_wo?: unknown }).data_wo ?? null),
  );
  const names = written.flatMap((text) =>
    [...text.matchAll(/\bvar\.(\w+)/g)].map(([, name]) => name),
  );
  return [...new Set(names)].flatMap((name) => (name && !env[`TF_VAR_${name}`] ? name : []));
}
