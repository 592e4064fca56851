import { existsSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { InspectOptions } from '@file-processing/quality/inspect.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { stringify } from 'yaml';
import { listMappings, type StoredMapping } from '../database/mappings.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import {
  type AppliedRuleSet,
  applyRuleSet,
  lastRuleSet,
  planOf,
  retireByHand,
} from '../database/rules.ts';
import { createEngine, type Engine } from '../jobs/engine-ports.ts';
import { allowedRouting } from '../jobs/route-verdict.ts';
import { expectationOf, withRules } from '../jobs/s3-data-quality-job.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { restore, withhold } from '../privacy/withhold.ts';
import { placeOf, type RuleChange, type RuleChangeKind, type RulePlan } from '../rules/plan.ts';
import {
  missingMappings,
  missingReferences,
  type RuleMapping,
  type RuleSet,
  RuleSetError,
  readRuleFolder,
  refusedRouting,
} from '../rules/rule-set.ts';
import { type RuleOfSample, ruleOfSample } from '../rules/samples.ts';
import { scheduleAsWritten } from '../schedule/schedule.ts';
import { type Command, configWithoutDatabase, UsageError } from './command-context.ts';
import { exitCodeOfVerdict, mostSerious } from './exit-codes.ts';
import { referencesFromFiles } from './offline-references.ts';
import { amount, namesText, printable, reportText, tableText } from './report-text.ts';
import { inspectFile } from './validate.ts';
import { withDatabase } from './with-database.ts';

/** Options of `rules check`. */
export interface CheckRulesOptions {
  readonly folder: string;
  /** Files to be judged by the rule that their path fits. */
  readonly samples: readonly string[];
  readonly json: boolean;
}

/** Checks a rule set without a database, and judges samples by it. */
export const checkRules: Command<CheckRulesOptions> = async (context, options) => {
  const { folder, samples, json } = options;
  const { stdout } = context;
  const config = configWithoutDatabase(context);
  const { maxFaults } = config;
  const engine = createEngine(config);
  let rules: RuleSet;
  try {
    rules = await readWholeSet(folder);
    // Elsewhere than where the listener runs nobody knows what it may do.
    const refused = config.s3.routingIsSet ? refusedRouting(rules, allowedRouting(config)) : [];
    if (refused.length > 0) throw new RuleSetError(folder, refused);
  } catch (error) {
    if (!json || !(error instanceof RuleSetError)) throw error;
    stdout.write(`${JSON.stringify({ faults: error.faults, samples: [] }, null, 2)}\n`);
    return EXIT.usage;
  }
  const found = samples.map((sample) => ({ sample, rule: ruleOf(sample, rules) }));
  const judged: unknown[] = [];
  const codes: number[] = [];
  if (!json) stdout.write(`${printable(folder)}: ${setText(rules)}\n`);
  for (const { sample, rule } of found) {
    if ('reason' in rule) {
      judged.push({ sample, reason: rule.reason });
      codes.push(EXIT.bad);
      if (!json) stdout.write(`NO RULE  ${printable(sample)}: ${printable(rule.reason)}\n`);
      continue;
    }
    const others = found.filter((one) => one.sample !== sample);
    const report = await judgeSample(sample, rule, { maxFaults, engine, others });
    const by = { file: rule.monitoringFile.file, mapping: rule.mapping.name };
    judged.push({ sample, ...by, report });
    codes.push(exitCodeOfVerdict(report.verdict));
    if (json) continue;
    stdout.write(reportText(sample, report));
    stdout.write(`  chosen by ${printable(by.file)}\n`);
  }
  if (json) {
    const { digest } = rules;
    stdout.write(`${JSON.stringify({ digest, faults: [], samples: judged }, null, 2)}\n`);
  }
  return mostSerious(codes);
};

/** A sample, and the rule that its path fits. */
interface FoundSample {
  readonly sample: string;
  readonly rule: ReturnType<typeof ruleOfSample>;
}

function ruleOf(sample: string, rules: RuleSet): ReturnType<typeof ruleOfSample> {
  const stats = statSync(sample, { throwIfNoEntry: false });
  if (stats?.isDirectory()) throw new UsageError(`${sample} is a folder`);
  if (!stats?.isFile()) throw new UsageError(`there is no file ${sample}`);
  return ruleOfSample(resolve(sample).split(sep).join('/'), rules);
}

/** What a sample is judged with. */
interface SampleContext {
  readonly maxFaults: number;
  readonly engine: Engine;
  readonly others: readonly FoundSample[];
}

