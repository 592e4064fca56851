import { distance } from 'fastest-levenshtein';

/** The name that a mistyped one probably stands for: at most two edits away, or a third of its letters. */
export function nearestName(mistyped: string, names: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(mistyped.length / 3));
  let nearest: string | undefined;
  let least = limit + 1;
  for (const name of names) {
    const edits = distance(mistyped, name);
    if (edits < least) [nearest, least] = [name, edits];
  }
  return nearest;
}
