import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Model, StackModel } from '../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../src/synthesized/views/kubernetes-manifests.ts';
import { yamlOf } from '../../src/synthesized/views/yaml.ts';
import { AuditError, EXIT } from '../errors.ts';
import type { Check, RuleDescription } from '../findings.ts';
import { type CheckovReport, FRAMEWORKS, readCheckovReports } from './checkov-report.ts';

/** Virtual environment in the checkout that checkov may be installed in. */
const CHECKOV_FOLDER = '.checkov';

/**
 * Finds checkov: the program that `CHECKOV` names, else the one in the checkout's `.checkov`, else the
 * first one on the path.
 *
 * @param root - the checkout
 * @returns undefined where it is not installed
 * @throws AuditError when `CHECKOV` names no program
 */
export function findCheckov(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (env.CHECKOV) {
    if (isExecutable(env.CHECKOV)) return resolve(env.CHECKOV);
    const kind = isFolder(env.CHECKOV) ? ', and not a folder' : '';
    throw new AuditError(`CHECKOV = ${env.CHECKOV} must be a program${kind}`, {
      next: 'correct the variable, or unset it',
    });
  }
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [join(root, CHECKOV_FOLDER, 'bin'), ...onPath]
    .map((folder) => join(folder, 'checkov'))
    .find(isExecutable);
}

/** A folder has the same permission, by which it may be entered. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return !isFolder(path);
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Folder of checkov's checks of our own, below the checkout. */
const EXTRA_CHECKS = 'audit/checkov';

/** How much a run may take before it counts as broken. */
export interface Limits {
  readonly milliseconds: number;
  /** Of its output, which nobody reads but where it fails. */
  readonly bytes: number;
}

/** A run of all environments takes two minutes and 20 MB. */
const LIMITS: Limits = { milliseconds: 30 * 60_000, bytes: 256 * 1024 * 1024 };

/** Name that checkov gives to the file of its report. */
const RESULTS = 'results_json.json';

/**
 * Runs checkov once on the views of several stacks, since its start takes most of its time. It looks
 * at one folder after the other, each in processes of its own, so that nothing of a stack is known
 * where it looks at the next one. It gets no key and downloads nothing. Variables that configure
 * checkov are removed, and it is run in an empty folder, so that no configuration at hand can skip
 * a check.
 *
 * @param program - see {@link findCheckov}
 * @param views - folders with `plan.json` and `manifests/`, none in another
 * @param root - the checkout
 * @returns what it said of each folder, in their order
 * @throws AuditError when it breaks down: it is killed, takes too long, floods its output, ends with another code than its
 * report asks for, says that a check broke, or leaves a report that is not whole
 */
export async function runCheckov(
  program: string,
  views: readonly string[],
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  limits: Limits = LIMITS,
): Promise<readonly CheckovReport[]> {
  const empty = await mkdtemp(join(tmpdir(), 'checkov-'));
  const folders = views.map((folder) => resolve(folder));
  try {
    const run = await output(
      program,
      [
        ...folders.flatMap((folder) => ['--directory', folder]),
        // With two of them it gives each a process of its own.
        ...['--framework', ...FRAMEWORKS],
        ...['--external-checks-dir', resolve(root, EXTRA_CHECKS)],
        ...['--output', 'json', '--output-file-path', '.'],
        '--compact',
        '--skip-download',
      ],
      limits,
      { cwd: empty, env: { ...unconfigured(env), LOG_LEVEL: 'ERROR', XDG_CACHE_HOME: empty } },
    );
    try {
      if (run.failure !== undefined) throw new Error(`it ${run.failure}`);
      const text = await readFile(join(empty, RESULTS), 'utf8');
      const reports = readCheckovReports(text, folders);
      const broken = brokenBy(run, reports);
      if (broken !== undefined) throw new Error(broken);
      return reports;
    } catch (cause) {
      const reason = `${(cause as Error).message}\n${lastLines(run.said)}`;
      throw new AuditError(`checkov gave no whole report on ${views.join(', ')}: ${reason}`, {
        next: `run it by hand: ${program} --directory ${views[0]}`,
        code: EXIT.unavailable,
        cause,
      });
    }
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
}

/** Without what configures checkov or gives it a platform to report to. */
function unconfigured(env: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(CKV|BC|PRISMA|CHECKOV)(_|$)/.test(name)),
  );
}

/** How a run of checkov ended. */
interface Run {
  /** Exit code; undefined where it was ended by a signal or never began. */
  readonly code: number | undefined;
  /** What it wrote to standard error, else to standard output; the last of it. */
  readonly said: string;
  /** Why nothing that it left behind counts; undefined where it ended by itself. */
  readonly failure: string | undefined;
}

/** Characters of its output that are kept to be shown. */
const SHOWN = 65_536;

