import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command as Commander } from 'commander';
import { type Environment, loadEnvironment } from '../../settings/environment.ts';
import { fileProcessingVariables } from '../../settings/file-processing-variables.ts';
import { type Finding, formatFinding, SettingsError } from '../../settings/finding.ts';
import { foundationNetworkVariables } from '../../settings/foundation-network-variables.ts';
import { resolveVariables } from '../../settings/resolve-variables.ts';
import { hclLiteral } from '../../settings/tfvars/hcl-strings.ts';
import type { Variable, VariableTable } from '../../settings/variable.ts';
import { removedAtExit } from '../files.ts';
import type { CommonOptions, Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';

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
  /** The file whose table has the variable. */
  readonly table: Table;
  /** Taken where nobody answers; undefined where somebody has to. */
  readonly fallback: (answers: Answers, environment: string) => string | undefined;
  /** Whether the answers before make sense of the question. @default always */
  readonly isAsked?: (answers: Answers) => boolean;
}

const hasDatabase = (answers: Answers) => answers['db-host'] !== '';

const QUESTIONS: readonly Question[] = [
  {
    option: 'region',
    variable: 'aws_region',
    table: 'file_processing',
    fallback: () => undefined,
  },
  { option: 'profile', variable: 'aws_profile', table: 'file_processing', fallback: () => '' },
  {
    option: 'name-prefix',
    variable: 'name_prefix',
    table: 'foundation_network',
    fallback: (_, environment) => environment,
  },
  {
    option: 'vpc-cidr',
    variable: 'vpc_cidr',
    table: 'foundation_network',
    fallback: () => foundationNetworkVariables.vpc_cidr.default,
  },
  {
    option: 'api-cidrs',
    variable: 'cluster_endpoint_private_access_cidrs',
    table: 'file_processing',
    fallback: (answers) => answers['vpc-cidr'],
  },
  {
    option: 'bucket',
    variable: 'bucket_name',
    table: 'file_processing',
    fallback: () => undefined,
  },
  { option: 'image', variable: 'image', table: 'file_processing', fallback: () => '' },
  { option: 'db-host', variable: 'db_host', table: 'file_processing', fallback: () => '' },
  {
    option: 'db-port',
    variable: 'db_port',
    table: 'file_processing',
    fallback: () => String(fileProcessingVariables.db_port.default),
    isAsked: hasDatabase,
  },
  {
    option: 'db-name',
    variable: 'db_name',
    table: 'file_processing',
    fallback: () => undefined,
    isAsked: hasDatabase,
  },
  {
    option: 'db-user',
    variable: 'db_user',
    table: 'file_processing',
    fallback: () => undefined,
    isAsked: hasDatabase,
  },
];

/** The variables of each file, in the order that they are written in; what nobody asks for is commented out. */
const CONTENTS: Readonly<Record<Table, readonly string[]>> = {
  foundation_network: [
    ...['aws_region', 'aws_profile', 'name_prefix', 'vpc_cidr', 'nat_gateways', 'state_bucket'],
  ],
  file_processing: [
    ...['aws_region', 'aws_profile', 'foundation_name_prefix', 'vpc_id'],
    ...['cluster_name', 'cluster_endpoint_private_access_cidrs', 'cluster_admin_arns'],
    ...['bucket_name', 's3_prefixes', 'create_s3_notifications'],
    ...['delivery', 'sns_endpoint_url', 'tls_certificate_arn', 'alarm_topic_arn', 'image'],
    ...['db_host', 'db_port', 'db_name', 'db_user', 'state_bucket'],
  ],
};

const HEADINGS: Readonly<Record<Table, string>> = {
  foundation_network: 'The shared network',
  file_processing: 'The cluster, the way from the bucket to it, and the listener',
};

