import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkFileProcessing, warnFileProcessing } from './check-file-processing.ts';
import {
  type CrossFinding,
  checkFoundationNetwork,
  warnAccounts,
} from './check-foundation-network.ts';
import { checkPostgresOnDemand } from './check-postgres-on-demand.ts';
import { commonVariables } from './common-variables.ts';
import { existingNetworkVariables, vpcName } from './existing-network.ts';
import { LISTENER_USER } from './file-processing/database.ts';
import {
  type FileProcessingSettings,
  fileProcessingVariables,
} from './file-processing-variables.ts';
import { type Finding, SettingsError } from './finding.ts';
import {
  type FoundationNetworkSettings,
  foundationNetworkVariables,
} from './foundation-network-variables.ts';
import { placeholdersIn } from './placeholders.ts';
import {
  type PostgresOnDemandSettings,
  postgresOnDemandVariables,
} from './postgres-on-demand-variables.ts';
import {
  type ResolvedVariables,
  resolveVariables,
  type SourcedAssignment,
} from './resolve-variables.ts';
import { deployedRules, type RuleTexts } from './rules-folder.ts';
import { isTfvarsFile, readBytes, readTfvarsFile } from './tfvars-file.ts';
import type { VariableTable } from './variable.ts';

/** The checked settings of one environment. */
export interface Environment {
  /** Name of its folder below `environments/`. */
  readonly name: string;
  /** Absent where `file_processing.tfvars` names an existing network or cluster, and no `foundation_network.tfvars` is there. */
  readonly foundationNetwork?: FoundationNetworkSettings;
  /** With `database = "on_demand"`, name, port and sign-in are those of the database; the rest Terraform looks up. */
  readonly fileProcessing: FileProcessingSettings;
  /** Absent where the environment has no `postgres_on_demand.tfvars`, and so no such stack. */
  readonly postgresOnDemand?: PostgresOnDemandSettings;
  /** The rule set that becomes a ConfigMap: of its folder `rules/` where no `rules_location` is set; empty for none. */
  readonly rules: RuleTexts;
  /** What works but is unwise, by stack. */
  readonly warnings: {
    readonly foundationNetwork: readonly Finding[];
    readonly fileProcessing: readonly Finding[];
    readonly postgresOnDemand: readonly Finding[];
  };
  /** Values of the files that were made up for an example and have yet to be replaced. */
  readonly placeholders: readonly Finding[];
}

/** Environment that is taken when nobody names one. */
export const DEFAULT_ENVIRONMENT = 'etl-playground';

const ENVIRONMENTS = 'environments';
const CONTAINER_IMAGE = 'container_image.txt';

/**
 * Reads and checks `environments/<name>/foundation_network.tfvars` and `file_processing.tfvars` (or
 * the same with `.json` appended), and, where they are there, `postgres_on_demand.tfvars` and `container_image.txt`
 * beside them. The first may be missing where the second has a `vpc_id`, or takes an existing cluster: the network is
 * then that of others. What the third leaves out of the variables that both have is that of the second.
 *
 * @param root - folder that holds `environments/`
 * @param now - the day that warnings are of; the settings don't depend on it. @default that of the run
 * @throws SettingsError with every fault of all files
 */
