/** How much was looked at, for one environment in one region. */
export interface Counts {
  /** Synthesized resources of all stacks, without data sources. */
  readonly resources: number;
  /** Passed checks of our own rules. */
  readonly rules?: number;
  /** Passed checks of checkov on the plan view. */
  readonly terraform_plan?: number;
  /** Passed checks of checkov on the manifests. */
  readonly kubernetes?: number;
}

/** Recorded counts by environment and region: a green below them is none. */
export type Floors = Readonly<Record<string, Readonly<Record<string, Counts>>>>;

const COUNTED: Readonly<Record<keyof Counts, string>> = {
  resources: 'resources are synthesized',
  rules: 'checks of our own rules passed',
  terraform_plan: 'checks of checkov on the plan passed',
  kubernetes: 'checks of checkov on the manifests passed',
};

const KINDS = Object.keys(COUNTED) as readonly (keyof Counts)[];

/** Sentences on every count that is lower than recorded; what was not counted is not judged. */
export function belowFloor(recorded: Counts, measured: Counts): readonly string[] {
  return KINDS.flatMap((kind) => {
    const floor = recorded[kind];
    const count = measured[kind];
    if (floor === undefined || count === undefined || count >= floor) return [];
    return [`Only ${count} ${COUNTED[kind]}, recorded are ${floor}.`];
  });
}

/** Whether a count rose above what is recorded, so that the floor would miss a fall. */
export function aboveFloor(recorded: Counts, measured: Counts): boolean {
  return KINDS.some((kind) => (measured[kind] ?? 0) > (recorded[kind] ?? 0));
}

/**
 * Floors with new counts in them. What was not counted this time stays as recorded.
 *
 * @param byRegion - counts of one environment
 */
export function withCounts(
  floors: Floors,
  environment: string,
  byRegion: Readonly<Record<string, Counts>>,
): Floors {
  const before = floors[environment] ?? {};
  const after = Object.entries(byRegion).map(
    ([region, counts]) => [region, { ...before[region], ...counts }] as const,
  );
  return { ...floors, [environment]: { ...before, ...Object.fromEntries(after) } };
}
