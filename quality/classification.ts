import { nearestName, plainName } from './descriptor-error.ts';

/** How sensitive the values of a column are, from the least to the most. */
export const CLASSIFICATION_LEVELS = [
  { classification: 'public', meaning: 'Anybody may read the values.' },
  { classification: 'internal', meaning: 'Values are for those who work with the data.' },
  {
    classification: 'sensitive',
    meaning: 'Values stay in the file: a report shows their shape, as `A9999` for `K1234`.',
  },
] as const;

/** One of {@link CLASSIFICATION_LEVELS}; null is what no schema declares. */
export type Classification = (typeof CLASSIFICATION_LEVELS)[number]['classification'];

export const CLASSIFICATIONS: readonly Classification[] = CLASSIFICATION_LEVELS.map(
  ({ classification }) => classification,
);

/** Of a declared column whose field and schema say nothing else. */
export const DEFAULT_CLASSIFICATION: Classification = 'internal';

/**
 * How sensitive a column is: as the field that it is judged as, but null, as of one without a field, where its label is
 * not even nearly the field's name. It may be another column then, or the label a cell of a row that was read as the
 * header.
 */
export function classificationOf(
  label: string,
  field: { readonly name: string; readonly classification: Classification } | undefined,
): Classification | null {
  if (field === undefined) return null;
  const isOfField =
    label === field.name ||
    label.trim() === '' ||
    plainName(label) === plainName(field.name) ||
    nearestName(label, [field.name]) !== undefined;
  return isOfField ? field.classification : null;
}

/** The strictest of some columns; what is not declared may be anything, and is stricter than all that is. */
export function mostSensitive(
  classifications: Iterable<Classification | null>,
): Classification | null {
  let strictest = 0;
  for (const classification of classifications) {
    if (classification === null) return null;
    strictest = Math.max(strictest, CLASSIFICATIONS.indexOf(classification));
  }
  return CLASSIFICATIONS[strictest] ?? null;
}
