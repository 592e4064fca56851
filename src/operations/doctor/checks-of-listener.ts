import type { Diagnosis } from './diagnosis.ts';

interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly next?: string;
}

/**
 * What `file-processing check --json` printed, as diagnoses.
 *
 * @param place - appended to each name
 * @returns none where it printed no list, as when its settings are faulty
 */
export function checksOfListener(stdout: string, place: string): readonly Diagnosis[] {
  const results = listIn(stdout);
  return results.map(({ name, ok, found, next }) => ({
    name: `${name}${place}`,
    state: ok ? 'ok' : 'red',
    found,
    ...(next === undefined ? {} : { next }),
  }));
}

function listIn(stdout: string): readonly CheckResult[] {
  try {
    const value: unknown = JSON.parse(stdout);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
