import type { Selector } from './api-types.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether labels satisfy a selector; an empty selector takes everything, a missing one nothing. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  return (
    exact && (selector.matchExpressions ?? []).every((expression) => meets(expression, labels))
  );
}

/** Whether a selector names no label, and so takes everything. */
export function isEmpty(selector: Selector | undefined): boolean {
  return (
    Object.keys(selector?.matchLabels ?? {}).length === 0 &&
    (selector?.matchExpressions ?? []).length === 0
  );
}

/** How a selector looks in a sentence. */
export function selectorText(selector: Selector | undefined): string {
  if (selector === undefined) return 'no selector';
  const exact = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) =>
    [key, operator, values.join('|')].filter(Boolean).join(' '),
  );
  return [...exact, ...expressions].join(', ') || 'an empty selector';
}

function meets(
  { key, operator, values = [] }: NonNullable<Selector['matchExpressions']>[number],
  labels: Labels,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
