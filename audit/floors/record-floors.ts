import { AuditError } from '../audit-error.ts';
import { EXIT } from '../exit-codes.ts';
import { belowFloor, type Counts, type Floors, withCounts } from './floors.ts';

/** What an audit counted. */
export interface Counted {
  readonly environment: string;
  /** By region. */
  readonly counts: Readonly<Record<string, Counts>>;
}

/**
 * Floors with what was counted.
 *
 * @param lower - whether a floor may go down
 * @throws AuditError when a floor would go down and must not
 */
export function recordFloors(floors: Floors, counted: readonly Counted[], lower: boolean): Floors {
  const falls = counted.flatMap(({ environment, counts }) =>
    Object.entries(counts).flatMap(([region, measured]) =>
      belowFloor(floors[environment]?.[region] ?? { resources: 0 }, measured).map(
        (fall) => `  ${environment}, ${region}: ${fall}`,
      ),
    ),
  );
  if (falls.length > 0 && !lower) {
    throw new AuditError(`floors would go down:\n${falls.join('\n')}`, {
      next: 'find out what is no longer looked at; if that is as it should be, add --lower',
      code: EXIT.findings,
    });
  }
  return counted.reduce(
    (result, { environment, counts }) => withCounts(result, environment, counts),
    floors,
  );
}
