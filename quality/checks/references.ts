import { percent, type RuleReport } from '../delivery-rules.ts';
import { HASH_WORDS, KeyHash } from '../key-hash.ts';
import { KeyBudget, KeyIndex } from '../key-index.ts';
import type { Reference } from '../ports.ts';
import {
  comparedType,
  hashCells,
  indexOfReference,
  REFERENCE_FORM,
  ReferenceHash,
} from '../reference-keys.ts';
import type { Scanner } from '../scanner.ts';
import type { CompiledReference } from '../table-schema.ts';
import { type Check, type Column, type Found, type InspectedFile, keyBudgetOf } from './check.ts';

type Kind = 'foreign-key';

/** A foreign key that can be judged. */
interface OpenReference {
  readonly reference: CompiledReference;
  readonly cells: readonly number[];
  /** Keys of the other file. */
  readonly keys: KeyIndex;
  readonly hash: ReferenceHash;
  /** Keys that were found before, so that one that comes in many rows is looked up by a hash that costs less. */
  readonly found: KeyIndex;
  readonly quickHash: KeyHash;
  compared: number;
  missing: number;
}

/** Foreign keys of other files: of the keys that those had when they were last accepted. */
export const REFERENCE_CHECK: Check<Kind> = {
  kinds: ['foreign-key'],
  begin(file) {
    let open: readonly OpenReference[] = [];
    let unjudged: readonly RuleReport[] = unjudgedReferences(file, UNREAD);
    return {
      open(columns) {
        for (const one of open) release(one);
        ({ open, unjudged } = openReferences(file, columns));
        if (open.length === 0) return undefined;
        return (record, found) => {
          for (const one of open) judge(one, file, record, found);
        };
      },
      end(found) {
        for (const report of unjudged) found.noteRule(report);
        for (const one of open) found.noteRule(reportOf(one, found));
        return true;
      },
      close() {
        for (const one of open) release(one);
      },
    };
  },
};

const UNREAD = 'the file cannot be read';

/** What is reported of foreign keys of other files where nothing of the file could be compared. */
export function unjudgedReferences({ schema }: InspectedFile, why = UNREAD): RuleReport[] {
  return (schema?.references ?? []).map((reference) => unjudgedReference(reference, why));
}

function openReferences(file: InspectedFile, columns: readonly Column[]) {
  const { ports, references, schema } = file;
  const budget = new KeyBudget(keyBudgetOf(file));
  const open: OpenReference[] = [];
  const unjudged: RuleReport[] = [];
  for (const reference of schema?.references ?? []) {
    const fields = reference.fields.flatMap((index) => schema?.fields[index] ?? []);
    const cells = fields.map((field) => columns.findIndex((column) => column.field === field));
    const types = fields.map(({ type }) => comparedType(type));
    const known = cells.includes(-1)
      ? 'its own fields have no columns'
      : knownKeys(reference, types, references, budget);
    if (typeof known === 'string') {
      unjudged.push(unjudgedReference(reference, known));
      continue;
    }
    const secret = new Int32Array(HASH_WORDS);
    ports.fillRandom(secret);
    open.push({
      ...{ reference, cells, keys: known.index, hash: new ReferenceHash(known.secret, ports) },
      ...{ found: new KeyIndex(budget), quickHash: new KeyHash(secret), compared: 0, missing: 0 },
    });
  }
  return { open, unjudged };
}

/** The keys that a foreign key refers to, or why they can't be compared. */
function knownKeys(
  { resource, reference }: CompiledReference,
  types: readonly string[],
  references: readonly Reference[],
  budget: KeyBudget,
): { readonly index: KeyIndex; readonly secret: Uint8Array } | string {
  const given = references.find(
    (one) =>
      one.resource === resource &&
      one.fields.length === reference.length &&
      one.fields.every((name, part) => name === reference[part]),
  );
  const keys = given?.keys ?? 'its keys are not known here';
  if (typeof keys === 'string') return keys;
  if (keys.form !== REFERENCE_FORM) return 'its keys were kept by another version';
  const other = keys.types.find((type, part) => type !== types[part]);
  if (other !== undefined) {
    return `its fields are of type ${keys.types.join(', ')}, and these of type ${types.join(', ')}`;
  }
  const index = indexOfReference(keys, budget);
  return index === undefined
    ? 'its keys need more memory than there is for keys'
    : { index, secret: keys.secret };
}

function judge(one: OpenReference, file: InspectedFile, record: Scanner, found: Found<Kind>): void {
  const { cells, hash, keys, quickHash } = one;
  if (!hashCells(quickHash, cells, file, record)) return;
  one.compared++;
  if (one.found.get(quickHash.words, 0) > 0) return;
  hashCells(hash, cells, file, record);
  if (keys.get(hash.words, 0) > 0) {
    one.found.find(quickHash.words, 0, 1);
    return;
  }
  one.missing++;
  const cell = cells[0] as number;
  if (!found.count('foreign-key', cell)) return;
  const { names, reference, resource } = one.reference;
  const message = `No row of ${resource} has this ${names.join(', ')} as its ${reference.join(', ')}.`;
  found.listCell('foreign-key', cell, message, { cells });
}

function reportOf({ reference, compared, missing }: OpenReference, found: Found<Kind>): RuleReport {
  const measured = compared === 0 ? 1 : (compared - missing) / compared;
  const broken = found.onlyWarns('foreign-key') ? 'warned' : 'failed';
  return {
    ...described(reference),
    outcome: missing === 0 ? 'passed' : broken,
    measured,
    message: `${nameOf(reference)} is ${percent(measured)}: ${compared - missing} of ${compared} keys are there.`,
  };
}

function unjudgedReference(reference: CompiledReference, why: string): RuleReport {
  const message = `${nameOf(reference)} was not judged, since ${why}.`;
  return { ...described(reference), outcome: 'not judged', measured: null, message };
}

function described({ names }: CompiledReference) {
  const allowed = 'every key in the other file';
  return { rule: 'ReferentialIntegrity', column: names.join(', '), allowed } as const;
}

function nameOf({ names, resource, reference }: CompiledReference): string {
  return `ReferentialIntegrity of ${names.join(', ')} in ${resource} (${reference.join(', ')})`;
}

function release({ keys, found }: OpenReference): void {
  keys.clear();
  found.clear();
}
