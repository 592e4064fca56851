import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isCustomObject } from '../src/synthesized/views/kubernetes-manifests.ts';
import { AuditError, EXIT } from './errors.ts';
import type { Finding, FLOOR_RULES, Look } from './findings.ts';

/** How much was looked at, for one environment in one region. */
export interface Counts {
  /** Synthesized resources of all stacks, without data sources. */
  readonly resources: number;
  /** Rules of our own that were run, whatever they found. */
  readonly rules?: number;
}

/** Recorded counts by environment and region: an audit that looked at less is not green. */
export type Floors = Readonly<Record<string, Readonly<Record<string, Counts>>>>;

const COUNTED: Readonly<Record<keyof Counts, string>> = {
  resources: 'resources are synthesized',
  rules: 'rules of our own were run',
};

const KINDS = Object.keys(COUNTED) as readonly (keyof Counts)[];

/** Sentences on every count of some kinds that is lower than recorded; what was not counted is not judged. */
export function belowFloor(
  recorded: Counts,
  measured: Counts,
  kinds: readonly (keyof Counts)[] = KINDS,
): readonly string[] {
  return kinds.flatMap((kind) => {
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

/**
 * Compares what should be read with what was: a scanner that reads nothing says green, too.
 *
 * @param reader - who read, for the sentence
 * @param expected - addresses of the synthesized resources
 * @param seen - addresses that the reader answered for
 * @returns a sentence for each address that was not read, or that nobody knows
 */
export function rollCall(
  reader: string,
  expected: readonly string[],
  seen: readonly string[],
): readonly { readonly address: string; readonly message: string }[] {
  return [
    ...expected
      .filter((address) => !seen.includes(address))
      .map((address) => ({
        address,
        message: `${reader} did not read it, though it is synthesized.`,
      })),
    ...seen
      .filter((address) => !expected.includes(address))
      .map((address) => ({ address, message: `${reader} read it, though it is not synthesized.` })),
  ];
}

/** How much was looked at for one region. */
export function countsOf({ model, ruled, rules }: Look): Counts {
  return {
    resources: model.resources.length,
    ...(ruled && { rules: rules.filter(({ by }) => by === 'rules').length }),
  };
}

/**
 * Findings on what was not looked at. What passed says nothing of that: a waived fault and a resource
 * that a setting leaves out do not make the audit less trustworthy. So a fall of resources is a note alone,
 * see {@link floorNotes}; that all of them are read, by each reader, is judged.
 *
 * @param recorded - counts of the region; undefined where none are recorded
 */
export function judgeFloors(look: Look, recorded: Counts | undefined): readonly Finding[] {
  const regions = [look.region];
  const finding = (rule: keyof typeof FLOOR_RULES, place: string, message: string): Finding => ({
    by: 'audit',
    rule,
    severity: 'high',
    place,
    message,
    regions,
  });
  const low = recorded === undefined ? [] : belowFloor(recorded, countsOf(look), ['rules']);
  return [
    ...low.map((message) => finding('floor-rules-run', FLOORS_FILE, message)),
    ...unread(look).map(({ place, message }) => finding('floor-resources-read', place, message)),
    ...Object.entries(look.scans ?? {}).flatMap(([stack, { parsingErrors, skipped }]) => [
      ...parsingErrors.map((file) =>
        finding('floor-parsing-errors', `${stack}/terraform`, `checkov could not parse ${file}.`),
      ),
      ...skipped.map((check) =>
        finding(
          'floor-skipped-checks',
          `${stack}/terraform`,
          `${check} is switched off outside the waiver file.`,
        ),
      ),
    ]),
  ];
}

/** What a reader must know of the floors of an environment, sentences. */
export function floorNotes(
  environment: string,
  looks: readonly Look[],
  floors: Floors,
): readonly string[] {
  const recorded = floors[environment];
  if (recorded === undefined) {
    return [
      `No floor is recorded for ${environment}: that fewer resources or rules than before were looked at would not be noticed. Record one with --record-floors.`,
    ];
  }
  return looks.flatMap((look) => {
    const { region } = look;
    const floor = recorded[region];
    const counts = countsOf(look);
    const [fall] = floor === undefined ? [] : belowFloor(floor, counts, ['resources']);
    if (fall !== undefined) {
      return [`${region}: ${fall} If that is meant, record it with --record-floors --lower.`];
    }
    return floor === undefined || aboveFloor(floor, counts)
      ? [`More was looked at for ${region} than the floor says: raise it with --record-floors.`]
      : [];
  });
}

function unread({ model, objects, scans }: Look) {
  return model.stacks.flatMap(({ name, resources }) => {
    const all = resources.map(({ address }) => address);
    const kubernetes = all.filter((address) => address.startsWith('kubernetes_'));
    // What Terraform does not make is not among its resources.
    const ofTerraform = (address: string) => !isCustomObject({ address });
    const made = objects
      .filter(({ stack }) => stack === name)
      .map(({ address }) => address)
      .filter(ofTerraform);
    const report = scans?.[name];
    return [
      ...rollCall('The view of the manifests', kubernetes, made),
      ...(report === undefined
        ? []
        : [
            ...rollCall('checkov (plan)', all, report.seen.terraform_plan),
            ...rollCall(
              'checkov (manifests)',
              kubernetes,
              report.seen.kubernetes.filter(ofTerraform),
            ),
          ]),
    ].map(({ address, message }) => ({ place: `${name}/${address}`, message }));
  });
}

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
