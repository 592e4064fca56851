/** The fault, if something is wrong. */
export function when(wrong: boolean, fault: string): readonly string[] {
  return wrong ? [fault] : [];
}

/** How a value looks in a sentence; what is left out is called so. */
export function shown(value: unknown): string {
  return value === undefined ? 'left out' : JSON.stringify(value);
}

/** Values that are there more than once. */
export function repeated<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