export function loadEnvironment(
  root: string,
  name: string = DEFAULT_ENVIRONMENT,
  now: Date = timeOfRun(process.env),
): Environment {
  const folder = `${ENVIRONMENTS}/${name}`;
  if (!/^[\w-]+$/.test(name) || !existsSync(join(root, folder))) {
    throw new SettingsError([{ file: folder, message: unknownEnvironment(root) }]);
  }
  const image = containerImage(root, `${folder}/${CONTAINER_IMAGE}`);
  const processing = load(root, `${folder}/file_processing.tfvars`, image, fileProcessingVariables);

  const networkFile = `${folder}/foundation_network.tfvars`;
  const { vpc_id, private_subnet_ids, create_cluster } = processing.settings;
  const faultyNames = namesIn(processing.faults);
  // What names it may be at fault, or lack its VPC, which is reported as such.
  const namesOthers =
    vpc_id !== '' ||
    private_subnet_ids.length > 0 ||
    !create_cluster ||
    ['vpc_id', 'private_subnet_ids', 'create_cluster'].some((name) => faultyNames.has(name));
  const isOfOthers = namesOthers && !isTfvarsFile(root, networkFile);
  const network = isOfOthers ? undefined : load(root, networkFile, [], foundationNetworkVariables);

  const databaseFile = `${folder}/postgres_on_demand.tfvars`;
  const database = isTfvarsFile(root, databaseFile)
    ? load(root, databaseFile, [], postgresOnDemandVariables, sharedWithDatabase(processing))
    : undefined;

  // Where others deploy the objects, or the listener reads S3, the folder is nobody's here.
  const { manage_kubernetes, rules_location } = processing.settings;
  const rules =
    manage_kubernetes && rules_location === ''
      ? deployedRules(root, name)
      : { texts: new Map(), faults: [] };

  const faults = [
    ...(network?.faults ?? []),
    ...processing.faults,
    ...(database?.faults ?? []),
    ...rules.faults,
  ];
  if (network?.isWhole) {
    faults.push(
      ...network.locate(checkFoundationNetwork(network.settings, namesIn(network.faults))),
    );
  }
  if (processing.isWhole) {
    const { settings, given } = processing;
    faults.push(
      ...processing.locate([
        ...checkFileProcessing(settings, given, faultyNames),
        ...checkOnDemand(settings, database?.settings),
      ]),
    );
  }
  if (database?.isWhole) {
    const { settings, given } = database;
    faults.push(
      ...database
        .locate(
          checkPostgresOnDemand(
            settings,
            given,
            namesIn([...database.faults, ...processing.faults]),
          ),
        )
        // What comes from file_processing.tfvars is reported there.
        .filter(
          ({ variable, message }) =>
            database.assignments.some(({ name }) => name === variable) ||
            !faults.some((fault) => fault.variable === variable && fault.message === message),
        ),
    );
  }
  if (faults.length > 0) {
    // What a line at fault was to give, the database goes without for now.
    const isInherited = ({ line, variable = '' }: Finding) =>
      line === undefined && faultyNames.has(variable);
    throw new SettingsError(faults, [
      ...(network?.warnings ?? []),
      ...processing.warnings,
      ...(database?.warnings ?? []).filter((warning) => !isInherited(warning)),
    ]);
  }

  return {
    name,
    ...(network && { foundationNetwork: network.settings }),
    fileProcessing: withOnDemand(processing.settings, database?.settings),
    ...(database && { postgresOnDemand: database.settings }),
    rules: rules.texts,
    warnings: {
      foundationNetwork: network
        ? [
            ...network.warnings,
            ...network.locate([
              ...warnAccounts(network.settings),
              ...warnBetweenStacks(network.settings, processing.settings),
            ]),
          ]
        : [],
      fileProcessing: [
        ...processing.warnings,
        ...processing.locate(warnFileProcessing(processing.settings, processing.secretsGiven, now)),
      ],
      postgresOnDemand: database
        ? [
            ...database.warnings,
            ...database.locate([
              ...warnAccounts(database.settings),
              ...warnOfAnotherAccount(database.settings, processing.settings),
              ...warnOfAnotherNetwork(database, processing.settings),
            ]),
          ]
        : [],
    },
    placeholders: [
      ...(network?.placeholders ?? []),
      ...processing.placeholders,
      ...(database?.placeholders ?? []),
    ],
  };
}

/** Faults between file-processing and the database that it is to find. */
function checkOnDemand(
  { database, aws_region }: FileProcessingSettings,
  found: PostgresOnDemandSettings | undefined,
): readonly CrossFinding<keyof FileProcessingSettings & string>[] {
  if (database !== 'on_demand') return [];
  if (found === undefined) {
    const message =
      'needs postgres_on_demand.tfvars beside this file (it may be empty): it says which database that is';
    return [{ variable: 'database', message }];
  }
  if (found.aws_region === aws_region) return [];
  const message = `${aws_region} differs from postgres_on_demand's ${found.aws_region}: the database is found in its own region alone`;
  return [{ variable: 'aws_region', message }];
}

function warnOfAnotherAccount(
  { account_id }: PostgresOnDemandSettings,
  processing: FileProcessingSettings,
): readonly CrossFinding<keyof PostgresOnDemandSettings & string>[] {
  if (account_id === processing.account_id) return [];
  const message = `${account_id || 'absent'} differs from file_processing's ${processing.account_id || 'absent'}: all stacks are in one account`;
  return [{ variable: 'account_id', message }];
}

