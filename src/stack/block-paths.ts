import type { TerraformElement } from 'cdktf';

/**
 * Paths of everything in an element that its provider's schema calls a block, such as
 * `resource/aws_flow_log/vpc/timeouts`: cdktf knows them only in its form for HCL.
 */
export function blockPathsOf(element: TerraformElement): string[] {
  return pathsBelow(element.toHclTerraform(), '');
}

function pathsBelow(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsBelow(item, path));
  if (typeof value !== 'object' || value === null) return [];
  if ('value' in value && ('isBlock' in value || 'is_block' in value)) {
    // In a provider cdktf has changed the case of its own marks too.
    const { isBlock, is_block: alsoIsBlock } = value as Readonly<Record<string, unknown>>;
    return [...(isBlock || alsoIsBlock ? [path] : []), ...pathsBelow(value.value, path)];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    pathsBelow(inner, path === '' ? name : `${path}/${name}`),
  );
}
