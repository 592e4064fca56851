import type { Classification } from '@file-processing/quality/classification.ts';
import { WITHHELD_CLASSES, type WithheldClass } from './withhold.ts';

/** What a place shows of a value: itself, itself where REPORT_VALUES is true and else its shape, its shape and itself on `--reveal`, its shape, or not even that. */
export type Showing = 'value' | 'by setting' | 'on reveal' | 'shape' | 'nothing';

/** Where texts of a file and of the rules about it may come to. */
export interface Place {
  readonly place: string;
  readonly shows: Readonly<Record<Classification, Showing>>;
}

/**
 * Every place, and what it shows. Siblings of values count as values: labels that are not fields of the schema, the texts
 * of enums, patterns and bounds, the values of keys, smallest and largest values.
 */
export const PLACES = {
  terminal: {
    place:
      'terminal, `--json` and `--html` of `validate`, `diff`, `run` and `rules`, and the page of `checker`',
    shows: { public: 'value', internal: 'value', sensitive: 'shape' },
  },
  database: {
    place: 'report in the database, and commands and pages that show it',
    shows: { public: 'value', internal: 'value', sensitive: 'on reveal' },
  },
  bucket: {
    place:
      'report and page in the bucket, and `.rejects.csv` beside a copy, which has `[withheld]` in the place of a shape',
    shows: { public: 'value', internal: 'by setting', sensitive: 'shape' },
  },
  notice: {
    place: 'notice, by whatever way: counts, kinds, rows and names of the schema alone',
    shows: { public: 'nothing', internal: 'nothing', sensitive: 'nothing' },
  },
  telemetry: {
    place: 'log, metric and trace; a trace names no object either',
    shows: { public: 'nothing', internal: 'nothing', sensitive: 'nothing' },
  },
} as const satisfies Record<string, Place>;

/**
 * The classes of which a place shows the values themselves, beside public ones.
 *
 * @param bySetting REPORT_VALUES
 */
export function shownClasses({ shows }: Place, bySetting = false): WithheldClass[] {
  return WITHHELD_CLASSES.filter(
    (name) => shows[name] === 'value' || (shows[name] === 'by setting' && bySetting),
  );
}
