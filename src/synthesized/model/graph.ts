import { referencesIn } from './expression.ts';
import type { Resource, StackModel } from './model.ts';

/** Who depends on whom in one stack, by expressions and by `depends_on`. */
export interface Graph {
  /** Resources and data sources that refer to an address; outputs and providers are not among them. */
  readonly users: (address: string) => readonly Resource[];
  /** Whether Terraform makes `to` before `from`, and destroys it after, however many steps between. */
  readonly waitsFor: (from: string, to: string) => boolean;
}

const graphs = new WeakMap<StackModel, Graph>();

/** The graph of a stack, made once. */
export function graphOf(stack: StackModel): Graph {
  const known = graphs.get(stack);
  if (known !== undefined) return known;
  const blocks = [...stack.resources, ...stack.data];
  const needs = new Map<string, ReadonlySet<string>>([
    ...blocks.map(({ address, attributes }) => [address, addressesIn(attributes)] as const),
    ...Object.entries(stack.json.locals ?? {}).map(
      ([name, value]) => [`local.${name}`, addressesIn(value)] as const,
    ),
  ]);
  const graph: Graph = {
    users: (address) => blocks.filter((block) => needs.get(block.address)?.has(address)),
    waitsFor: (from, to) => {
      const seen = new Set<string>();
      const open = [from];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (seen.has(next)) continue;
        seen.add(next);
        const direct = needs.get(next);
        if (direct?.has(to)) return true;
        open.push(...(direct ?? []));
      }
      return false;
    },
  };
  graphs.set(stack, graph);
  return graph;
}

/** Addresses that a block refers to, in expressions and in `depends_on`. */
export function addressesIn(value: unknown): ReadonlySet<string> {
  const depends =
    typeof value === 'object' && value !== null
      ? (value as { depends_on?: unknown }).depends_on
      : [];
  const explicit = Array.isArray(depends) ? depends.map(String) : [];
  return new Set([...referencesIn(value).map(({ address }) => address), ...explicit]);
}
