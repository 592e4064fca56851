import { brokenConstraints } from '../field-constraints.ts';
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
    cell({ cell, field, isNull, bytes, start, end, value }, found) {
      const broken = isNull
        ? field.required && ['required']
        : !Number.isNaN(value) &&
          field.constraints !== undefined &&
          brokenConstraints(field.constraints, bytes, start, end, value);
      for (const message of broken || []) {
        if (found.count('constraint-error')) found.listCell('constraint-error', cell, message);
      }
    },
  }),
};
