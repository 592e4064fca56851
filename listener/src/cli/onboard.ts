import { basename, join } from 'node:path';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { Document, isMap, isSeq, type Node } from 'yaml';
import { createEngine } from '../jobs/engine-ports.ts';
import { identifier } from '../rules/contract-import.ts';
import { placesOfSamples, scheduleOfDays } from '../rules/sample-names.ts';
import { type Command, configWithoutDatabase } from './command-context.ts';
import { writeRuleFiles } from './contracts.ts';
import { dateFormatsOf, evidenceOf, proposalOf } from './infer.ts';
import { printable } from './report-text.ts';
import { checkRules } from './rules.ts';
import type { Inspect } from './sample-dialect.ts';
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
  const proposal = await proposalOf(paths, inspect);
  if ('reason' in proposal) {
    context.stderr.write(`${printable(proposal.reason)}\n`);
    return EXIT.bad;
  }
  const { schema, seen, dialect, evidence: notes } = proposal;
  const places = placesOfSamples(paths.map((path) => basename(path)));
  const days = scheduleOfDays(paths.map((path) => basename(path)));
  const name = identifier(places.stem);

  const personal = seen.filter(({ isPersonal }) => isPersonal).map(({ label }) => label);
  const coded = schema.fields
    .filter(({ constraints }) => constraints?.enum !== undefined)
    .map((field) => field.name);
  const unique = schema.fields
    .filter(({ constraints }) => constraints?.unique === true)
    .map((field) => field.name);
  const bounded = schema.fields
    .filter(({ constraints }) => constraints?.minimum !== undefined)
    .map((field) => field.name);
  const fields = schema.fields.map(({ constraints, ...field }) => ({
    ...field,
    ...(personal.includes(field.name) ? { classification: 'sensitive' } : {}),
    ...(constraints === undefined ? {} : { constraints }),
  }));
  const mapping = new Document({
    name,
    ...(Object.keys(dialect).length > 0 ? { dialect } : {}),
    tableSchema: { ...schema, fields },
    rules: [{ rule: 'RowCount', fail: { min: 1 } }],
  });
  const sampleText = `${paths.length === 1 ? 'one sample' : `${paths.length} samples`}`;
  mapping.commentBefore = ` Made by onboard from ${sampleText}. The values that it copied from them are limits, codes and texts for missing values.`;
  comment(mapping.getIn(['tableSchema', 'fields'], true), seen.map(evidenceOf));
  commentKey(mapping, 'dialect', notes);
  commentKey(mapping, 'rules', ['A delivery without a row is a mistake.']);
  const file = new Document({
    ...{ client, bucket, keyPattern: places.keyPattern, mapping: name },
    ...(days === undefined ? {} : { schedule: { cron: days.cron, grace: 'P1D', dated: true } }),
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
    ...(options.client === undefined ? ['client: who delivers; replace my-client.'] : []),
    ...(options.bucket === undefined ? ['bucket: where files arrive; replace my-bucket.'] : []),
    `keyPattern: whether ${places.keyPattern} fits all deliveries, and no others.`,
    days === undefined
      ? 'schedule: when deliveries are due; the names of the samples do not show it.'
      : 'schedule: the hour; the names of the samples show only days.',
    'contact, severity: who is told of a bad delivery, and how much it matters.',
    ...(schema.primaryKey === undefined
      ? ['primaryKey: which columns identify a row; the samples show none, or have too few rows.']
      : [
          `primaryKey: whether ${schema.primaryKey} is one, or is unique in the samples by chance.`,
        ]),
    ...(unique.length > 0
      ? [
          `unique: whether a value of ${unique.join(', ')} may come twice in a file; in the samples none did.`,
        ]
      : []),
    ...(bounded.length > 0
      ? [
          `minimum, maximum: how far ${bounded.join(', ')} may go; the samples' own limits are proposed.`,
        ]
      : []),
    ...(coded.length > 0 ? [`enum: whether ${coded.join(', ')} may have other codes.`] : []),
    ...seen.flatMap((column) => {
      const [format, other] = dateFormatsOf(column);
      if (format === undefined || other === undefined) return [];
      return [
        `format: whether ${column.label} is written as ${format} or ${other}; all samples fit both.`,
      ];
    }),
    personal.length > 0
      ? `classification: whether these columns alone are personal, and so sensitive: ${personal.join(', ')}; the others are internal.`
      : 'classification: whether a column is personal; none looks so, and all are internal.',
    ...notes.filter((note) => note.endsWith('?')),
  ];
  context.stdout.write('\nTo decide:\n');
  for (const decision of decisions) context.stdout.write(`- ${printable(decision)}\n`);
  return code;
};

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
