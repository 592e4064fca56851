import { nearestName, plainName, show } from '../descriptor-error.ts';
import type { CompiledSchema, FieldsMatch } from '../table-schema.ts';
import type { Check, LabelMatch } from './check.ts';

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
  /** The message without the label; absent where it quotes none but those that are fields. */
  readonly plainMessage?: string;
  /** Whether it only warns, since no schema says what the label should be. */
  readonly isMild?: boolean;
}

export interface HeaderMatch extends LabelMatch {
  readonly faults: readonly HeaderFault[];
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
        return match;
      },
      header({ intact }, found) {
        if (!intact) return;
        for (const { type, column, message, isMild = false, ...texts } of faults) {
          const cells = column < 0 ? [] : [column];
          if (found.count(type, column, 1, isMild))
            found.listCell(type, column, message, { ...texts, value: null, cells });
        }
      },
    };
  },
};

/**
 * Compares a file's labels with the schema's fields.
 *
 * Every fault is named once: a label that is blank or comes twice is not also unknown, and it stands for the
 * field at its own position when no other label does, so that one bad label does not leave its column unchecked.
 * A label that is written almost like a field's name is a fault, and its column is checked as that field.
 */
export function matchHeader(
  labels: readonly string[],
  schema: CompiledSchema | undefined,
): HeaderMatch {
  const faults: HeaderFault[] = [];
  const unusable = unusableLabels(labels, faults);
  if (schema === undefined) {
    noteInvisible(labels, unusable, faults);
    return {
      faults,
      fieldOfColumn: labels.map(() => -1),
      schemaLayout: undefined,
      known: true,
    };
  }
  const names = schema.fields.map((field) => field.name);
  const indexes = new Map(names.map((name, index) => [name, index]));
  const fieldOfColumn = labels.map((label, column) =>
    unusable.has(column) ? -1 : (indexes.get(label) ?? -1),
  );
  const taken = new Set(fieldOfColumn);
  const take = (column: number, field: number): void => {
    fieldOfColumn[column] = field;
    taken.add(field);
  };
  const isUnknown = (column: number): boolean =>
    fieldOfColumn[column] === -1 && !unusable.has(column);

  noteAlike(labels, names, isUnknown, taken, take, faults);
  const byName = [...fieldOfColumn];
  labels.forEach((label, column) => {
    const standsIn = unusable.has(column) || schema.fieldsMatch === 'exact';
    if (byName[column] !== -1 || !standsIn || column >= names.length || taken.has(column)) return;
    take(column, column);
    if (!unusable.has(column)) faults.push(incorrect(column, label, names[column]));
  });
  if (schema.fieldsMatch === 'exact') noteOrder(labels, byName, names, faults);
  else if (schema.fieldsMatch !== 'partial') {
    noteMisspelt(labels, names, isUnknown, taken, take, faults);
  }
  noteExtra(labels, fieldOfColumn, unusable, schema.fieldsMatch, faults);
  // That a blank header has none of the labels is not a second fault.
  if (faults[0]?.type !== 'blank-header') noteMissing(schema, taken, faults);
  const schemaLayout = faults.length === 0 ? undefined : layoutOf(schema, labels, byName);
  const known = byName.some((field) => field >= 0) || hasKnown(labels, names, indexes);
  // Columns without labels are read by their places: nothing says that they are others.
  const blank = faults[0]?.type === 'blank-header';
  return { faults, fieldOfColumn, schemaLayout, known: known || blank };
}

/** Whether any label is a field's, be it more than once, or is nearly one. */
function hasKnown(
  labels: readonly string[],
  names: readonly string[],
  indexes: ReadonlyMap<string, number>,
): boolean {
  if (labels.some((label) => indexes.has(label))) return true;
  if (labels.length > MOST_COMPARED || names.length > MOST_COMPARED) return false;
  return labels.some((label) => label !== '' && nearestName(label, names) !== undefined);
}

/**
 * The fields of a row's cells where it has one for each field of the schema, and the header has another number of
 * labels: in the schema's order, or where the labels that are known tell another one, in theirs. Undefined where the
 * number of columns does not follow from the schema.
 */
function layoutOf(
  { fields, fieldsMatch }: CompiledSchema,
  labels: readonly string[],
  byName: readonly number[],
): number[] | undefined {
  if (labels.length === fields.length) return undefined;
  const known = byName.filter((field) => field >= 0);
  const fixed = fieldsMatch === 'exact' || fieldsMatch === 'equal';
  if (!fixed && known.length > 0) return undefined;
  const inOrder = known.every((field, place) => place === 0 || field > (known[place - 1] ?? -1));
  if (inOrder) return fields.map((_, field) => field);
  const placed = new Set(byName.slice(0, fields.length));
  const others = fields.flatMap((_, field) => (placed.has(field) ? [] : [field]));
  let next = 0;
  return fields.map((_, column) => {
    const field = byName[column] ?? -1;
    return field >= 0 ? field : (others[next++] ?? -1);
  });
}

