import type { Check } from './check.ts';

export const TYPE_CHECK: Check<'type-error'> = {
  kinds: ['type-error'],
  begin: () => ({
    cell({ cell, field, isNull, value }, found) {
      if (isNull || !Number.isNaN(value) || !found.count('type-error')) return;
      found.listCell('type-error', cell, `The value is not of type ${field.type}.`);
    },
  }),
};

export const CONSTRAINT_CHECK: Check<'constraint-error'> = {
  kinds: ['constraint-error'],
  begin: () => ({
    cell({ cell, isNull, broken }, found) {
      // A null is suspected in a required field alone.
      for (const message of isNull ? ['required'] : broken) {
        if (found.count('constraint-error')) found.listCell('constraint-error', cell, message);
      }
    },
  }),
};
