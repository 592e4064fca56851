import type { AuditResult } from '../audit-result.ts';
import { placeOf } from '../finding.ts';

/** One resource and what was said of it. */
export interface InventoryItem {
  readonly stack: string;
  readonly address: string;
  readonly type: string;
  /** Its name in AWS or Kubernetes; empty where it has none. */
  readonly name: string;
  /** Passed checks in the first region, of our rules and of checkov. */
  readonly passed: number;
  readonly findings: number;
  readonly waived: number;
}

/** Every resource, by stack and address. */
export function inventoryOf({ looks, findings, waived }: AuditResult): readonly InventoryItem[] {
  const [{ model, checks }] = looks;
  const passed = countBy(
    checks.filter(({ faults }) => faults.length === 0),
    (check) => blockOf(placeOf(check)),
  );
  const found = countBy(findings, ({ place }) => blockOf(place));
  const lived = countBy(waived, ({ place }) => blockOf(place));
  return model.resources
    .map((resource) => {
      const { stack, address, type, attributes } = resource;
      const place = placeOf(resource);
      const metadata = [attributes.metadata].flat()[0] as { readonly name?: unknown } | undefined;
      const tags = attributes.tags as { readonly Name?: unknown } | undefined;
      const name = attributes.name ?? metadata?.name ?? tags?.Name ?? '';
      return {
        stack,
        address,
        type,
        name: String(model.stackOf(resource).resolve(name)),
        passed: passed.get(place) ?? 0,
        findings: found.get(place) ?? 0,
        waived: lived.get(place) ?? 0,
      };
    })
    .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
}

/** A rule may have looked at a part of a resource, such as `<address> <container>`. */
function blockOf(place: string): string {
  return place.split(' ')[0] ?? place;
}

function countBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of items.map(keyOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
