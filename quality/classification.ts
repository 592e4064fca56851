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
