/** Tags of every resource of a stack; a tag of the settings goes before ours of the same name. */
export function defaultTags(
  environment: string,
  component: string,
  tags: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { Component: component, Environment: environment, ManagedBy: 'terraform', ...tags };
}
