import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { ProblemList } from '@file-processing/quality/descriptor-error.ts';
import { compileDialect, type TableDialect } from '@file-processing/quality/dialect.ts';
import {
  DELIMITERS,
  type FoundDialect,
  findDialect,
  HEAD_BYTES,
} from '@file-processing/quality/dialect-finder.ts';
import { Document, isMap, isSeq, type Node } from 'yaml';
import { createEngine } from '../jobs/engine-ports.ts';
import { identifier } from '../rules/contract-import.ts';
import { placesOfSamples, scheduleOfDays } from '../rules/sample-names.ts';
import { type Command, configWithoutDatabase } from './command-context.ts';
import { writeRuleFiles } from './contracts.ts';
import { evidenceOf, type Inspect, proposalOf } from './infer.ts';
import { printable } from './report-text.ts';
import { checkRules } from './rules.ts';
import { foundFiles, inspectFile } from './validate.ts';

/** Options of `onboard`. */
export interface OnboardOptions {
  /** Paths or patterns of files of one kind. */
  readonly files: readonly string[];
  /** Where the rule set is written; nothing there is replaced. */
  readonly into: string;
  /** @default a name that is to be replaced */
  readonly client?: string;
  /** @default a name that is to be replaced */
  readonly bucket?: string;
}

/** Tried where a file is not in UTF-8. */
const OTHER_ENCODING = 'windows-1252';

/**
 * Makes a first rule set of samples of one kind of file, whose comments say why, judges the samples by it, and lists what
 * a person must decide.
 */
export const onboard: Command<OnboardOptions> = async (context, options) => {
  const { files, into, client = 'my-client', bucket = 'my-bucket' } = options;
  const config = configWithoutDatabase(context);
  const engine = createEngine(config);
  const paths = (await foundFiles(files)).map(({ path }) => path);
  const inspect: Inspect = (path, expectation, rowReader) =>
    inspectFile(path, engine.ports, {
      ...(expectation === undefined ? {} : { expectation }),
      ...(rowReader === undefined ? {} : { rowReader }),
      ...{ maxFaults: 0, maxKeyBytes: engine.maxKeyBytes, ...engine.unpackLimits },
    });
  const { dialect: found, notes } = await dialectOf(paths, inspect);
  const proposal = await proposalOf(paths, (path, expectation, rowReader) =>
    inspect(path, { ...expectation, dialect: { ...expectation?.dialect, ...found } }, rowReader),
  );
  if ('reason' in proposal) {
    context.stderr.write(`${printable(proposal.reason)}\n`);
    return EXIT.bad;
  }
  const { schema, seen, delimiter } = proposal;
  const dialect = delimiter === ',' ? found : { ...found, delimiter };
  const places = placesOfSamples(paths.map((path) => basename(path)));
  const days = scheduleOfDays(paths.map((path) => basename(path)));
  const name = identifier(places.stem);

  const personal = seen.filter(({ isPersonal }) => isPersonal).map(({ label }) => label);
  const coded = schema.fields
    .filter(({ constraints }) => constraints?.enum !== undefined)
    .map((field) => field.name);
  const bounded: string[] = [];
  const fields = schema.fields.map((field) => {
    const { minimum, maximum, ...others } = field.constraints ?? {};
    // The next delivery has later days.
    const isDate = field.type === 'date';
    const kept = {
      ...others,
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined || isDate ? {} : { maximum }),
    };
    if (minimum !== undefined) bounded.push(field.name);
    const { constraints: _constraints, ...rest } = field;
    return {
      ...rest,
      ...(personal.includes(field.name) ? { classification: 'sensitive' } : {}),
      ...(Object.keys(kept).length > 0 ? { constraints: kept } : {}),
    };
  });
  const mapping = new Document({
    name,
    ...(Object.keys(dialect).length > 0 ? { dialect } : {}),
    tableSchema: { ...schema, fields },
    rules: [{ rule: 'RowCount', fail: { min: 1 } }],
  });
  const sampleText = `${paths.length === 1 ? 'one sample' : `${paths.length} samples`}`;
  mapping.commentBefore = ` Made by onboard from ${sampleText}; of their values ranges, codes and missing values are here.`;
  comment(mapping.getIn(['tableSchema', 'fields'], true), seen.map(evidenceOf));
  commentKey(mapping, 'dialect', notes);
  commentKey(mapping, 'rules', ['A delivery without a row is a mistake.']);
  const file = new Document({
    ...{ client, bucket, keyPattern: places.keyPattern, mapping: name },
    ...(days === undefined ? {} : { schedule: { cron: days.cron, grace: 'P1D' } }),
  });
  commentKey(file, 'keyPattern', [places.why]);
  if (days !== undefined) commentKey(file, 'schedule', [days.why]);

  const rules = new Map([
    [`mappings/${name}.yaml`, String(mapping)],
    [`monitoring_files/${name}.yaml`, String(file)],
  ]);
  await writeRuleFiles(into, rules);
  for (const path of rules.keys()) context.stdout.write(`wrote ${printable(join(into, path))}\n`);
  const code = await checkRules(context, { folder: into, samples: paths, json: false });
  const decisions = [
    ...(options.client === undefined ? ['client: who delivers; my-client stands for it.'] : []),
    ...(options.bucket === undefined
      ? ['bucket: where files arrive; my-bucket stands for it.']
      : []),
    `keyPattern: whether ${places.keyPattern} fits all deliveries, and no others.`,
    days === undefined
      ? 'schedule: when deliveries are due; the names of the samples do not say it.'
      : 'schedule: the hour; names of files say days alone.',
    'contact, severity: who hears of a bad delivery, and how much it matters.',
    ...(schema.primaryKey === undefined
      ? ['primaryKey: no column, or too few rows, proved to be one.']
      : [`primaryKey: whether ${schema.primaryKey} is one, or was unique by chance.`]),
    ...(bounded.length > 0
      ? [`minimum, maximum: those of the samples, of ${bounded.join(', ')}; widen them.`]
      : []),
    ...(coded.length > 0 ? [`enum: whether ${coded.join(', ')} may have other codes.`] : []),
    personal.length > 0
      ? `classification: ${personal.join(', ')} look personal and are sensitive; the others are internal.`
      : 'classification: no label looks personal; all columns are internal.',
    ...notes.filter((note) => note.endsWith('?')).map((note) => `dialect: ${note}`),
  ];
  context.stdout.write('\nTo decide:\n');
  for (const decision of decisions) context.stdout.write(`- ${printable(decision)}\n`);
  return code;
};

