import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import gathered from './evidence.json' with { type: 'json' };
import { FLOORS_FILE } from './floors.ts';
import { WAIVER_FILE } from './waivers.ts';

const execute = promisify(execFile);

type Environment = Readonly<Record<string, string | undefined>>;

/** A file, so that anybody can tell whether it is the one at hand. */
export interface Digest {
  /** From the checkout, with slashes. */
  readonly path: string;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
}

/** A list of packages, as a CycloneDX document. */
export interface Sbom {
  /** Name of its file among the reports. */
  readonly file: string;
  /** What the packages are of. */
  readonly of: string;
  readonly sha256: string;
  readonly text: string;
}

/** What an audit was made of, by whom and where. */
export interface Evidence {
  readonly product: {
    readonly name: string;
    readonly version: string;
    /** SHA-256 of the sources of the rules: the version of the rules. */
    readonly rules: string;
  };
  /** Commit of the checkout and whether it differs from it; undefined outside of git. */
  readonly commit:
    | {
        readonly id: string;
        readonly clean: boolean;
        /** The same but for the accepted JSON, which is not a part of what is synthesized. */
        readonly cleanInputs: boolean;
        /** Address of the repository, without a password. */
        readonly repository?: string;
      }
    | undefined;
  /** Versions by name: Node.js, cdktf, providers, Terraform. */
  readonly tools: Readonly<Record<string, string>>;
  readonly by: {
    readonly user: string;
    /** Such as `linux x64, a CI runner`; no name of a machine. */
    readonly host: string;
    /** Address or number of the CI run. */
    readonly run?: string;
  };
  /** Files of the checkout that the verdict depends on, beside what was audited. */
  readonly inputs: readonly Digest[];
  readonly sboms: readonly Sbom[];
  /** Why a list of packages is missing, sentences. */
  readonly missing: readonly string[];
}

/** What no audit of the synthesized JSON sees. */
export const NOT_LOOKED_AT: readonly string[] = gathered.notLookedAt;

/** SHA-256 in hexadecimal. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Paths of the files, beside what was audited, that a verdict depends on; a folder's come by name. */
function inputFiles(root: string): readonly string[] {
  return [
    ...[WAIVER_FILE, FLOORS_FILE, ...gathered.inputs].filter((path) =>
      existsSync(join(root, path)),
    ),
    ...gathered.inputsBelow
      .flatMap((pattern) => globSync(pattern, { cwd: root }))
      .map((path) => path.replaceAll('\\', '/'))
      .sort(),
  ];
}

function digestOf(root: string, path: string): Digest {
  return { path, sha256: sha256(readFileSync(join(root, path))) };
}

/** The version of the rules: a digest of their sources, which no version number follows closely enough. */
function rulesDigest(root: string): string {
  const sources = globSync('audit/{rules,policy}/**/*.{ts,json}', { cwd: root }).sort();
  return sha256(sources.map((path) => readFileSync(join(root, path), 'utf8')).join('\0'));
}

/**
 * Gathers what an audit is made of. What is not to be had, such as git or npm, is left out or named; it does not
 * stop an audit.
 *
 * @param root - the checkout
 * @param now - goes into the lists of packages
 */
export async function evidenceOf(root: string, env: Environment, now: Date): Promise<Evidence> {
  const product = packageIn(root);
  const [commit, terraform, ...lists] = await Promise.all([
    commitOf(root),
    terraformVersion(env),
    ...gathered.packageLists.map((list) => sbomOf(root, list, product, now)),
  ]);
  return {
    product: { ...product, rules: rulesDigest(root) },
    commit,
    tools: {
      'Node.js': process.versions.node,
      ...Object.fromEntries(
        gathered.packages.flatMap((name) => {
          const path = join(root, 'node_modules', name);
          return existsSync(path) ? [[name, packageIn(path).version]] : [];
        }),
      ),
      Terraform: terraform,
    },
    by: {
      user: env.GITHUB_ACTOR || env.USER || env.LOGNAME || userInfo().username,
      host: `${process.platform} ${process.arch}, ${env.CI ? 'a CI runner' : 'no CI runner'}`,
      ...runOf(env),
    },
    inputs: inputFiles(root).map((path) => digestOf(root, path)),
    sboms: lists.filter((list) => typeof list !== 'string'),
    missing: lists.filter((list) => typeof list === 'string'),
  };
}

function packageIn(root: string): { readonly name: string; readonly version: string } {
  const path = join(root, 'package.json');
  if (!existsSync(path)) return { name: 'file-processing-infra', version: 'unknown' };
  const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as Record<
    'name' | 'version',
    string
  >;
  return { name, version };
}

async function commitOf(root: string): Promise<Evidence['commit']> {
  const git = async (...parameters: readonly string[]) =>
    (await execute('git', ['-C', root, ...parameters])).stdout.trim();
  try {
    // A folder in somebody else's repository is not a checkout of it.
    if ((await git('rev-parse', '--show-prefix')) !== '') return undefined;
    const [id, status, statusOfInputs] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain'),
      git('status', '--porcelain', '--', '.', ':(exclude)audit/accepted'),
    ]);
    const repository = await git('remote', 'get-url', 'origin').then(
      withoutPassword,
      () => undefined,
    );
    const [clean, cleanInputs] = [status === '', statusOfInputs === ''];
    return { id, clean, cleanInputs, ...(repository !== undefined && { repository }) };
  } catch {
    return undefined;
  }
}