/** Labels that are a field's name but for how it is written: one fault for all of them. */
function noteAlike(
  labels: readonly string[],
  names: readonly string[],
  isUnknown: (column: number) => boolean,
  taken: ReadonlySet<number>,
  take: (column: number, field: number) => void,
  faults: HeaderFault[],
): void {
  if (!labels.some((_, column) => isUnknown(column))) return;
  const fields = new Map<string, number>();
  names.forEach((name, field) => {
    if (!taken.has(field)) fields.set(plainName(name), field);
  });
  const alike: { column: number; label: string; name: string }[] = [];
  labels.forEach((label, column) => {
    const field = isUnknown(column) ? fields.get(plainName(unwrapped(unmarked(label)))) : undefined;
    if (field === undefined || taken.has(field)) return;
    take(column, field);
    alike.push({ column, label, name: names[field] ?? '' });
  });
  const [first] = alike;
  if (first === undefined) return;
  const examples = alike.slice(0, MOST_EXAMPLES).map((one) => {
    const invisible = Array.from(one.label).filter((character) =>
      /[\p{Cf}\p{Cc}]/u.test(character),
    );
    const points = invisible.map(codePointName).join(', ');
    return `${show(one.label)} for ${show(one.name)}${points === '' ? '' : ` (${points})`}`;
  });
  const more = alike.length > MOST_EXAMPLES ? `, and ${alike.length - MOST_EXAMPLES} more` : '';
  const message = `Labels are written otherwise than the schema's fields, ${differenceOf(alike)}: ${examples.join(', ')}${more}.`;
  const plainMessage = `Labels are written otherwise than the schema's fields, ${differenceOf(alike)}: ${alike.map(({ name }) => show(name)).join(', ')}.`;
  const { column, label } = first;
  faults.push({ type: 'incorrect-label', column, label, message, plainMessage });
}

/**
 * Joiners shape words of Persian and Indic scripts, line breaks stand in labels that were wrapped, and a byte order mark
 * has a kind of its own.
 */
const INVISIBLE = /(?!\p{Join_C}|[\t\n\r\ufeff])[\p{Cf}\p{Cc}]|^\p{Join_C}|\p{Join_C}$/gu;

/** What a byte order mark becomes that is read as Windows-1252 and encoded anew. */
const READ_MARK = '\u00ef\u00bb\u00bf';

function unmarked(label: string): string {
  return label.startsWith(READ_MARK) ? label.slice(READ_MARK.length) : label;
}

/** A label that is wrapped in a formula, as spreadsheets are kept from reading a value as a number. */
const FORMULA = /^="(.*)"$/s;

function unwrapped(label: string): string {
  return FORMULA.exec(label)?.[1] ?? label;
}

const PADDED = /^[ \t\u00a0]|[ \t\u00a0]$/;

/** Labels with characters that nobody sees, or blanks around them: whoever looks for the column by its name does not find it. */
function noteInvisible(
  labels: readonly string[],
  unusable: ReadonlySet<number>,
  faults: HeaderFault[],
): void {
  labels.forEach((label, column) => {
    const points = Array.from(label.matchAll(INVISIBLE), ([character]) => codePointName(character));
    const isPadded = PADDED.test(label);
    const isMarked = label.startsWith(READ_MARK);
    const isFormula = FORMULA.test(label);
    const isPlain = points.length === 0 && !isPadded && !isMarked && !isFormula;
    if (isPlain || unusable.has(column)) return;
    const shown = [...new Set(points)].slice(0, MOST_EXAMPLES).join(', ');
    const messages = worded(label, column, (name) => {
      if (points.length > 0) return `${name} has invisible characters: ${shown}.`;
      if (isFormula) return `${name} is wrapped in a formula, as for a spreadsheet.`;
      return isMarked
        ? `${name} begins with a byte order mark that was read as Windows-1252.`
        : `${name} begins or ends with blanks.`;
    });
    faults.push({ type: 'incorrect-label', column, label, ...messages, isMild: true });
  });
}

/** A message that quotes a label, and the same one that names it by its number. */
function worded(
  label: string,
  column: number,
  message: (name: string) => string,
): Pick<HeaderFault, 'message' | 'plainMessage'> {
  return {
    message: message(`Label ${show(label)}`),
    plainMessage: message(`Label ${column + 1}`),
  };
}