/**
 * How the first sample is written, as far as a dialect has to say it, and why. Other samples may have the first letter that
 * is no ASCII.
 */
async function dialectOf(
  paths: readonly string[],
  inspect: Inspect,
): Promise<{ dialect: TableDialect; notes: string[] }> {
  const dialect: TableDialect = {};
  const notes: string[] = [];
  const [path = ''] = paths;
  const { compression, encoding, faultCounts } = await inspect(path);
  let misread = (faultCounts['encoding-error'] ?? 0) > 0;
  for (const other of paths.slice(1)) {
    if (misread) break;
    misread = ((await inspect(other)).faultCounts['encoding-error'] ?? 0) > 0;
  }
  if (misread) {
    dialect.encoding = OTHER_ENCODING;
    notes.push(`encoding: it is not UTF-8, and any bytes are ${OTHER_ENCODING}: is that right?`);
  }
  if (compression !== undefined) {
    notes.push(
      'In a compressed sample neither other quotes nor lines before the header are found: has it any?',
    );
    return { dialect, notes };
  }
  const handle = await open(path);
  const buffer = new Uint8Array(HEAD_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, HEAD_BYTES).finally(() => handle.close());
  const text = new TextDecoder(dialect.encoding ?? encoding).decode(buffer.subarray(0, bytesRead));
  const bytes = new TextEncoder().encode(text);
  const read = (tried: TableDialect) =>
    findDialect(bytes, bytesRead < HEAD_BYTES, compileDialect(tried, '', new ProblemList()), []);
  const declared = compileDialect(undefined, '', new ProblemList());
  let found = read({});
  if (columnsOf(found) < 2) {
    // Lines before the header make a table of one column, which is never read otherwise.
    const others = DELIMITERS.map(({ character }) => read({ delimiter: character }));
    found = others.find((other) => columnsOf(other) > 1) ?? found;
    if (columnsOf(found) < 2) notes.push('Only one column was found: is it a table?');
    else notes.push('Commas make no table of it, and this delimiter does.');
  }
  if (found.dialect.delimiter !== declared.delimiter) {
    dialect.delimiter = String.fromCharCode(found.dialect.delimiter);
  }
  if (found.dialect.quote !== declared.quote && found.dialect.quote >= 0) {
    dialect.quoteChar = String.fromCharCode(found.dialect.quote);
  }
  if (found.dialect.headerRows.join() !== declared.headerRows.join()) {
    dialect.headerRows = [...found.dialect.headerRows];
  }
  notes.push(...found.differences.map(({ sentence }) => sentence));
  return { dialect, notes };
}

/** Of the first records from the header on, where all have as many; else 0. */
function columnsOf({ dialect, records }: FoundDialect): number {
  const header = (dialect.headerRows[0] ?? 1) - 1;
  const widths = new Set(records.slice(header).map(({ width }) => width));
  return widths.size === 1 ? ([...widths][0] ?? 0) : 0;
}

function comment(list: unknown, texts: readonly string[]): void {
  if (!isSeq(list)) return;
  list.items.forEach((item, index) => {
    (item as Node).commentBefore = lineOf(texts[index] ?? '');
  });
}

function commentKey({ contents }: Document, name: string, texts: readonly string[]): void {
  if (!isMap(contents) || texts.length === 0) return;
  const pair = contents.items.find(({ key }) => String(key) === name);
  if (pair !== undefined) (pair.key as Node).commentBefore = texts.map(lineOf).join('\n');
}

/** A label may have line ends, which would end the comment. */
function lineOf(text: string): string {
  return ` ${printable(text)}`;
}
