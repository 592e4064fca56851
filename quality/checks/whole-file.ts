import { COUNT, isCount, isObject, isShare, SHARE, show } from '../descriptor-error.ts';
import type { Check } from './check.ts';

export const HEADER_ONLY_CHECK: Check<'header-only'> = {
  kinds: ['header-only'],
  begin: (file) => ({
    end(found) {
      if (file.rows === 0 && found.count('header-only')) {
        found.listFile('header-only', 'The header is followed by no rows.');
      }
      return true;
    },
  }),
};

export const LINE_END_CHECK: Check<'mixed-line-ends'> = {
  kinds: ['mixed-line-ends'],
  begin: (file) => ({
    end(found) {
      const { lf, crlf, cr } = file.lineEnds;
      const others = lf + crlf + cr - Math.max(lf, crlf, cr);
      if (others === 0 || !found.count('mixed-line-ends', -1, others)) return true;
      const message = `Records end in more than one way: ${lf} with LF, ${crlf} with CRLF, ${cr} with CR.`;
      found.listFile('mixed-line-ends', message, file.otherLineEnd ?? {});
      return true;
    },
  }),
};

export interface DimensionThresholds {
  minRows?: number;
  maxRows?: number;
}

export const DIMENSIONS_CHECK: Check<'table-dimensions', DimensionThresholds> = {
  kinds: ['table-dimensions'],
  thresholds: [
    {
      name: 'minRows',
      default: 'none',
      allowed: COUNT,
      meaning: 'Fewest rows, the header not counted. Below: `table-dimensions`.',
    },
    {
      name: 'maxRows',
      default: 'none',
      allowed: COUNT,
      meaning: 'Most rows, the header not counted. Above: `table-dimensions`.',
    },
  ],
  compile(given, path, problems) {
    const minRows = problems.optional(`${path}.minRows`, given.minRows, isCount, COUNT);
    const maxRows = problems.optional(`${path}.maxRows`, given.maxRows, isCount, COUNT);
    if ((minRows ?? 0) > (maxRows ?? Infinity)) {
      problems.add(`${path}.minRows`, `is ${minRows}, above maxRows`);
    }
    return { minRows, maxRows };
  },
  begin: (file, { minRows = 0, maxRows = Infinity }) => ({
    end(found) {
      const { rows } = file;
      if (rows < minRows && found.count('table-dimensions')) {
        found.listFile('table-dimensions', `The file has ${rows} rows; minRows is ${minRows}.`);
      }
      if (rows > maxRows && found.count('table-dimensions')) {
        found.listFile('table-dimensions', `The file has ${rows} rows; maxRows is ${maxRows}.`);
      }
      return true;
    },
  }),
};

export interface CompletenessThresholds {
  /** Shares by label. */
  completeness?: Record<string, number>;
}

export const COMPLETENESS_CHECK: Check<'completeness', CompletenessThresholds> = {
  kinds: ['completeness'],
  thresholds: [
    {
      name: 'completeness',
      default: 'none',
      allowed: 'an object of label and share',
      meaning:
        'Smallest share of cells that are not null, 0 to 1, by label. Below, or without such a column: `completeness`.',
    },
  ],
  compile(given, path, problems) {
    const completeness: Record<string, number> = {};
    const place = `${path}.completeness`;
    const shares = given.completeness === undefined ? {} : given.completeness;
    if (!isObject(shares)) {
      problems.add(place, `is ${show(shares)}; an object of label and share is needed`);
      return { completeness };
    }
    for (const [label, share] of Object.entries(shares)) {
      if (isShare(share)) completeness[label] = share;
      else problems.add(`${place}.${label}`, `is ${show(share)}; ${SHARE} is needed`);
    }
    return { completeness };
  },
  begin: (file, { completeness = {} }) => ({
    end(found) {
      const { columns = [], readRows } = file;
      for (const [label, share] of Object.entries(completeness)) {
        const column = columns.findIndex((candidate) => candidate.label === label);
        const profile = columns[column]?.profile;
        const rows = readRows - (profile?.unread ?? 0);
        const filled = rows - (profile?.nulls ?? 0);
        if (profile !== undefined && filled >= share * rows) continue;
        if (!found.count('completeness', column)) continue;
        if (profile === undefined) {
          found.listFile('completeness', 'The column is absent.', { label });
          continue;
        }
        const message = `${filled} of ${rows} values are there; ${share} is needed.`;
        found.listFile('completeness', message, { column, label });
      }
      return true;
    },
  }),
};