/** The address of a repository on a host; a path on a machine says nothing to others. */
function withoutPassword(address: string): string | undefined {
  const scp = address.match(/^[\w.-]+@([\w.-]+):(.+)$/);
  if (scp !== null) return `ssh://${scp[1]}/${scp[2]}`;
  if (!/^(https?|ssh|git):/.test(address)) return undefined;
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

async function terraformVersion(env: Environment): Promise<string> {
  const program = env.TERRAFORM_BINARY || 'terraform';
  try {
    const { stdout } = await execute(program, ['version', '-json'], {
      env: { ...env, CHECKPOINT_DISABLE: '1' },
    });
    const { terraform_version: version } = JSON.parse(stdout) as {
      readonly terraform_version: string;
    };
    return `${version} (here; the audit does not run it)`;
  } catch {
    return 'not installed here; the audit does not run it';
  }
}

function runOf(env: Environment): { readonly run?: string } {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env;
  if (server && repository && id) return { run: `${server}/${repository}/actions/runs/${id}` };
  const run = env.CI_PIPELINE_URL || env.BUILD_URL;
  return run ? { run } : {};
}

type PackageList = (typeof gathered.packageLists)[number];

/** What `npm sbom` prints, as far as it is looked at. */
interface CycloneDx {
  readonly serialNumber?: string;
  readonly metadata: {
    readonly timestamp?: string;
    readonly component: { readonly 'bom-ref': string };
  };
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly properties?: readonly { readonly name: string; readonly value: string }[];
  }[];
  readonly dependencies: readonly {
    readonly ref: string;
    readonly dependsOn?: readonly string[];
  }[];
}

/**
 * Leaves out what only development needs. npm's own `--omit dev` also leaves out what a package of development depends
 * on beside the product, such as koa, which the image has.
 */
function withoutDevelopment<List extends CycloneDx>(list: List): List {
  const isKept = ({ properties = [] }: CycloneDx['components'][number]) =>
    !properties.some(({ name, value }) => name === DEVELOPMENT && value === 'true');
  const components = list.components.filter(isKept);
  const kept = new Set([list.metadata.component, ...components].map((one) => one['bom-ref']));
  const dependencies = list.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((it) => kept.has(it)) }));
  return { ...list, components, dependencies };
}

/** Property by which npm marks what only development needs. */
const DEVELOPMENT = 'cdx:npm:package:development';

/** Files that `npm sbom` prints its list by. */
const LOCKED: readonly string[] = gathered.packageListsFrom;

/** What `npm sbom` prints; kept beside the packages for as long as what it is made of stays, since it takes half a second of CPU. */
async function npmSbom(root: string, parameters: readonly string[]): Promise<string> {
  const options = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', ...parameters];
  const packages = join(root, 'node_modules');
  const from = LOCKED.map((path) => join(root, path));
  const isKept = existsSync(packages);
  const made = isKept ? from.map((path) => readFileSync(path, 'utf8')) : [];
  const name = `sbom-${sha256([...made, ...options, process.version].join('\0'))}.json`;
  const kept = join(packages, '.cache', name);
  if (isKept && existsSync(kept)) return readFileSync(kept, 'utf8');
  const { stdout } = await execute('npm', options, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  if (isKept) {
    await mkdir(join(packages, '.cache'), { recursive: true });
    // Under another name first: others may look for it meanwhile.
    const unfinished = `${kept}.${process.pid}.${randomUUID()}`;
    await writeFile(unfinished, stdout);
    await rename(unfinished, kept);
  }
  return stdout;
}

/**
 * Packages by the lock file, which is the same on every machine.
 *
 * @returns a sentence where npm has none to give
 */
async function sbomOf(
  root: string,
  { file, of, parameters }: PackageList,
  product: { readonly name: string; readonly version: string },
  now: Date,
): Promise<Sbom | string> {
  const absent = LOCKED.find((path) => !existsSync(join(root, path)));
  // To find that out takes npm half a second of CPU.
  if (absent) return `There is no list of the packages of the ${of}: ${absent} is missing.`;
  try {
    const printed = await npmSbom(root, parameters);
    // npm invents a number, and takes the folder's name for the product's: neither is of the packages.
    const {
      serialNumber: _,
      metadata,
      ...list
    } = withoutDevelopment(JSON.parse(printed) as CycloneDx);
    const { timestamp: __, component, ...others } = metadata;
    const named = { ...component, name: product.name, version: product.version };
    const stamped = { ...others, timestamp: now.toISOString(), component: named };
    const text = `${JSON.stringify({ ...list, metadata: stamped }, undefined, 2)}\n`;
    return { file, of, sha256: sha256(text), text };
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n').slice(1);
    return `There is no list of the packages of the ${of}: npm sbom failed${reason && ` (${reason})`}.`;
  }
}
