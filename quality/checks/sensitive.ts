import { type Check, type Column, cellText, type InspectedFile } from './check.ts';

/** What values that nobody should publish look like. */
interface Detector {
  readonly what: string;
  /** Labels of columns that are looked at; all where it is absent, for values that speak for themselves. */
  readonly label?: RegExp;
  readonly matches: (text: string) => boolean;
  /** The share of a column's values that has to look so. */
  readonly leastShare: number;
}

/** So many values of a column tell what it holds. */
const MOST_VALUES = 10_000;

/** No value that is looked for is longer. */
const LONGEST = 64;

const SHARE = 0.1;

const DETECTORS: readonly Detector[] = [
  {
    // Social Security Administration, "Social Security Number Randomization": what is never given out.
    what: 'Social Security numbers',
    matches: (text) => /^(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}$/.test(text),
    leastShare: SHARE,
  },
  {
    what: 'e-mail addresses',
    matches: (text) => /^[^\s@,;<>]+@[^\s@,;<>]+\.[a-z]{2,}$/i.test(text),
    leastShare: SHARE,
  },
  {
    // North American Numbering Plan, and E.164 with its plus sign.
    what: 'telephone numbers',
    matches: (text) =>
      /^(\+?1[ .-]?)?(\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}$/.test(text) ||
      /^\+[1-9][\d ]{7,17}$/.test(text),
    leastShare: SHARE,
  },
  {
    what: 'numbers of payment cards',
    matches: (text) => /^[3-6]\d{3}([ -]?\d){9,15}$/.test(text) && isLuhn(text),
    // One in ten of any numbers passes Luhn's check.
    leastShare: 0.5,
  },
  {
    what: 'dates of birth',
    label: /\b(dob|birth)|birth ?(date|day|year)|geburt/i,
    matches: (text) => /\d/.test(text),
    leastShare: SHARE,
  },
  {
    what: "numbers of driver's licences",
    label: /driver.*licen[cs]e|licen[cs]e (no|num|number|id)\b|\bdln?\b/i,
    matches: (text) => /^[A-Z]{0,3}[\d -]{5,14}[A-Z]?$/i.test(text),
    leastShare: SHARE,
  },
];

/**
 * Warns of columns that are declared public and look as if they should not be. It tells the column and how many of its
 * first 10,000 values look so, never a value.
 */
export const SENSITIVE_CHECK: Check<'sensitive-column'> = {
  kinds: ['sensitive-column'],
  begin(file) {
    let watched: Watched[] = [];
    return {
      open(columns) {
        watched = columns.flatMap((column, cell) => watch(column, cell));
        if (watched.length === 0) return undefined;
        return (record) => {
          for (const column of watched) if (column.values < MOST_VALUES) look(column, file, record);
        };
      },
      ranges: {
        gather(range) {
          const seen = watched.map((column) => ({
            ...column,
            values: 0,
            counts: column.counts.map(() => 0),
          }));
          return {
            see(record) {
              for (const column of seen)
                if (column.values < MOST_VALUES) look(column, range, record);
            },
            gathered: () => seen.map(({ values, counts }) => ({ values, counts })),
          };
        },
        mayAdd: (gathered, most) =>
          (gathered as Seen[]).every(({ values }, index) => {
            const before = watched[index]?.values ?? 0;
            return before >= MOST_VALUES || before + values + most <= MOST_VALUES;
          }),
        add(gathered) {
          (gathered as Seen[]).forEach(({ values, counts }, index) => {
            const column = watched[index];
            if (column === undefined || column.values >= MOST_VALUES) return;
            column.values += values;
            counts.forEach((count, detector) => {
              column.counts[detector] = (column.counts[detector] ?? 0) + count;
            });
          });
        },
      },
      end(found) {
        for (const { cell, label, values, detectors, counts } of watched) {
          detectors.forEach(({ what, leastShare }, index) => {
            const count = counts[index] ?? 0;
            if (count === 0 || count < leastShare * values) return;
            if (!found.count('sensitive-column', cell)) return;
            const of = values < MOST_VALUES ? `${values}` : `the first ${values}`;
            const message = `${count} of ${of} values look like ${what}; the column is declared public.`;
            found.listFile('sensitive-column', message, { column: cell, label });
          });
        }
        return true;
      },
    };
  },
};

/** What a range has of one column. */
type Seen = Pick<Watched, 'values' | 'counts'>;

interface Watched {
  readonly cell: number;
  readonly label: string;
  readonly detectors: readonly Detector[];
  /** For each detector. */
  readonly counts: number[];
  values: number;
}

function watch({ field, label: columnLabel }: Column, cell: number): Watched[] {
  if (field?.classification !== 'public') return [];
  // As words: `birth_date`, `DriverLicense`.
  const words = field.name.replace(/([a-z])(?=[A-Z])/g, '$1 ').replace(/[_\W]+/g, ' ');
  const detectors = DETECTORS.filter(({ label }) => label === undefined || label.test(words));
  return [{ cell, label: columnLabel, detectors, counts: detectors.map(() => 0), values: 0 }];
}

function look(column: Watched, file: InspectedFile, record: Parameters<typeof cellText>[0]): void {
  const { cell, detectors, counts } = column;
  if (file.nulls[cell] !== 0) return;
  column.values++;
  const length = (record.ends[cell] ?? 0) - (record.starts[cell] ?? 0);
  if (length > LONGEST) return;
  const text = cellText(record, cell).trim();
  detectors.forEach(({ matches }, index) => {
    if (matches(text)) counts[index] = (counts[index] ?? 0) + 1;
  });
}

/** Luhn's check digit (ISO/IEC 7812-1, annex B). */
function isLuhn(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).reverse();
  const sum = digits.reduce((total, digit, index) => {
    const doubled = index % 2 === 0 ? digit : digit * 2;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
