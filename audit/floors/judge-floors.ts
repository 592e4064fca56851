import type { Finding } from '../finding.ts';
import type { Look } from '../look.ts';
import { countsOf } from './count.ts';
import { belowFloor, type Counts } from './floors.ts';
import { FLOORS_FILE } from './floors-file.ts';
import { rollCall } from './roll-call.ts';

/** Rules that keep the audit honest: a look that saw too little is a finding. */
export const FLOOR_RULES = {
  'floor-passed-checks': 'No fewer resources and passed checks than recorded',
  'floor-resources-read': 'Every synthesized resource is read',
  'floor-parsing-errors': 'Nothing is left out because it could not be parsed',
  'floor-skipped-checks': 'No check is switched off beside the waiver file',
} as const;

/**
 * Findings on what was not looked at.
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
  const low = recorded === undefined ? [] : belowFloor(recorded, countsOf(look));
  return [
    ...low.map((message) => finding('floor-passed-checks', FLOORS_FILE, message)),
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

function unread({ model, objects, scans }: Look) {
  return model.stacks.flatMap(({ name, resources }) => {
    const all = resources.map(({ address }) => address);
    const kubernetes = all.filter((address) => address.startsWith('kubernetes_'));
    const made = objects.filter(({ stack }) => stack === name).map(({ address }) => address);
    const report = scans?.[name];
    return [
      ...rollCall('The view of the manifests', kubernetes, made),
      ...(report === undefined
        ? []
        : [
            ...rollCall('checkov (plan)', all, report.seen.terraform_plan),
            ...rollCall('checkov (manifests)', kubernetes, report.seen.kubernetes),
          ]),
    ].map(({ address, message }) => ({ place: `${name}/${address}`, message }));
  });
}
