import { show } from '../descriptor-error.ts';
import type { CompiledSchema, FieldsMatch } from '../table-schema.ts';
import type { Check } from './check.ts';

type Kind =
  | 'blank-header'
  | 'blank-label'
  | 'duplicate-label'
  | 'missing-label'
  | 'extra-label'
  | 'incorrect-label';

/** A fault of the header row. */
export interface HeaderFault {
  readonly type: Kind;
  /** Index of the label, or -1 for a label that is not there. */
  readonly column: number;
  readonly label: string | null;
  readonly message: string;
}

export interface HeaderMatch {
  readonly faults: readonly HeaderFault[];
  /** For each label the index of its field in the schema, or -1. */
  readonly fieldOfColumn: readonly number[];
}

export const HEADER_CHECK: Check<Kind> = {
  kinds: [
    'blank-header',
    'blank-label',
    'duplicate-label',
    'missing-label',
    'extra-label',
    'incorrect-label',
  ],
  begin({ schema }) {
    let faults: readonly HeaderFault[] = [];
    return {
      match(labels) {
        const match = matchHeader(labels, schema);
        faults = match.faults;
        return match.fieldOfColumn;
      },
      header({ intact }, found) {
        if (!intact) return;
        for (const { type, column, label, message } of faults) {
          if (found.count(type)) found.listCell(type, column, message, { label, value: null });
        }
      },
    };
  },
};

/**
 * Compares a file's labels with the schema's fields, names told apart by case.
 *
 * Every fault is named once: a label that is blank or comes twice is not also unknown, and it stands for the
 * field at its own position when no other label does, so that one bad label does not leave its column unchecked.
 */
export function matchHeader(
  labels: readonly string[],
  schema: CompiledSchema | undefined,
): HeaderMatch {
  const faults: HeaderFault[] = [];
  const unusable = unusableLabels(labels, faults);
  const fieldOfColumn = labels.map((label, column) =>
    schema === undefined || unusable.has(column)
      ? -1
      : schema.fields.findIndex((field) => field.name === label),
  );
  if (schema === undefined) return { faults, fieldOfColumn };

  const names = schema.fields.map((field) => field.name);
  const taken = new Set(fieldOfColumn);
  const byName = [...fieldOfColumn];
  labels.forEach((label, column) => {
    const unknown = byName[column] === -1;
    const standsIn = unusable.has(column) || schema.fieldsMatch === 'exact';
    if (!unknown || !standsIn || column >= names.length || taken.has(column)) return;
    fieldOfColumn[column] = column;
    taken.add(column);
    if (!unusable.has(column)) faults.push(incorrect(column, label, names[column]));
  });
  if (schema.fieldsMatch === 'exact') noteOrder(labels, byName, names, faults);
  noteExtra(labels, fieldOfColumn, unusable, schema.fieldsMatch, faults);
  noteMissing(schema, taken, faults);
  return { faults, fieldOfColumn };
}

/** Labels that are blank or came before; if all are blank, that is one fault of the header. */
function unusableLabels(labels: readonly string[], faults: HeaderFault[]): Set<number> {
  const unusable = new Set<number>();
  const first = new Map<string, number>();
  if (labels.every((label) => label.trim() === '')) {
    faults.push({ type: 'blank-header', column: -1, label: null, message: 'The header is blank.' });
    return new Set(labels.keys());
  }
  labels.forEach((label, column) => {
    const earlier = first.get(label);
    if (label.trim() === '') {
      const message = `Label ${column + 1} is blank.`;
      faults.push({ type: 'blank-label', column, label, message });
    } else if (earlier !== undefined) {
      const message = `Label ${show(label)} was used in column ${earlier + 1} already.`;
      faults.push({ type: 'duplicate-label', column, label, message });
    } else {
      first.set(label, column);
      return;
    }
    unusable.add(column);
  });
  return unusable;
}

function incorrect(column: number, label: string, expected: string | undefined): HeaderFault {
  const message = `Label ${show(label)} stands where the schema has ${show(expected)}.`;
  return { type: 'incorrect-label', column, label, message };
}

/** Known labels must come in the schema's order; extra and missing ones do not count as disorder. */
function noteOrder(
  labels: readonly string[],
  byName: readonly number[],
  names: readonly string[],
  faults: HeaderFault[],
): void {
  const known = byName.filter((field) => field >= 0);
  const ordered = [...known].sort((a, b) => a - b);
  let place = 0;
  byName.forEach((field, column) => {
    if (field < 0) return;
    const expected = ordered[place++];
    if (expected !== undefined && expected !== field) {
      faults.push(incorrect(column, labels[column] ?? '', names[expected]));
    }
  });
}

function noteExtra(
  labels: readonly string[],
  fieldOfColumn: readonly number[],
  unusable: ReadonlySet<number>,
  match: FieldsMatch,
  faults: HeaderFault[],
): void {
  if (match === 'subset' || match === 'partial') return;
  labels.forEach((label, column) => {
    if ((fieldOfColumn[column] ?? -1) >= 0 || unusable.has(column)) return;
    const message = `Label ${show(label)} is not a field of the schema.`;
    faults.push({ type: 'extra-label', column, label, message });
  });
}

function noteMissing(
  { fields, fieldsMatch, keys }: CompiledSchema,
  taken: ReadonlySet<number>,
  faults: HeaderFault[],
): void {
  if (fieldsMatch === 'partial' && !fields.some((_, field) => taken.has(field))) {
    const message = `No label is a field of the schema: ${fields.map(({ name }) => name).join(', ')}.`;
    faults.push({ type: 'missing-label', column: -1, label: null, message });
    return;
  }
  const mayBeAbsent = fieldsMatch === 'superset' || fieldsMatch === 'partial';
  fields.forEach(({ name, required }, field) => {
    if (taken.has(field)) return;
    // Without its column nobody could tell whether a rule of the field is kept.
    const needed = required ? 'required' : inKey(field, keys) ? 'part of a key' : undefined;
    if (mayBeAbsent && needed === undefined) return;
    const why = mayBeAbsent ? `; it is ${needed}` : '';
    const message = `The schema's field ${show(name)} has no label${why}.`;
    faults.push({ type: 'missing-label', column: -1, label: name, message });
  });
}

function inKey(field: number, keys: CompiledSchema['keys']): boolean {
  return keys.some(({ fields }) => fields.includes(field));
}
