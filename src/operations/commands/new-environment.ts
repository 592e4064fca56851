import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command as Commander } from 'commander';
import { type Environment, loadEnvironment } from '../../settings/environment.ts';
import { fileProcessingVariables } from '../../settings/file-processing-variables.ts';
import { type Finding, formatFinding, SettingsError } from '../../settings/finding.ts';
import { foundationNetworkVariables } from '../../settings/foundation-network-variables.ts';
import { resolveVariables } from '../../settings/resolve-variables.ts';
import type { Variable, VariableTable } from '../../settings/variable.ts';
import { removedAtExit } from '../files.ts';
import type { CommonOptions, Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { answeredValue, tfvarsText } from '../tfvars-text.ts';

const TABLES = {
  foundation_network: foundationNetworkVariables as VariableTable,
  file_processing: fileProcessingVariables as VariableTable,
};
type Table = keyof typeof TABLES;

/** Answers by option, as they were typed. */
type Answers = Readonly<Record<string, string>>;

/** Something that nobody but the operator can know. */
interface Question {
  /** Name of the option, without its dashes. */
  readonly option: string;
  /** The variable that the answer fills; its table says what is allowed. */
  readonly variable: string;
  /** The variable that the answer fills in its place where it has commas: one entry for each name. */
  readonly several?: string;
  /** The file whose table has the variable. */
  readonly table: Table;
  /** Taken where nobody answers; undefined where somebody has to. */
  readonly fallback: (answers: Answers, environment: string) => string | undefined;
  /** Whether the answers before make sense of the question. */
  readonly isAsked: (answers: Answers) => boolean;
}

const required = () => undefined;
const orEmpty = () => '';
const hasDatabase = (answers: Answers) => answers['db-host'] !== '';

function question(
  option: string,
  [table, variable]: readonly [Table, string],
  fallback: Question['fallback'],
  isAsked: Question['isAsked'] = () => true,
): Question {
  return { option, table, variable, fallback, isAsked };
}

const QUESTIONS: readonly Question[] = [
  question('region', ['file_processing', 'aws_region'], required),
  question('profile', ['file_processing', 'aws_profile'], orEmpty),
  question('account', ['file_processing', 'account_id'], orEmpty),
  question('name-prefix', ['foundation_network', 'name_prefix'], (_, environment) => environment),
  question('vpc-cidr', ['foundation_network', 'vpc_cidr'], () => '10.0.0.0/16'),
  question(
    'api-cidrs',
    ['file_processing', 'cluster_endpoint_private_access_cidrs'],
    (answers) => answers['vpc-cidr'],
  ),
  { ...question('bucket', ['file_processing', 'bucket_name'], required), several: 'buckets' },
  question('image', ['file_processing', 'image'], orEmpty),
  question('db-host', ['file_processing', 'db_host'], orEmpty),
  question('db-port', ['file_processing', 'db_port'], () => '5432', hasDatabase),
  question('db-name', ['file_processing', 'db_name'], required, hasDatabase),
  question('db-user', ['file_processing', 'db_user'], required, hasDatabase),
];

/** The variables of each file, in the order that they are written in; what nobody asks for is commented out. */
const CONTENTS: Readonly<Record<Table, readonly string[]>> = {
  foundation_network: [
    ...['aws_region', 'aws_profile', 'account_id'],
    ...['permissions_boundary_arn', 'iam_path', 'iam_role_name_prefix', 'fips_endpoints'],
    ...['name_prefix', 'vpc_cidr', 'nat_gateways', 'state_bucket'],
  ],
  file_processing: [
    ...['aws_region', 'aws_profile', 'account_id'],
    ...['permissions_boundary_arn', 'iam_path', 'iam_role_name_prefix', 'fips_endpoints'],
    ...['foundation_name_prefix', 'vpc_id', 'private_subnet_ids'],
    ...['create_cluster', 'cluster_name', 'kubernetes_version'],
    ...['cluster_endpoint_private_access_cidrs', 'cluster_admin_arns'],
    ...['bucket_name', 's3_prefixes', 'create_s3_notifications', 'buckets'],
    ...['delivery', 'sns_endpoint_url', 'tls_certificate_arn', 'alarm_topic_arn', 'image'],
    ...['database', 'db_host', 'db_port', 'db_name', 'db_user', 'state_bucket'],
  ],
};

const HEADINGS: Readonly<Record<Table, string>> = {
  foundation_network: 'The shared network',
  file_processing: 'The cluster, the way from the bucket to it, and the listener',
};

/** `manage new-environment`: asks for what nobody else can know, and writes the tfvars of an environment. */
export const newEnvironment: Operation = {
  name: 'new-environment',
  summary: 'write the tfvars of a new environment from questions or options',
  describe: (command) =>
    QUESTIONS.reduce(
      withQuestion,
      command.argument('<name>', 'name of its folder below environments/'),
    ),
  execute: async (context, options, name = '') => {
    refuseName(context.root, name);
    const answers = await answersTo(context, options, name);
    const environment = await written(context, name, answers).catch((error) =>
      refuseWrite(name, error),
    );
    const files = Object.keys(TABLES).map((table) => pathOf(name, table as Table));
    const { foundationNetwork, fileProcessing } = environment.warnings;
    const warnings = [...foundationNetwork, ...fileProcessing].map(formatFinding);
    const next = nextSteps(environment);
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ environment: name, files, warnings, next }, null, 2)}\n`
        : [...files, ...section('Warnings', warnings), ...section('Next', next), ''].join('\n'),
    );
    return EXIT.ok;
  },
};

/** `--profile` and `--region` are options of every command. */
function withQuestion(command: Commander, one: Question): Commander {
  const { option, variable, several } = one;
  if (option === 'profile' || option === 'region') return command;
  const list = several === undefined ? '' : ` Repeated, or with commas: ${several}.`;
  const description = `${variable}: ${variableOf(one).description}${list}`;
  const flags = `--${option} <value>`;
  if (several === undefined) return command.option(flags, description);
  return command.option(flags, description, (value: string, before: string | undefined) =>
    before === undefined ? value : `${before},${value}`,
  );
}

function variableOf(question: Question, answer?: string): Variable<unknown> {
  const name = filledBy(question, answer);
  const found = TABLES[question.table][name];
  if (found === undefined) throw new Error(`${question.table} has no variable ${name}`);
  return found;
}

/** The variable that an answer fills. */
function filledBy({ variable, several }: Question, answer: string | undefined): string {
  return several !== undefined && answer?.includes(',') ? several : variable;
}

function refuseName(root: string, name: string): void {
  if (!/^[a-z][a-z0-9_-]{0,39}$/i.test(name)) {
    throw new OperationError(
      `the name ${JSON.stringify(name)} must be 1 to 40 letters, digits, hyphens and underscores, starting with a letter`,
      { code: EXIT.usage },
    );
  }
  if (!existsSync(join(root, 'environments', name))) return;
  throw new OperationError(`environments/${name} already exists; nothing was written`, {
    next: 'choose another name, or edit its files',
    code: EXIT.refused,
  });
}

/**
 * Takes the options, and asks for the rest; an answer that is not allowed is asked for again.
 *
 * @throws OperationError (usage) with every option that is not allowed, or missing where nobody can be asked
 */
async function answersTo(
  context: OperationContext,
  options: CommonOptions,
  environment: string,
): Promise<Answers> {
  const answers: Record<string, string> = {};
  const faults: Finding[] = [];
  for (const question of QUESTIONS) {
    const given = optionOf(options, question.option);
    if (given === undefined && !question.isAsked(answers)) continue;
    const fallback = question.fallback(answers, environment);
    const answer = given ?? (await asked(context, question, fallback)) ?? fallback;
    // What another answer at fault would fill as well is reported there.
    const isReported = given !== answer && faults.some(({ value }) => value === answer);
    if (!isReported) faults.push(...faultsIn(question, answer));
    if (answer !== undefined) answers[question.option] = answer;
  }
  refuseFaults(faults);
  return answers;
}

/** Commander writes `--db-host` as `dbHost`. */
function optionOf(options: object, name: string): string | undefined {
  const camelCase = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return (options as Readonly<Record<string, string | undefined>>)[camelCase];
}

async function asked(
  { ask }: OperationContext,
  question: Question,
  fallback: string | undefined,
): Promise<string | undefined> {
  const { description, allowed } = variableOf(question);
  const prompt = `${description}\n${question.variable}${fallback ? ` [${fallback}]` : ''}: `;
  for (let text = prompt; ; text = `must be ${allowed}\n${prompt}`) {
    const answer = (await ask(text))?.trim();
    if (answer === undefined) return undefined;
    const value = answer || fallback;
    if (value !== undefined && faultsIn(question, value).length === 0) return value;
  }
}

/** As the reader of the settings judges one variable alone; without an answer, that it is missing. */
function faultsIn(question: Question, answer: string | undefined): readonly Finding[] {
  const name = filledBy(question, answer);
  const variable = {
    ...variableOf(question, answer),
    ...(answer === undefined && { default: undefined }),
  };
  const value = answer === undefined ? null : answeredValue(variable, answer);
  return resolveVariables('', [{ file: '', line: 1, name, value }], { [name]: variable }).faults;
}

/**
 * Writes both files beside the other environments and has them read as any environment is; only
 * what was read without a fault gets its name.
 *
 * @throws OperationError (usage) with every fault, by the option that it came from
 */
async function written(
  { root, clock }: OperationContext,
  name: string,
  answers: Answers,
): Promise<Environment> {
  const staging = mkdtempSync(join(root, '.new-environment-'));
  return await removedAtExit(staging, async () => {
    const folder = join(staging, 'environments', name);
    mkdirSync(folder, { recursive: true });
    for (const table of Object.keys(TABLES) as Table[]) {
      writeFileSync(join(staging, pathOf(name, table)), textOf(table, name, answers));
    }
    const environment = checked(staging, name, clock.now());
    renameSync(folder, join(root, 'environments', name));
    return environment;
  });
}

/** @throws OperationError for what the file system answered, and any other error as it is */
function refuseWrite(name: string, error: unknown): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error;
  throw new OperationError(`environments/${name} can't be written: ${error.message}`, {
    cause: error,
  });
}

