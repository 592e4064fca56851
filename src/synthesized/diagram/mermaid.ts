import type { Model, Resource } from '../model/model.ts';
import { kubernetesObjects } from '../views/kubernetes-manifests.ts';
import { type Edge, objectEdges, placeOf, referenceEdges } from './edges.ts';
import { boxOf, isAttachment, isDetail, roleOf, typeInWords } from './node-rules.ts';

/** Resources that share a box. */
interface Box {
  readonly id: string;
  readonly stack: string;
  readonly role: string;
  readonly resources: readonly Resource[];
}

/**
 * Draws all stacks as a Mermaid flowchart: a frame for each stack, in it one for each role, boxes for
 * the resources that matter, arrows from what refers to what, dashed to keys. Details such as aliases and routes are
 * left out, resources that differ in their zone only share a box.
 */
export function mermaidOf(model: Model): string {
  const boxes = boxesOf(model);
  const boxAt = new Map(
    boxes.flatMap((box) => box.resources.map((resource) => [placeOf(resource), box.id] as const)),
  );
  const edges = [
    ...model.stacks.flatMap((stack) => referenceEdges(stack, model)),
    ...objectEdges(kubernetesObjects(model)),
  ];
  return `${['flowchart LR', ...frames(boxes), ...arrows(edges, model, boxAt)].join('\n')}\n`;
}

function boxesOf(model: Model): readonly Box[] {
  const shown = model.resources.filter(({ type }) => !isDetail(type));
  const shared = Map.groupBy(shown, ({ stack, type, name }) => `${stack}/${boxOf(type, name)}`);
  return [...shared].flatMap(([place, resources]) => {
    const [first] = resources;
    if (first === undefined) return [];
    const { stack, type } = first;
    return { id: idOf(place), stack, role: roleOf(type), resources };
  });
}

function frames(boxes: readonly Box[]): readonly string[] {
  return [...Map.groupBy(boxes, ({ stack }) => stack)].flatMap(([stack, inStack]) => [
    `  subgraph ${idOf(stack)}["${stack}"]`,
    ...[...Map.groupBy(inStack, ({ role }) => role)].flatMap(([role, inRole]) => [
      `    subgraph ${idOf(`${stack}_${role}`)}["${role}"]`,
      ...inRole.map((box) => `      ${box.id}["${labelOf(box)}"]`),
      '    end',
    ]),
    '  end',
  ]);
}

function labelOf({ resources }: Box): string {
  const [first] = resources;
  if (first === undefined) return '';
  const words = typeInWords(first.type);
  if (resources.length === 1) return `${words}<br/>${first.name}`;
  const stems = new Set(resources.map(({ name }) => name.replace(/_[a-z]$/, '')));
  return `${words} ×${resources.length}<br/>${[...stems].join('<br/>')}`;
}

/** Arrows between boxes, each once. */
function arrows(
  edges: readonly Edge[],
  model: Model,
  boxAt: ReadonlyMap<string, string>,
): readonly string[] {
  const direct = edges.flatMap(({ from, to }) => arrow(boxAt.get(from), boxAt.get(to)));
  const details = model.resources.filter(({ type }) => isDetail(type));
  const throughDetails = details.flatMap((detail) => {
    const place = placeOf(detail);
    const targets = edges.filter(({ from }) => from === place).map(({ to }) => boxAt.get(to));
    const [one, other, ...more] = [...new Set(targets)].filter((id) => id !== undefined);
    const users = edges.filter(({ to }) => to === place).map(({ from }) => boxAt.get(from));
    const via = users.flatMap((user) => targets.flatMap((target) => arrow(user, target)));
    if (more.length > 0) return via;
    return [...via, ...(isAttachment(detail.type) ? arrow(other, one) : arrow(one, other))];
  });
  return [...new Set([...direct, ...throughDetails])].sort();
}

function arrow(from: string | undefined, to: string | undefined): readonly string[] {
  return from === undefined || to === undefined || from === to
    ? []
    : [`  ${from} ${to.endsWith('_aws_kms_key') ? '-.->' : '-->'} ${to}`];
}

/** Mermaid's ids have letters, digits and underscores. */
function idOf(place: string): string {
  return place.replaceAll(/[^A-Za-z0-9]+/g, '_');
}