/** `manage new-environment`: asks for what nobody else can know, and writes the tfvars of an environment. */
export const newEnvironment: Operation = {
  name: 'new-environment',
  summary: 'write the tfvars of a new environment from what is asked for, or given by options',
  describe: (command) =>
    QUESTIONS.reduce(
      withQuestion,
      command.argument('<name>', 'name of its folder below environments/'),
    ),
  execute: async (context, options, name = '') => {
    refuseName(context.root, name);
    const answers = await answersTo(context, options, name);
    const environment = await written(context.root, name, answers);
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
function withQuestion(command: Commander, question: Question): Commander {
  const { option, variable } = question;
  if (option === 'profile' || option === 'region') return command;
  return command.option(`--${option} <value>`, `${variable}: ${variableOf(question).description}`);
}

function variableOf({ table, variable }: Question): Variable<unknown> {
  const found = TABLES[table][variable];
  if (found === undefined) throw new Error(`${table} has no variable ${variable}`);
  return found;
}

function refuseName(root: string, name: string): void {
  if (!/^[a-z][a-z0-9_-]{0,39}$/i.test(name)) {
    throw new OperationError(
      `the name ${JSON.stringify(name)} must be 1 to 40 letters, digits, hyphens and underscores, starting with a letter`,
      { code: EXIT.usage },
    );
  }
  if (!existsSync(join(root, 'environments', name))) return;
  throw new OperationError(`environments/${name} is there already; nothing was written`, {
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
    if (given === undefined && question.isAsked?.(answers) === false) continue;
    const fallback = question.fallback(answers, environment);
    const answer = given ?? (await asked(context, question, fallback)) ?? fallback;
    faults.push(...faultsIn(question, answer));
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
  const { variable: name } = question;
  const variable = { ...variableOf(question), ...(answer === undefined && { default: undefined }) };
  const value = answer === undefined ? null : valueIn(variable, answer);
  return resolveVariables('', [{ file: '', line: 1, name, value }], { [name]: variable }).faults;
}

function valueIn({ type }: Variable<unknown>, answer: string): string | readonly string[] {
  if (type !== 'list(string)') return answer;
  return answer
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/**
 * Writes both files beside the other environments and has them read as any environment is; only
 * what was read without a fault gets its name.
 *
 * @throws OperationError (usage) with every fault, by the option that it came from
 */
async function written(root: string, name: string, answers: Answers): Promise<Environment> {
  const staging = mkdtempSync(join(root, '.new-environment-'));
  return await removedAtExit(staging, async () => {
    const folder = join(staging, 'environments', name);
    mkdirSync(folder, { recursive: true });
    for (const table of Object.keys(TABLES) as Table[]) {
      writeFileSync(join(staging, pathOf(name, table)), textOf(table, name, answers));
    }
    const environment = checked(staging, name);
    renameSync(folder, join(root, 'environments', name));
    return environment;
  });
}

function checked(root: string, name: string): Environment {
  try {
    return loadEnvironment(root, name);
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
  const question = QUESTIONS.find((one) => one.variable === variable.replace(/\[.*/, ''));
  const file = question === undefined ? 'settings' : `--${question.option}`;
  return formatFinding({ file, variable, ...(value !== undefined && { value }), message });
}

function pathOf(name: string, table: Table): string {
  return `environments/${name}/${table}.tfvars`;
}

function textOf(table: Table, name: string, answers: Answers): string {
  const heading = `${wrapped(`${HEADINGS[table]} of the environment ${name}. Every other variable: docs/settings.md`)}\n`;
  return [heading, ...CONTENTS[table].map((variable) => entry(table, variable, answers))].join(
    '\n',
  );
}

/** A variable below its description: what was answered, else its example as a comment. */
function entry(table: Table, name: string, answers: Answers): string {
  const variable = TABLES[table][name];
  if (variable === undefined) throw new Error(`${table} has no variable ${name}`);
  // The network is found by the prefix that it is made with.
  const asked = name === 'foundation_name_prefix' ? 'name_prefix' : name;
  const answer = answers[QUESTIONS.find((one) => one.variable === asked)?.option ?? ''];
  const comment = `${wrapped(variable.description)}\n`;
  if (answer === undefined || (answer === '' && variable.default === '')) {
    return `${comment}# ${name} = ${literal(variable, variable.example)}\n`;
  }
  return `${comment}${name} = ${literal(variable, valueIn(variable, answer))}\n`;
}

function literal({ type }: Variable<unknown>, value: unknown): string {
  const isBare = type === 'bool' || (type === 'number' && /^\d+$/.test(String(value)));
  return isBare ? String(value) : hclLiteral(value as string | readonly string[]);
}

const LINE = 98;

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines.map((line) => `# ${line}`).join('\n');
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