function checked(root: string, name: string, now: Date): Environment {
  try {
    return loadEnvironment(root, name, now);
  } catch (error) {
    if (error instanceof SettingsError) refuseFaults(error.faults);
    throw error;
  }
}

function refuseFaults(faults: readonly Finding[]): void {
  if (faults.length === 0) return;
  const lines = faults.map((fault) => `  ${faultText(fault)}`);
  throw new OperationError(`nothing was written:\n${lines.join('\n')}`, { code: EXIT.usage });
}

/** The option stands in place of a line of a file that is not there any more. */
function faultText({ variable = '', value, message }: Finding): string {
  const name = variable.replace(/\[.*/, '');
  const question = QUESTIONS.find((one) => [one.variable, one.several].includes(name));
  const file = question === undefined ? 'settings' : `--${question.option}`;
  return formatFinding({ file, variable, ...(value !== undefined && { value }), message });
}

function pathOf(name: string, table: Table): string {
  return `environments/${name}/${table}.tfvars`;
}

function textOf(table: Table, name: string, answers: Answers): string {
  const answered = QUESTIONS.map((question) => {
    const answer = answers[question.option];
    return [filledBy(question, answer), answer] as const;
  });
  return tfvarsText({
    heading: `${HEADINGS[table]} of the environment ${name}. Every other variable: docs/settings.md`,
    table: TABLES[table],
    names: CONTENTS[table],
    // The network is found by the prefix that it is made with.
    answers: new Map([...answered, ['foundation_name_prefix', answers['name-prefix']]]),
  });
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function nextSteps({ name, fileProcessing }: Environment): readonly string[] {
  const manage = (command: string) => `npm run manage -- ${command} --environment ${name}`;
  return [
    'read both files; the comments say what else can be set',
    manage('doctor'),
    manage('apply foundation-network'),
    ...(fileProcessing.db_host === '' ? [] : ["export TF_VAR_db_password='...'"]),
    manage('apply'),
    ...(fileProcessing.image === '' ? [manage('update-image')] : []),
  ];
}
