/**
 * Addresses of everything in a synthesized stack that Terraform keeps in its state after a first apply,
 * sorted: resources and data sources, but for those with a `count`, which look for what may not be there.
 */
export function resourcesOf(stackJson: string): string[] {
  const { resource = {}, data = {} } = JSON.parse(stackJson) as Record<
    'resource' | 'data',
    Record<string, Record<string, unknown>> | undefined
  >;
  const addresses = (types: Record<string, Record<string, unknown>>) =>
    Object.entries(types).flatMap(([type, byName]) =>
      Object.entries(byName)
        .filter(([, block]) => !('count' in Object(block)))
        .map(([name]) => `${type}.${name}`),
    );
  return [...addresses(resource), ...addresses(data).map((address) => `data.${address}`)].sort();
}

/** The same without the objects in Kubernetes. */
export function awsResourcesOf(stackJson: string): string[] {
  return resourcesOf(stackJson).filter((address) => !address.startsWith('kubernetes_'));
}