/** Nodes reach a database in their own VPC, or in one that somebody has connected with it. */
function warnOfAnotherNetwork(
  { settings, given }: Loaded<typeof postgresOnDemandVariables>,
  processing: FileProcessingSettings,
): readonly CrossFinding<keyof PostgresOnDemandSettings & string>[] {
  if (processing.database !== 'on_demand') return [];
  if (!processing.create_cluster) {
    if (Object.keys(existingNetworkVariables).some((name) => given.has(name))) return [];
    const message = `absent: the database is made in ${vpcName(settings)}; name the VPC of the cluster ${processing.cluster_name}`;
    return [{ variable: 'vpc_id', message }];
  }
  const [own, nodes] = [settings, processing].map(
    ({ vpc_id, ...network }) => vpc_id || vpcName(network),
  );
  // An id and a name may mean the same one.
  if (own === nodes || (settings.vpc_id === '') !== (processing.vpc_id === '')) return [];
  const message = `${own} differs from file_processing's ${nodes}: the nodes reach the database only where both networks are connected`;
  return [{ variable: settings.vpc_id === '' ? 'foundation_name_prefix' : 'vpc_id', message }];
}

/** What the database has in common with file-processing, where its own file does not say otherwise. */
function sharedWithDatabase(
  processing: Loaded<typeof fileProcessingVariables>,
): readonly SourcedAssignment[] {
  const faulty = namesIn(processing.faults);
  return processing.assignments.filter(
    ({ name, value }) =>
      value !== null &&
      !faulty.has(name) &&
      (name in commonVariables || name in existingNetworkVariables || name === 'alarm_topic_arn'),
  );
}

/** What file-processing need not be told of the database, since the file beside it says so. */
function withOnDemand(
  settings: FileProcessingSettings,
  found: PostgresOnDemandSettings | undefined,
): FileProcessingSettings {
  if (settings.database !== 'on_demand' || found === undefined) return settings;
  return {
    ...settings,
    db_name: found.db_name,
    db_port: found.db_port,
    db_user: settings.db_user || LISTENER_USER,
    db_iam_auth: true,
  };
}

/** Variables that findings are about, without the item of a list or map. */
function namesIn(findings: readonly Finding[]): ReadonlySet<string> {
  return new Set(findings.map(({ variable = '' }) => wholeVariable(variable)));
}