// What it forks may outlive it and hold its output open: once it was killed nobody waits for the end of that.
function output(
  program: string,
  parameters: readonly string[],
  { milliseconds, bytes }: Limits,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Run> {
  const { promise, resolve: done } = Promise.withResolvers<Run>();
  const child = spawn(program, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  let written = 0;
  let failure: string | undefined;
  const end = (code: number | null) => {
    clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
    done({ code: code ?? undefined, said: texts.stderr || texts.stdout, failure });
  };
  const stop = (why: string) => {
    failure ??= why;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => stop(`took longer than ${milliseconds / 1000} s`), milliseconds);
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] = (texts[name] + text).slice(-SHOWN);
      written += text.length;
      if (written > bytes) stop(`wrote more than ${bytes} characters to its output`);
    });
  }
  child.on('error', (error) => {
    failure ??= error.message;
    end(null);
  });
  child.on('exit', (_, signal) => {
    if (signal === null) return;
    failure ??= `was ended by ${signal}`;
    end(null);
  });
  child.on('close', end);
  return promise;
}

/** Why the report of a run that ended by itself is not whole: checkov ends with 0 or, if a check failed, with 1. */
function brokenBy({ code, said }: Run, reports: readonly CheckovReport[]): string | undefined {
  const failed = reports.some(({ checks }) => checks.some(({ passed }) => !passed));
  if (code !== (failed ? 1 : 0)) {
    return `it ended with ${code}, and its report has ${failed ? 'failed' : 'no failed'} checks`;
  }
  return /^(ERROR|CRITICAL)\b|\b(ERROR|CRITICAL)\s|^Traceback \(/m.test(said)
    ? 'some of its checks broke down'
    : undefined;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-10).join('\n');
}

/**
 * Writes what checkov reads of one stack: `plan.json`, and each Kubernetes object as
 * `manifests/<address>.yaml`.
 *
 * @param plan - the stack as plan-shaped JSON
 * @param objects - the stack's Kubernetes objects
 */
export function writeViews(
  folder: string,
  plan: unknown,
  objects: readonly KubernetesObject[],
): void {
  mkdirSync(join(folder, 'manifests'), { recursive: true });
  writeFileSync(join(folder, 'plan.json'), `${JSON.stringify(plan, undefined, 2)}\n`);
  for (const { address, manifest } of objects) {
    writeFileSync(join(folder, 'manifests', `${address}.yaml`), yamlOf(manifest));
  }
}

/** The stacks of one region, as they are scanned. */
export interface Scan {
  /** Folder that the views are written to, a folder for each stack. */
  readonly views: string;
  readonly model: Model;
  readonly objects: readonly KubernetesObject[];
}

/** With what it is scanned. */
export interface Scanner {
  /** Path of checkov. */
  readonly program: string;
  readonly planOf: (stack: StackModel) => unknown;
  /** The checkout. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Writes the views of all stacks and runs checkov on them.
 *
 * @returns for each scan the reports by the stack's name
 */
export async function scanStacks(
  { program, planOf, root, env }: Scanner,
  scans: readonly Scan[],
): Promise<readonly Readonly<Record<string, CheckovReport>>[]> {
  const viewsOf = ({ views }: Scan, stack: StackModel) => join(views, stack.name);
  const folders = scans.flatMap((scan) =>
    scan.model.stacks.map((stack) => {
      const objects = scan.objects.filter((object) => object.stack === stack.name);
      writeViews(viewsOf(scan, stack), planOf(stack), objects);
      return viewsOf(scan, stack);
    }),
  );
  const reports = await runCheckov(program, folders, root, env);
  const byFolder = new Map(folders.map((folder, index) => [folder, reports[index]]));
  return scans.map((scan) =>
    Object.fromEntries(
      scan.model.stacks.flatMap((stack) => {
        const report = byFolder.get(viewsOf(scan, stack));
        return report === undefined ? [] : [[stack.name, report]];
      }),
    ),
  );
}

/** Checkov's verdicts as checks; the same verdict on both views of a resource is one. */
export function checksOfReports(
  reports: Readonly<Record<string, CheckovReport>>,
): readonly Check[] {
  return Object.entries(reports).flatMap(([stack, { checks }]) =>
    checks.map(({ id, name, address, passed }) => ({
      by: 'checkov',
      rule: id,
      stack,
      address,
      faults: passed ? [] : [`${name}.`],
    })),
  );
}

/** Checkov's checks as rules. It keeps severities and reasons for its paying users. */
export function rulesOfReports(
  reports: Readonly<Record<string, CheckovReport>>,
): readonly RuleDescription[] {
  const names = new Map(
    Object.values(reports).flatMap(({ checks }) => checks.map(({ id, name }) => [id, name])),
  );
  return [...names]
    .map(([id, title]): RuleDescription => ({ by: 'checkov', id, title, severity: 'medium' }))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}