async function judgeSample(
  sample: string,
  { mapping, monitoringFile }: RuleOfSample,
  { maxFaults, engine, others }: SampleContext,
): Promise<QualityReport> {
  const { name, version } = mapping;
  // Other samples of the same client stand for what was accepted of them last.
  const siblings = new Map(
    others.flatMap(({ sample: path, rule }) =>
      'reason' in rule || rule.monitoringFile.value.client !== monitoringFile.value.client
        ? []
        : [[rule.mapping.name, { path, mapping: rule.mapping }] as const],
    ),
  );
  const references = await referencesFromFiles(
    expectationOf(mapping),
    new Map([...siblings].map(([resource, { path }]) => [resource, path])),
    engine,
    async (path, _fields, rowReader) => {
      const other = [...siblings.values()].find((one) => one.path === path)?.mapping ?? mapping;
      const { verdict } = await inspectSample(path, other, engine, { maxFaults: 0, rowReader });
      return verdict === 'passed' || verdict === 'warned' ? undefined : `it is ${verdict}`;
    },
  );
  const report = await inspectSample(sample, mapping, engine, { maxFaults, references });
  const ruled = withRules(report, { name, version: version ?? 0 });
  return restore(withhold(ruled, true), shownClasses(PLACES.terminal));
}

function inspectSample(
  path: string,
  mapping: RuleMapping,
  { ports, maxKeyBytes, unpackLimits }: Engine,
  options: InspectOptions,
): Promise<QualityReport> {
  // readRuleFolder has checked them.
  const expectation = expectationOf(mapping);
  return inspectFile(path, ports, { expectation, maxKeyBytes, ...unpackLimits, ...options });
}

/**
 * Reads a rule set that is complete.
 *
 * @throws {UsageError} where there is no such folder
 * @throws {RuleSetError} also for a monitored file whose mapping the set lacks
 */
export async function readWholeSet(folder: string): Promise<RuleSet> {
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
  const rules = await readRuleFolder(folder, expectationProblems);
  const missing = [...missingMappings(rules), ...missingReferences(rules)];
  if (missing.length > 0) throw new RuleSetError(folder, missing);
  return rules;
}

function setText({ mappings, monitoringFiles, digest }: RuleSet): string {
  return `${amount(mappings.length, 'mapping')}, ${amount(monitoringFiles.length, 'monitored file')}, digest ${digest.slice(0, SHORT_DIGEST)}`;
}

/** Characters of a digest that tell two rule sets apart. */
const SHORT_DIGEST = 12;

