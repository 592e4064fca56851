import { compareSpecificity, matchesKey } from '../database/key-pattern.ts';
import { mappingOf } from '../jobs/monitored-file.ts';
import { placeOf } from './plan.ts';
import type { Defined, RuleMapping, RuleMonitoringFile, RuleSet } from './rule-set.ts';

/** What a sample is judged by. */
export interface RuleOfSample {
  readonly monitoringFile: Defined<RuleMonitoringFile>;
  readonly mapping: RuleMapping;
}

/** Why a sample can't be judged, in a sentence. */
export interface NoRule {
  readonly reason: string;
}

/**
 * Finds the rule of a local file by its path: some end of it is taken for the key, and where the folder before that is
 * named as a bucket of the rule set, only the monitored files of that bucket count. The most specific pattern wins, as for a
 * delivered object.
 *
 * @param path with slashes
 */
export function ruleOfSample(path: string, rules: RuleSet): RuleOfSample | NoRule {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  const active = rules.monitoringFiles.filter(({ value }) => value.active);
  const buckets = new Set(active.map(({ value }) => value.bucket));
  const root = segments.findIndex((segment, index) => {
    return index < segments.length - 1 && buckets.has(segment);
  });
  const candidates =
    root >= 0 ? active.filter(({ value }) => value.bucket === segments[root]) : active;
  const ends = segments
    .map((_, start) => segments.slice(start).join('/'))
    .slice(root >= 0 ? root + 1 : 0, root >= 0 ? root + 2 : undefined);
  const fitting = candidates
    .filter(({ value }) => ends.some((key) => matchesKey(value.keyPattern, key)))
    .sort((a, b) => compareSpecificity(a.value.keyPattern, b.value.keyPattern));
  const [best] = fitting;
  if (best === undefined) return { reason: 'no pattern of an active monitored file fits its path' };
  const mapping = mappingOf(rules.mappings, best.value);
  if (mapping === undefined) return { reason: `${best.file} names a mapping that is not there` };
  const rivals = fitting.filter(
    ({ value }) =>
      value.bucket !== best.value.bucket &&
      mappingOf(rules.mappings, value) !== mapping &&
      compareSpecificity(value.keyPattern, best.value.keyPattern) <= 0,
  );
  if (rivals.length > 0) {
    const names = [best, ...rivals].map(({ value }) => placeOf(value)).join(', ');
    return { reason: `several buckets fit: ${names}; put it below a folder named as its bucket` };
  }
  return { monitoringFile: best, mapping };
}
