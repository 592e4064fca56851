import { constraintMessage } from '../field-constraints.ts';
import type { CompiledField } from '../table-schema.ts';
import type { Check, SuspectCell } from './check.ts';

export const TYPE_CHECK: Check<'type-error'> = {
  kinds: ['type-error'],
  begin: () => ({
    cell({ cell, field, isNull, value }, found) {
      if (isNull || !Number.isNaN(value) || !found.count('type-error')) return;
      found.listCell('type-error', cell, typeMessage(field));
    },
  }),
};

export const CONSTRAINT_CHECK: Check<'constraint-error'> = {
  kinds: ['constraint-error'],
  begin: () => ({
    cell(suspect, found) {
      const { cell, isNull, broken } = suspect;
      // A null is suspected in a required field alone.
      if (isNull && found.count('constraint-error')) {
        found.listCell('constraint-error', cell, 'required');
      }
      for (let left = broken; left !== 0; left &= left - 1) {
        if (!found.count('constraint-error')) continue;
        found.listCell('constraint-error', cell, messageFor(suspect, left & -left));
      }
    },
  }),
};

function typeMessage({ type, format }: CompiledField): string {
  return `The value is not of type ${type}${format === undefined ? '' : `, format ${format}`}.`;
}

function messageFor({ field, bytes, start, end }: SuspectCell, bit: number): string {
  const { constraints } = field;
  return constraints === undefined ? '' : constraintMessage(constraints, bit, bytes, start, end);
}