/** Options of `rules apply`. */
export interface ApplyRulesOptions {
  readonly folder: string;
  /** Says what would change, and changes nothing. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Applies a rule set, or says what that would change. */
export const applyRules: Command<ApplyRulesOptions> = async (context, options) => {
  const { folder, dryRun, json } = options;
  const rules = await readWholeSet(folder);
  return withDatabase(context, async (database, config) => {
    const routing = allowedRouting(config);
    const plan = dryRun
      ? await planOf(database, rules, routing)
      : await applyRuleSet(database, rules, folder, routing);
    if (plan.faults.length > 0) throw new RuleSetError(folder, plan.faults);
    const { changes, leftAlone } = plan;
    const { digest } = rules;
    if (json) {
      const document = { digest, dryRun, changes, leftAlone };
      context.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    } else {
      const what = dryRun ? `${amount(changes.length, 'change')} to apply` : appliedText(changes);
      context.stdout.write(`${planText(plan)}${what}; ${setText(rules)}\n`);
    }
    return EXIT.ok;
  });
};

function appliedText(changes: readonly RuleChange[]): string {
  return changes.length === 0 ? 'nothing to change' : `${amount(changes.length, 'change')} applied`;
}

const SIGNS: Readonly<Record<RuleChangeKind, string>> = {
  created: '+',
  changed: '~',
  adopted: '~',
  restored: '+',
  moved: '~',
  retired: '-',
};

/** A line for each change and for each row that is left alone. */
function planText({ changes, leftAlone }: Pick<RulePlan, 'changes' | 'leftAlone'>): string {
  const lines = changes.map(({ kind, subject, name, file, details }) => {
    const from = file === null ? '' : ` (${file})`;
    const what = details.length === 0 ? kind : `${kind}: ${details.join(', ')}`;
    return `${SIGNS[kind]} ${subject} ${name}${from}: ${what}`;
  });
  for (const { name, winsOver } of leftAlone) {
    const wins =
      winsOver === undefined
        ? ''
        : `; it counts, and not what ${winsOver} says, until it is retired: rules retire`;
    lines.push(`= monitored file ${name}: made by hand, left alone${wins}`);
  }
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** Options of `rules list`. */
export interface ListRulesOptions {
  /** With those that were retired. */
  readonly all: boolean;
  readonly client?: string;
  readonly json: boolean;
}

/** Lists the monitored files that the database has, and which rule set was applied last. */
export const listRules: Command<ListRulesOptions> = (context, { all, client, json }) =>
  withDatabase(context, async (database) => {
    const known = (await listMonitoringFiles(database)).filter(
      (file) => all || file.retiredAt === null,
    );
    const files = known.filter((file) => (client ?? file.client) === file.client);
    if (client !== undefined && files.length === 0) {
      const clients = namesText(known.map((file) => file.client));
      throw new UsageError(`no monitored file is of client ${client}; known: ${clients}`);
    }
    const applied = await lastRuleSet(database);
    context.stdout.write(
      json
        ? `${JSON.stringify({ applied: applied ?? null, monitoringFiles: files }, null, 2)}\n`
        : filesText(files, applied),
    );
    return EXIT.ok;
  });

function filesText(files: readonly MonitoringFile[], applied: AppliedRuleSet | undefined): string {
  const rows = files.map((file) => [
    `${file.id}`,
    printable(file.client),
    stateOf(file),
    `${file.mappingName} ${file.mappingVersion}`,
    printable(file.ruleFile ?? 'by hand'),
    printable(placeOf(file)),
  ]);
  const titles = ['id', 'client', 'state', 'mapping', 'from', 'bucket and pattern'];
  const table = rows.length === 0 ? '' : tableText(titles, rows);
  const set =
    applied === undefined
      ? 'no rule set was applied'
      : `rule set ${applied.digest.slice(0, SHORT_DIGEST)} of ${printable(applied.location)}, applied ${applied.appliedAt.toISOString()}`;
  return `${table}${amount(files.length, 'monitored file')}; ${set}\n`;
}

function stateOf({ active, retiredAt }: MonitoringFile): string {
  if (retiredAt !== null) return 'retired';
  return active ? 'active' : 'inactive';
}

/** Options of `rules show`. */
export interface ShowRuleOptions {
  /** The id of a monitored file, or a mapping as `officer_detail` or `officer_detail@2`. */
  readonly name: string;
  readonly json: boolean;
}

/** Shows a monitored file or a version of a mapping as a file of a rule set would have it. */
export const showRule: Command<ShowRuleOptions> = (context, { name, json }) =>
  withDatabase(context, async (database) => {
    const rule = /^\d+$/.test(name)
      ? fileOf(await listMonitoringFiles(database), name)
      : mappingNamed(await listMappings(database), name);
    context.stdout.write(json ? `${JSON.stringify(rule, null, 2)}\n` : textOf(rule));
    return EXIT.ok;
  });

function fileOf(files: readonly MonitoringFile[], id: string): MonitoringFile {
  const found = files.find((file) => `${file.id}` === id);
  if (found === undefined) throw new UsageError(`there is no monitored file ${id}; see rules list`);
  return found;
}

function mappingNamed(mappings: readonly StoredMapping[], text: string): StoredMapping {
  const [name, version] = text.split('@');
  const versions = mappings.filter((mapping) => mapping.name === name);
  const found = version
    ? versions.find((mapping) => `${mapping.version}` === version)
    : (versions.findLast(({ retiredAt }) => retiredAt === null) ?? versions.at(-1));
  if (found !== undefined) return found;
  const known =
    versions.length > 0
      ? `versions: ${versions.map((mapping) => mapping.version).join(', ')}`
      : `mappings: ${[...new Set(mappings.map((mapping) => mapping.name))].join(', ') || 'none'}`;
  throw new UsageError(`there is no mapping ${text}; ${known}`);
}

function textOf(rule: MonitoringFile | StoredMapping): string {
  const { ruleFile, retiredAt, ...rest } = rule;
  const origin = ruleFile === null ? 'made by hand' : `from ${printable(ruleFile)}`;
  const retired = retiredAt === null ? '' : `, retired ${retiredAt.toISOString()}`;
  return `# ${origin}${retired}\n${stringify(definitionOf(rest))}`;
}

/** In the form that a rule set has. */
function definitionOf(
  rule:
    | Omit<MonitoringFile, 'ruleFile' | 'retiredAt'>
    | Omit<StoredMapping, 'ruleFile' | 'retiredAt'>,
): object {
  if ('name' in rule) return saying(rule);
  const { id: _id, mappingName, mappingVersion, schedule, ...others } = rule;
  const rest = { ...others, schedule: schedule && scheduleAsWritten(schedule) };
  return {
    ...saying(rest),
    mapping: { name: mappingName, version: mappingVersion },
  };
}

/** Without the parts that say nothing, as a file would leave them out. */
function saying(parts: object): object {
  const isEmpty = (value: unknown) =>
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(
    Object.entries(parts).filter(([name, value]) => name === 'tableSchema' || !isEmpty(value)),
  );
}

/** Options of `rules retire`. */
export interface RetireRuleOptions {
  /** Of a monitored file that was made by hand. */
  readonly id: string;
}

/** Takes a monitored file that was made by hand out of use; its rows and verdicts stay. */
export const retireRule: Command<RetireRuleOptions> = (context, { id }) =>
  withDatabase(context, async (database) => {
    const file = fileOf(await listMonitoringFiles(database), id);
    const name = printable(placeOf(file));
    if (file.ruleFile !== null) {
      throw new UsageError(
        `${name} comes from ${printable(file.ruleFile)} of the rule set: delete the file there and apply the set`,
      );
    }
    if ((await retireByHand(database, file.id)) === undefined) {
      throw new UsageError(`${name} is retired already`);
    }
    context.stdout.write(
      `retired: ${name}; what a rule set defines for this pattern counts when it is applied next\n`,
    );
    return EXIT.ok;
  });
