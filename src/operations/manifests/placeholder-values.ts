import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../../synthesized/views/kubernetes-manifests.ts';
import { fill, type Placeholder } from '../../synthesized/views/placeholders.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** Where the values of placeholders come from. */
export interface ValueSources {
  /** Values of Terraform's outputs, by name. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Values by the placeholder's name; they take precedence over the outputs. */
  readonly given: Readonly<Record<string, string>>;
}

/**
 * The value of each placeholder's expression.
 *
 * @throws OperationError that names every placeholder without a value, and every given name that is
 *   no placeholder
 */
export function placeholderValues(
  placeholders: readonly Placeholder[],
  objects: readonly KubernetesObject[],
  { outputs, given }: ValueSources,
): ReadonlyMap<string, string> {
  const unknown = Object.keys(given).filter(
    (name) => !placeholders.some((placeholder) => placeholder.name === name),
  );
  if (unknown.length > 0) {
    throw new OperationError(
      `--set: ${unknown.join(', ')} is not a placeholder; the placeholders are ${placeholders.map(({ name }) => name).join(', ') || 'none'}`,
      { code: EXIT.usage },
    );
  }
  const values = new Map<string, string>();
  const isChecksum = ({ checksumOf }: Placeholder) => checksumOf !== undefined;
  // A checksum is of data that may have placeholders in it.
  for (const placeholder of placeholders.toSorted(
    (one, other) => Number(isChecksum(one)) - Number(isChecksum(other)),
  )) {
    const value =
      given[placeholder.name] ??
      (placeholder.output === undefined
        ? checksumOf(placeholder, objects, values)
        : textOf(outputs[placeholder.output]));
    if (value !== undefined) values.set(placeholder.expression, value);
  }
  refuseUnknown(placeholders.filter(({ expression }) => !values.has(expression)));
  return values;
}

/** As Terraform computes `sha256(jsonencode(DATA))`: keys sorted, and safe within HTML. */
function checksumOf(
  { checksumOf: address }: Placeholder,
  objects: readonly KubernetesObject[],
  values: ReadonlyMap<string, string>,
): string | undefined {
  const object = objects.find((candidate) => candidate.address === address);
  if (object === undefined) return undefined;
  let complete = true;
  const { data = {} } = fill(object.manifest, (expression) => {
    const value = values.get(expression);
    if (value === undefined) complete = false;
    return value ?? '';
  });
  if (!complete) return undefined;
  const sorted = Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1));
  const json = JSON.stringify(Object.fromEntries(sorted)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return createHash('sha256').update(json).digest('hex');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function refuseUnknown(unknown: readonly Placeholder[]): void {
  if (unknown.length === 0) return;
  const lines = unknown.map(({ name, expression, output, checksumOf: address }) =>
    [
      `  ${name}: ${expression}`,
      output === undefined
        ? address === undefined
          ? ', which no output gives'
          : ', which needs the others'
        : `, the output ${output}`,
    ].join(''),
  );
  throw new OperationError(`no value for\n${lines.join('\n')}`, {
    next: 'apply the stack first, or give a value by --set NAME=VALUE',
    code: EXIT.refused,
  });
}
