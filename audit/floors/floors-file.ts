import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuditError } from '../audit-error.ts';
import type { Floors } from './floors.ts';

/** The recorded floors, below the checkout. */
export const FLOORS_FILE = 'audit/floors.json';

/**
 * Reads recorded floors; none where there is no file.
 *
 * @throws AuditError when the file is not an object of counts by environment and region
 */
export function readFloors(path: string): Floors {
  if (!existsSync(path)) return {};
  let floors: unknown;
  try {
    floors = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new AuditError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isFloors(floors)) {
    throw new AuditError(`${path} must hold whole numbers by environment, region and kind`, {
      next: 'restore it from git, or remove it and record anew with --record-floors',
    });
  }
  return floors;
}

/** Writes floors, environments in order, so that a change is a small difference in git. */
export function writeFloors(path: string, floors: Floors): void {
  const sorted = Object.fromEntries(
    Object.entries(floors).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

function isFloors(value: unknown): value is Floors {
  return recordOf(value, (regions) =>
    recordOf(regions, (counts) => recordOf(counts, (count) => Number.isSafeInteger(count))),
  );
}

function recordOf(value: unknown, each: (item: unknown) => boolean): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(each)
  );
}