function wholeVariable(place: string): string {
  return place.replace(/\[.*$/, '');
}

interface Loaded<Table extends VariableTable> extends ResolvedVariables<Table> {
  /** Variables that the file, or the file beside it, assigns a value to; `null` is none. */
  readonly given: ReadonlySet<string>;
  /** What the file itself assigns. */
  readonly assignments: readonly SourcedAssignment[];
  /** Whether all of the text could be read. */
  readonly isWhole: boolean;
  readonly placeholders: readonly Finding[];
  /** Finds the place of findings between variables. */
  readonly locate: (findings: readonly CrossFinding<string>[]) => readonly Finding[];
}

/**
 * @param overrides - values that take precedence over those of the file
 * @param inherited - values of another file, for what this one leaves out. Its network is found by one way: that of
 *   the other file only where this one names none.
 */
function load<Table extends VariableTable>(
  root: string,
  path: string,
  overrides: readonly SourcedAssignment[],
  table: Table,
  inherited: readonly SourcedAssignment[] = [],
): Loaded<Table> {
  const { file, assignments, faults } = readTfvarsFile(root, path);
  const overridden = new Set(overrides.map((assignment) => assignment.name));
  const own = assignments.map((assignment) => ({ ...assignment, file }));
  const stated = [...own.filter(({ name }) => !overridden.has(name)), ...overrides];
  const names = new Set(stated.map(({ name }) => name));
  const namesNetwork = Object.keys(existingNetworkVariables).some((name) => names.has(name));
  const sourced = [
    ...stated,
    ...inherited.filter(
      ({ name }) => !names.has(name) && !(namesNetwork && name in existingNetworkVariables),
    ),
  ];
  const resolved = resolveVariables(file, sourced, table);
  // A variable may be missing because its line could not be read.
  const isOfText = ({ line }: Finding) => faults.length === 0 || line !== undefined;
  const places = new Map(sourced.map((assignment) => [assignment.name, assignment]));
  return {
    ...resolved,
    faults: [
      ...faults,
      ...resolved.faults.filter(isOfText),
      ...trackedSecrets(root, file, resolved, places),
    ],
    warnings: [
      // Whoever a value comes from has been warned of it.
      ...resolved.warnings
        .filter(isOfText)
        .filter(({ file }) => !inherited.some((from) => from.file === file)),
      ...replacedValues(own, overrides),
    ],
    given: new Set(sourced.filter(({ value }) => value !== null).map(({ name }) => name)),
    assignments: own,
    isWhole: faults.length === 0,
    placeholders: placeholdersIn(stated.filter(({ name }) => table[name]?.sensitive === false)),
    locate: (findings) =>
      findings.map((finding) => {
        const place = places.get(wholeVariable(finding.variable));
        return { ...finding, file: place?.file ?? file, line: place?.line };
      }),
  };
}

function trackedSecrets(
  root: string,
  file: string,
  { secretsGiven }: ResolvedVariables<VariableTable>,
  places: ReadonlyMap<string, SourcedAssignment>,
): readonly Finding[] {
  if (secretsGiven.size === 0 || !isTrackedByGit(root, file)) return [];
  return [...secretsGiven].map((variable) => ({
    file,
    line: places.get(variable)?.line,
    variable,
    message: `must not stand in a file that git tracks; remove it and give it as TF_VAR_${variable}, and change it where it is used`,
  }));
}

function replacedValues(
  own: readonly SourcedAssignment[],
  overrides: readonly SourcedAssignment[],
): readonly Finding[] {
  return overrides.flatMap((override) => {
    const replaced = own.find(
      ({ name, value }) => name === override.name && value !== override.value,
    );
    if (!replaced?.value) return [];
    const { file, line, name: variable, value } = replaced;
    return [
      { file, line, variable, value, message: `is not used: ${override.file} takes precedence` },
    ];
  });
}

function containerImage(root: string, path: string): readonly SourcedAssignment[] {
  if (!existsSync(join(root, path))) return [];
  const bytes = readBytes(root, path);
  if (!Buffer.isBuffer(bytes)) throw new SettingsError([bytes]);
  const image = bytes.toString('utf8').trim();
  return image === '' ? [] : [{ file: path, line: 1, name: 'image', value: image }];
}

/** What both stacks should say alike, and why. */
const ALIKE = [
  ['aws_region', ', which then finds another network'],
  ['assume_role_arn', ': both stacks are in one account'],
  ['account_id', ': both stacks are in one account'],
  ['permissions_boundary_arn', ': it is for the roles of all stacks'],
  ['fips_endpoints', ": the network's endpoints are for other hosts than the listener calls"],
  ['state_bucket', ': an environment keeps its states in one place'],
] as const;

function warnBetweenStacks(
  network: FoundationNetworkSettings,
  processing: FileProcessingSettings,
): readonly CrossFinding<keyof FoundationNetworkSettings & string>[] {
  const warnings: CrossFinding<keyof FoundationNetworkSettings & string>[] = ALIKE.filter(
    ([variable]) => network[variable] !== processing[variable],
  ).map(([variable, why]) => ({
    variable,
    message: `${network[variable] === '' ? 'absent' : network[variable]} differs from file_processing's ${processing[variable] === '' ? 'absent' : processing[variable]}${why}`,
  }));
  if (processing.vpc_id === '' && network.name_prefix !== processing.foundation_name_prefix) {
    warnings.push({
      variable: 'name_prefix',
      message: `${network.name_prefix} differs from file_processing's foundation_name_prefix ${processing.foundation_name_prefix}, which then finds another network`,
    });
  }
  return warnings;
}

function unknownEnvironment(root: string): string {
  const folder = join(root, ENVIRONMENTS);
  const names = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : [];
  return `is not an environment; ENVIRONMENT must be one of ${names.sort().join(', ') || '(none: make a folder here)'}`;
}

/**
 * The time of a run: SOURCE_DATE_EPOCH (reproducible-builds.org; seconds since 1970) where it is set, so that a
 * synth can be repeated with its warnings, else the clock's.
 */
export function timeOfRun({ SOURCE_DATE_EPOCH = '' }: NodeJS.ProcessEnv): Date {
  return /^\d{1,12}$/.test(SOURCE_DATE_EPOCH)
    ? new Date(Number(SOURCE_DATE_EPOCH) * 1000)
    : new Date();
}

/** Loads an environment for a command; ends as {@link settingsOrExit} does. */
export function environmentOrExit(root: string, name: string | undefined): Environment {
  return settingsOrExit(() => loadEnvironment(root, name || undefined));
}

/** Faults in the settings go to standard error, without a stack trace, and end the process with code 1. */
export function settingsOrExit<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** Whether git tracks a file; false where there is no git or no repository. */
function isTrackedByGit(root: string, file: string): boolean {
  const { status } = spawnSync('git', ['ls-files', '--error-unmatch', '--', file], {
    cwd: root,
    stdio: 'ignore',
  });
  return status === 0;
}
