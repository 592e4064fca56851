import { constraintMessage, constraintName, type ValueConstraints } from '../field-constraints.ts';
import type { CompiledField } from '../table-schema.ts';
import {
  ODD_BLANK,
  ODD_ERROR,
  ODD_FORMULA,
  ODD_PADDED,
  ODD_SCIENTIFIC,
  oddityOf,
} from '../text.ts';
import type { Check, SuspectCell } from './check.ts';

type TextKind =
  | 'padded-value'
  | 'blank-value'
  | 'scientific-notation'
  | 'formula-value'
  | 'spreadsheet-error';

const ODDITIES: Readonly<Record<number, { kind: TextKind; message: string }>> = {
  [ODD_PADDED]: { kind: 'padded-value', message: 'The value begins or ends with blanks.' },
  [ODD_BLANK]: { kind: 'blank-value', message: 'The cell holds blanks only, and counts as null.' },
  [ODD_SCIENTIFIC]: {
    kind: 'scientific-notation',
    message: 'A spreadsheet wrote a long number so; its last digits are lost.',
  },
  [ODD_FORMULA]: {
    kind: 'formula-value',
    message: 'The text is wrapped in a formula, as for a spreadsheet.',
  },
  [ODD_ERROR]: {
    kind: 'spreadsheet-error',
    message: 'A spreadsheet wrote an error in place of the value.',
  },
};

/** Texts that are valid, and probably not what the sender meant: all are counted, the first of each column is listed. */
export const TEXT_CHECK: Check<TextKind> = {
  kinds: [
    'padded-value',
    'blank-value',
    'scientific-notation',
    'formula-value',
    'spreadsheet-error',
  ],
  begin: () => {
    const listed = new Map<TextKind, Set<number>>();
    return {
      text(cell, oddity, found) {
        const odd = ODDITIES[oddity];
        if (odd === undefined) return;
        const { kind, message } = odd;
        const columns = listed.get(kind) ?? new Set();
        listed.set(kind, columns);
        if (!found.count(kind, cell) || (columns.has(cell) && found.onlyWarns(kind))) return;
        columns.add(cell);
        found.listCell(kind, cell, message);
      },
    };
  },
};

export const TYPE_CHECK: Check<'type-error'> = {
  kinds: ['type-error'],
  begin: () => ({
    cell({ cell, field, isNull, value }, found) {
      if (isNull || !Number.isNaN(value) || !found.count('type-error', cell)) return;
      found.listCell('type-error', cell, typeMessage(field));
    },
  }),
};

export const CONSTRAINT_CHECK: Check<'constraint-error'> = {
  kinds: ['constraint-error'],
  begin: () => ({
    cell(suspect, found) {
      const { cell, isNull, broken, field, bytes, start, end } = suspect;
      if (isNull && field.required && found.count('constraint-error', cell)) {
        const blank = oddityOf(bytes, start, end) === ODD_BLANK;
        const message = blank ? 'required; blanks only are not a value' : 'required';
        found.listCell('constraint-error', cell, message);
      }
      for (let left = broken; left !== 0; left &= left - 1) {
        if (!found.count('constraint-error', cell)) continue;
        found.listCell('constraint-error', cell, ...messagesFor(suspect, left & -left));
      }
    },
  }),
};

function typeMessage({ type, format }: CompiledField): string {
  return `The value is not of type ${type}${format === undefined ? '' : `, format ${format}`}.`;
}

function messagesFor(
  { field, bytes, start, end }: SuspectCell,
  bit: number,
): [string, { plainMessage: string }] {
  const constraints = field.constraints as ValueConstraints;
  const message = constraintMessage(constraints, bit, bytes, start, end);
  return [message, { plainMessage: `${constraintName(constraints, bit)} is not met` }];
}
