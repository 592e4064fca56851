import { valueAt } from '../model/model.ts';
import type { Attributes } from '../synthesized-stack.ts';

/**
 * A resource's arguments without those that its `ignore_changes` names, as `spec[0].replicas` does
 * (Terraform, "The lifecycle Meta-Argument").
 */
export function withoutIgnored(attributes: Attributes): Attributes {
  const ignored = valueAt(attributes, 'lifecycle.ignore_changes');
  return (Array.isArray(ignored) ? ignored.map(String) : []).reduce<Attributes>(
    (left, path) => without(left, stepsOf(path)) as Attributes,
    attributes,
  );
}

function stepsOf(path: string): readonly string[] {
  return path.split(/[.[\]"]+/).filter((step) => step !== '');
}

function without(value: unknown, [step, ...others]: readonly string[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, at) => (step === `${at}` ? without(item, others) : item));
  }
  // The only block of a kind may be written without a list.
  if (step === '0') return without(value, others);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => {
      if (key !== step) return [[key, field]];
      return others.length === 0 ? [] : [[key, without(field, others)]];
    }),
  );
}