/** Labels that a message gives as examples. */
const MOST_EXAMPLES = 3;

function codePointName(character: string): string {
  const point = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${point}`;
}

function differenceOf(alike: readonly { label: string; name: string }[]): string {
  if (alike.every(({ label, name }) => label.startsWith(READ_MARK) && unmarked(label) === name)) {
    return 'in a byte order mark that was read as Windows-1252 only';
  }
  if (alike.every(({ label, name }) => unwrapped(label) === name)) {
    return 'in formulas around them only';
  }
  if (alike.every(({ label, name }) => label.toLowerCase() === name.toLowerCase())) {
    return 'in upper and lower case only';
  }
  const seen = (text: string): string => text.replace(/[\p{Cf}\p{Cc}]/gu, '');
  if (alike.every(({ label, name }) => seen(label) === seen(name))) {
    return 'in invisible characters only';
  }
  const composed = (text: string): string => text.normalize('NFC');
  if (alike.every(({ label, name }) => composed(label) === composed(name))) {
    return 'in how characters are composed only';
  }
  return 'in case, spaces, hyphens, underscores or invisible characters only';
}

/** Above so many labels or fields nobody looks for misspelt ones: the time goes with their product. */
const MOST_COMPARED = 200;

/** Labels that are nearly the name of a field that no other label stands for. */
function noteMisspelt(
  labels: readonly string[],
  names: readonly string[],
  isUnknown: (column: number) => boolean,
  taken: ReadonlySet<number>,
  take: (column: number, field: number) => void,
  faults: HeaderFault[],
): void {
  if (labels.length > MOST_COMPARED || names.length > MOST_COMPARED) return;
  labels.forEach((label, column) => {
    if (!isUnknown(column)) return;
    const near = nearestName(
      label,
      names.filter((_, field) => !taken.has(field)),
    );
    if (near === undefined) return;
    take(column, names.indexOf(near));
    const messages = worded(
      label,
      column,
      (name) => `${name} is not a field of the schema; did you mean ${show(near)}?`,
    );
    faults.push({ type: 'incorrect-label', column, label, ...messages });
  });
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
      const messages = worded(
        label,
        column,
        (name) => `${name} was used in column ${earlier + 1} already.`,
      );
      faults.push({ type: 'duplicate-label', column, label, ...messages });
    } else {
      first.set(label, column);
      return;
    }
    unusable.add(column);
  });
  return unusable;
}

function incorrect(column: number, label: string, expected: string | undefined): HeaderFault {
  const messages = worded(
    label,
    column,
    (name) => `${name} stands where the schema has ${show(expected)}.`,
  );
  return { type: 'incorrect-label', column, label, ...messages };
}

/** Known labels must come in the schema's order, else that is one fault; extra and missing ones do not count as disorder. */
function noteOrder(
  labels: readonly string[],
  byName: readonly number[],
  names: readonly string[],
  faults: HeaderFault[],
): void {
  const known = byName.filter((field) => field >= 0);
  const ordered = [...known].sort((a, b) => a - b);
  let place = 0;
  const astray = byName.flatMap((field, column) => {
    if (field < 0) return [];
    const expected = ordered[place++] ?? field;
    return expected === field ? [] : [{ column, expected }];
  });
  const [first] = astray;
  if (first === undefined) return;
  const label = labels[first.column] ?? '';
  const message = `${astray.length} labels are in another order than the schema's fields: ${show(label)} stands where the schema has ${show(names[first.expected])}.`;
  faults.push({ type: 'incorrect-label', column: first.column, label, message });
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
    const messages = worded(label, column, (name) => `${name} is not a field of the schema.`);
    faults.push({ type: 'extra-label', column, label, ...messages });
  });
}

function noteMissing(
  { fields, fieldsMatch, foreignKeys, keys, references }: CompiledSchema,
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
    const needed = required
      ? 'required'
      : inKey(field, [...keys, ...references], foreignKeys)
        ? 'part of a key'
        : undefined;
    if (mayBeAbsent && needed === undefined) return;
    const why = mayBeAbsent ? `; it is ${needed}` : '';
    const message = `The schema's field ${show(name)} has no label${why}.`;
    faults.push({ type: 'missing-label', column: -1, label: name, message });
  });
}

function inKey(
  field: number,
  keys: readonly { readonly fields: readonly number[] }[],
  foreignKeys: CompiledSchema['foreignKeys'],
): boolean {
  const lists = [...keys, ...foreignKeys].map(({ fields }) => fields);
  return [...lists, ...foreignKeys.map(({ reference }) => reference)].some((fields) =>
    fields.includes(field),
  );
}
