import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CUSTOM_OBJECTS } from '../settings/common-variables.ts';
import { DEFAULT_ENVIRONMENT } from '../settings/environment.ts';

/** The parts of cdktf's manifest.json that the summary needs. */
interface Manifest {
  readonly stacks: Readonly<
    Record<
      string,
      {
        readonly synthesizedStackPath: string;
        readonly annotations: readonly { readonly level: string; readonly message: string }[];
      }
    >
  >;
}

/** The parts of a stack's Terraform JSON that the summary needs. */
interface StackJson {
  readonly resource?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly locals?: { readonly [CUSTOM_OBJECTS]?: readonly { readonly kind: string }[] };
}

/**
 * The summary that `npm run synth` was asked for. An argument that it does not have, such as the
 * `--environment` of other commands, ends the process with one line and code 64.
 */
export function summaryOrExit(parameters: readonly string[]): typeof summaryOfSynthesis {
  const unknown = parameters.find((parameter) => parameter !== '--brief');
  if (unknown === undefined) {
    return parameters.length === 0 ? summaryOfSynthesis : briefSummaryOfSynthesis;
  }
  process.stderr.write(
    `Unknown argument '${unknown}': ENVIRONMENT names the environment, CDKTF_OUTPUT the folder for the JSON\n`,
  );
  process.exit(64);
}

/**
 * What was synthesized into a folder, for people: resources by stack and type, warnings, what to do next.
 *
 * @param placeholders - values of the settings that have yet to be replaced, a line each
 */
export function summaryOfSynthesis(
  outdir: string,
  environment: string,
  placeholders: readonly string[] = [],
): string {
  const stacks = stacksIn(outdir);
  const warnings = stacks.flatMap((stack) => stack.warnings);
  return [
    `Environment ${environment}`,
    ...stacks.flatMap(({ name, file, types }) => [
      '',
      `${name}: ${total(types)} resources in ${file}`,
      ...types.map(([type, count]) => `  ${String(count).padStart(3)} ${type}`),
    ]),
    ...viewsIn(outdir),
    ...outsideTerraform(stacks),
    '',
    warnings.length === 0 ? 'No warnings' : `Warnings (${warnings.length})`,
    ...warnings.map((warning) => `  ${warning}`),
    ...(placeholders.length === 0 ? [] : ['', `Placeholders (${placeholders.length})`]),
    ...placeholders.map((placeholder) => `  ${placeholder}`),
    '',
    'Next',
    ...nextSteps(environment, placeholders.length > 0, stacks),
    '',
  ].join('\n');
}

/** Each step with what it is for; the commands name the environment unless it is the default one. */
function nextSteps(
  environment: string,
  hasPlaceholders: boolean,
  stacks: readonly SynthesizedStack[],
): readonly string[] {
  const option = environment === DEFAULT_ENVIRONMENT ? '' : ` --environment ${environment}`;
  const steps = [
    ['npm run manage -- new-environment NAME', 'one of your own, in place of placeholders'],
    ['read the files above', 'they are what is deployed'],
    [`npm run audit${option && ` --${option}`}`, 'judges them'],
    ...deployFirst(stacks, 'foundation-network', 'once in each environment', option),
    ...deployFirst(stacks, 'postgres-on-demand', 'the database', option),
    [`npm run manage -- apply${option}`, 'the cluster and the listener'],
  ].slice(hasPlaceholders ? 0 : 1);
  const width = Math.max(...steps.map(([step = '']) => step.length));
  return steps.map(([step = '', reason]) => `  ${step.padEnd(width)}  ${reason}`);
}

/** The step of a stack that not every environment has. */
function deployFirst(
  stacks: readonly SynthesizedStack[],
  stack: string,
  reason: string,
  option: string,
): readonly (readonly string[])[] {
  const isThere = stacks.some(({ name }) => name === stack);
  return isThere ? [[`npm run manage -- apply ${stack}${option}`, reason]] : [];
}

/** The same in a line a stack, for `npm start`. */
export function briefSummaryOfSynthesis(
  outdir: string,
  environment: string,
  placeholders: readonly string[] = [],
): string {
  const stacks = stacksIn(outdir);
  const warnings = stacks.flatMap((stack) => stack.warnings);
  const remarks = [amount(warnings.length, 'warning'), amount(placeholders.length, 'placeholder')];
  const width = Math.max(...stacks.map(({ name }) => name.length));
  return [
    `Environment ${environment}: ${remarks.join(', ')} (details: npm run synth)`,
    ...stacks.map(
      ({ name, file, types }) =>
        `  ${name.padEnd(width)}  ${amount(total(types), 'resource')} in ${file}`,
    ),
    '',
  ].join('\n');
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

interface SynthesizedStack {
  readonly name: string;
  readonly file: string;
  readonly types: readonly [string, number][];
  readonly warnings: readonly string[];
  /** Kinds of the Kubernetes objects that Terraform does not make. */
  readonly kinds: readonly string[];
}

/** What a bare `cdktf deploy` leaves out. */
function outsideTerraform(stacks: readonly SynthesizedStack[]): readonly string[] {
  const kinds = [...new Set(stacks.flatMap((stack) => stack.kinds))].sort();
  if (kinds.length === 0) return [];
  return [
    '',
    `Not made by Terraform: ${kinds.join(', ')}`,
    '  "manage apply" puts them in place, or the manifests do; "cdktf deploy" does not',
    ...(kinds.includes('ScaledObject')
      ? ['  until then nothing scales, and the pods stay as many as replicas']
      : []),
  ];
}

function stacksIn(outdir: string): readonly SynthesizedStack[] {
  const manifest = readJson<Manifest>(join(outdir, 'manifest.json'));
  return Object.entries(manifest.stacks).map(([name, { synthesizedStackPath, annotations }]) => ({
    name,
    file: join(outdir, synthesizedStackPath),
    types: countByType(join(outdir, synthesizedStackPath)),
    warnings: annotations.map(({ message }) => message),
    kinds: kindsIn(join(outdir, synthesizedStackPath)),
  }));
}

/** What else was written from the JSON; nothing for `cdktf synth --hcl`. */
function viewsIn(outdir: string): readonly string[] {
  if (!existsSync(join(outdir, 'plans'))) return [];
  return [
    '',
    `The same as Kubernetes manifests in ${join(outdir, 'manifests')}, for scanners in ${join(outdir, 'plans')}`,
  ];
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

function countByType(file: string): readonly [string, number][] {
  const types = file.endsWith('.json') ? typesInJson(file) : typesInHcl(file);
  return [...Map.groupBy(types, (type) => type)]
    .map(([type, found]): [string, number] => [type, found.length])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function kindsIn(file: string): readonly string[] {
  if (!file.endsWith('.json')) return [];
  return (readJson<StackJson>(file).locals?.[CUSTOM_OBJECTS] ?? []).map(({ kind }) => kind);
}

/** The type of each resource, once for every resource. */
function typesInJson(file: string): string[] {
  return Object.entries(readJson<StackJson>(file).resource ?? {}).flatMap(([type, byName]) =>
    Object.keys(byName).map(() => type),
  );
}

/** The same where `cdktf synth --hcl` was asked for. */
function typesInHcl(file: string): string[] {
  const blocks = readFileSync(file, 'utf8').matchAll(/^resource "([^"]+)"/gm);
  return [...blocks].flatMap(([, type]) => type ?? []);
}

function total(types: readonly [string, number][]): number {
  return types.reduce((sum, [, count]) => sum + count, 0);
}
