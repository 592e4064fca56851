import { referencesIn } from '../model/expression.ts';
import { blocksOf, type Model, type Resource, type StackModel, valueAt } from '../model/model.ts';
import type { KubernetesObject, Manifest } from '../views/kubernetes-object.ts';
import { isDrawn, isReversed } from './node-rules.ts';

/** Who has to do with whom: a place is `<stack>/<address>`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** The place of a resource or an object. */
export function placeOf({ stack, address }: { readonly stack: string; readonly address: string }) {
  return `${stack}/${address}`;
}

/** What the expressions of a stack's resources refer to, data sources followed into other stacks. */
export function referenceEdges(stack: StackModel, model: Model): readonly Edge[] {
  return stack.resources.flatMap((resource) =>
    Object.entries(resource.attributes)
      .filter(([argument]) => isDrawn(resource.type, argument))
      .flatMap(([argument, value]) =>
        referencesIn(value)
          .flatMap(({ address }) => targetsOf(address, stack, model))
          .map((target) => {
            const [from, to] = [placeOf(resource), placeOf(target)];
            return isReversed(resource.type, argument) ? { from: to, to: from } : { from, to };
          }),
      ),
  );
}

function targetsOf(address: string, stack: StackModel, model: Model): readonly Resource[] {
  const target = stack.at(address);
  if (target === undefined) return [];
  return target.mode === 'managed' ? [target] : foundByName(target, stack, model);
}

/** Resources of other stacks that a data source finds by the tag `Name`, as `private-*`. */
function foundByName(data: Resource, { resolve }: StackModel, model: Model): readonly Resource[] {
  const names = blocksOf(data.attributes.filter)
    .filter(({ name }) => name === 'tag:Name')
    .flatMap(({ values }) =>
      Array.isArray(values) ? values.map((value) => String(resolve(value))) : [],
    );
  const type = data.type.replace(/s$/, '');
  return model.ofType(type).filter((resource) => {
    const name = String(model.stackOf(resource).resolve(valueAt(resource.attributes, 'tags.Name')));
    return resource.stack !== data.stack && names.some((pattern) => matches(pattern, name));
  });
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** What Kubernetes objects have to do with each other: by selector, and by name. */
export function objectEdges(objects: readonly KubernetesObject[]): readonly Edge[] {
  return objects.flatMap((from) =>
    objects
      .filter((to) => from !== to && concerns(from.manifest, to.manifest))
      .map((to) => ({ from: placeOf(from), to: placeOf(to) })),
  );
}

function concerns(from: Manifest, to: Manifest): boolean {
  const { spec } = from;
  const podLabels = to.spec?.template?.metadata?.labels;
  switch (from.kind) {
    case 'Service':
      return selects(spec.selector, podLabels);
    case 'PodDisruptionBudget':
      return selects(spec.selector?.matchLabels, podLabels);
    case 'NetworkPolicy':
      return selects(spec.podSelector?.matchLabels, podLabels);
    case 'HorizontalPodAutoscaler':
      return spec.scaleTargetRef.kind === to.kind && spec.scaleTargetRef.name === to.metadata.name;
    case 'Ingress':
      return to.kind === 'Service' && mentions(spec, to.metadata.name);
    default:
      return (
        spec?.template !== undefined &&
        ['ConfigMap', 'Secret', 'ServiceAccount'].includes(to.kind) &&
        mentions(spec.template.spec, to.metadata.name)
      );
  }
}

function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined || labels === undefined) return false;
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

function mentions(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return value === name;
  return Object.values(value).some((item) => mentions(item, name));
}
