import { isTemplate, templateParts } from '../model/expression.ts';
import type { StackModel } from '../model/model.ts';
import type { KubernetesObject, Manifest } from './kubernetes-manifests.ts';

/** A value in manifests that only Terraform knows. */
export interface Placeholder {
  /** `${NAME}` in the manifests. */
  readonly name: string;
  /** What it stands for, in Terraform's language. */
  readonly expression: string;
  /** Terraform output with the value. */
  readonly output?: string;
  /** Address of the ConfigMap whose data it is the checksum of. */
  readonly checksumOf?: string;
}

const CHECKSUM = /^sha256\(jsonencode\((kubernetes_config_map(?:_v1)?\.[\w-]+)\.data\)\)$/;

/**
 * The placeholders of some objects, by name. One that a Terraform output gives is named after it,
 * any other after its expression.
 */
export function placeholdersOf(
  stack: StackModel,
  objects: readonly KubernetesObject[],
): readonly Placeholder[] {
  const expressions = new Set<string>();
  for (const { manifest } of objects) {
    fill(manifest, (expression) => {
      expressions.add(expression);
      return '';
    });
  }
  const taken = new Set<string>();
  return [...expressions].sort().map((expression) => {
    const output = outputWith(expression, stack);
    const checksumOf = expression.match(CHECKSUM)?.[1];
    const name = unique(
      upperCase(output ?? (checksumOf ? `checksum_${checksumOf}` : expression)),
      taken,
    );
    return { name, expression, ...(output && { output }), ...(checksumOf && { checksumOf }) };
  });
}

/** A manifest with something in the place of each expression. */
export function fill(manifest: Manifest, valueFor: (expression: string) => string): Manifest {
  // Most manifests have none: to search a text is quicker than to copy all of it.
  if (!isTemplate(JSON.stringify(manifest))) return manifest;
  return filled(manifest, valueFor) as Manifest;
}

function filled(value: unknown, valueFor: (expression: string) => string): unknown {
  if (typeof value === 'string') {
    if (!isTemplate(value)) return value;
    return templateParts(value)
      .map(({ expression, text }) => (expression ? valueFor(text) : text))
      .join('');
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, valueFor));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        String(filled(key, valueFor)),
        filled(item, valueFor),
      ]),
    );
  }
  return value;
}

function outputWith(expression: string, { json }: StackModel): string | undefined {
  return Object.entries(json.output ?? {}).find(
    ([, { value, sensitive }]) => value === `\${${expression}}` && sensitive !== true,
  )?.[0];
}

function upperCase(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '')
    .toUpperCase();
}

function unique(name: string, taken: Set<string>): string {
  const free = [name, ...Array.from({ length: taken.size }, (_, at) => `${name}_${at + 2}`)].find(
    (candidate) => !taken.has(candidate),
  );
  const found = free ?? name;
  taken.add(found);
  return found;
}
